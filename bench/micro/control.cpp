/// How much of a second core there is, told by threads that compute and share nothing: where two of them at once do no more
/// than one, no figure of several workers means anything.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <thread>

#include "busy.hpp"
#include "rows.hpp"

namespace bench {

namespace {

/// So many threads do the work at once.
double ms_of(int threads, std::int64_t work) {
  std::array<std::thread, 2> started;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < threads; ++i) started[static_cast<std::size_t>(i)] = std::thread(spin, work);
  for (auto& t : started) {
    if (t.joinable()) t.join();
  }
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int control() {
  constexpr int runs = 5;
  constexpr std::int64_t work_us = 100'000;
  const std::int64_t work = spins_per_us() * work_us;
  ms_of(2, work);  // not counted
  std::array<double, runs> one{};
  std::array<double, runs> two{};
  for (std::size_t i = 0; i < runs; ++i) {
    one[i] = ms_of(1, work);
    two[i] = ms_of(2, work);
  }
  std::ranges::sort(one);
  std::ranges::sort(two);
  std::printf(R"({"one_ms":%.2f,"two_ms":%.2f,"two_threads_do":%.2f})"
              "\n",
              one[runs / 2], two[runs / 2], 2 * one[runs / 2] / two[runs / 2]);
  return 0;
}

}  // namespace bench
