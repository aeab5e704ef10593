// Exploring: a mistake that shows in one order of many, found, and its correction, right in all.
//
// Notice: the account is made anew for each schedule; what was found stands on stderr, operation by operation, with a line that repeats it.

#include <iostream>
#include <mutex>
#include <stdexcept>

#include <tenon/tenon.hpp>
#include <tenon/testing/explore.hpp>

namespace tn = tenon;

// [snippet]
class hasty_account {
 public:
  bool withdraw(int amount) {
    if (balance() < amount) return false;
    const std::lock_guard hold(mu_);  // another may have been here since
    balance_ -= amount;
    return true;
  }
  int balance() {
    const std::lock_guard hold(mu_);
    return balance_;
  }

 private:
  tn::mutex mu_;
  int balance_ = 100;
};
// [/snippet]

class careful_account {
 public:
  bool withdraw(int amount) {
    const std::lock_guard hold(mu_);
    if (balance_ < amount) return false;
    balance_ -= amount;
    return true;
  }
  int balance() {
    const std::lock_guard hold(mu_);
    return balance_;
  }

 private:
  tn::mutex mu_;
  int balance_ = 100;
};

// [snippet]
template <class Account>
void withdraw_twice(tn::group& g) {
  Account account;
  for (int i = 0; i < 2; ++i) g.go([&] { account.withdraw(70); });
  (void)g.wait();
  if (account.balance() < 0) throw std::runtime_error("overdrawn");
}

int main() {
  using tn::testing::explore;
  using tn::testing::strategy;
  try {
    explore(withdraw_twice<hasty_account>);
  } catch (const std::runtime_error& e) {
    std::cout << "hasty: " << e.what() << '\n';
  }
  const auto all = explore(withdraw_twice<careful_account>, {.by = strategy::exhaustive});
  std::cout << "careful: " << (all.all ? "right in every order" : "not all were tried") << '\n';
}
// [/snippet]
