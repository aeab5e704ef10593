#include "sched/adaptive_spin.hpp"

#include <gtest/gtest.h>

namespace {

using tenon::detail::adaptive_spin;

/// How many of so many searches spin where it pays one time in `paid_of`, evenly.
int spins(adaptive_spin& s, int searches, int paid_of) {
  int n = 0;
  for (int i = 0; i < searches; ++i) {
    if (!s.worth_it()) continue;
    ++n;
    s.spun(paid_of != 0 && n % paid_of == 0);
  }
  return n;
}

TEST(AdaptiveSpin, GoesOnWhereItPays) {
  for (const int paid_of : {1, 2}) {
    adaptive_spin s;
    EXPECT_EQ(spins(s, 1000, paid_of), 1000) << paid_of;
  }
}

TEST(AdaptiveSpin, IsRareWhereItDoesNot) {
  for (const int paid_of : {0, 3, 8, 20}) {
    adaptive_spin s;
    spins(s, 100, paid_of);
    const int n = spins(s, 16'000, paid_of);
    EXPECT_GE(n, 1000) << paid_of << ": but is tried";
    EXPECT_LE(n, 2000) << paid_of;
  }
}

TEST(AdaptiveSpin, ComesBackWhenItPaysAgain) {
  adaptive_spin s;
  spins(s, 1000, 0);
  spins(s, adaptive_spin::rarely, 1);
  EXPECT_EQ(spins(s, 100, 1), 100);
}

}  // namespace
