// Guide: "Mutexes".
//
// The four rules. Notice: a mutex is valid as it is; it is a named member and no base class; it is not copied, which
// the compiler sees to, also for the class around it; and it is unlocked by the end of a scope, on every way out.

#include <iostream>
#include <mutex>
#include <stdexcept>
#include <type_traits>

#include <tenon/tenon.hpp>

namespace tn = tenon;

// [snippet]
class account {
 public:
  void withdraw(int amount) {
    const std::lock_guard hold(mu_);
    if (amount > balance_) throw std::domain_error("not enough");  // unlocks
    balance_ -= amount;
  }
  [[nodiscard]] int balance() const {
    const std::lock_guard hold(mu_);
    return balance_;
  }

 private:
  mutable tn::mutex mu_;  // protects balance_
  int balance_ = 100;
};

static_assert(!std::is_copy_constructible_v<tn::mutex> && !std::is_copy_assignable_v<tn::mutex>);
static_assert(!std::is_copy_constructible_v<account>, "whoever has a mutex cannot be copied either");
// [/snippet]

int main() {
  return tn::run([](tn::context ctx) {
    account a;
    tn::group customers(ctx);
    customers.go_n(10, [&a] { a.withdraw(9); });
    std::cout << "ten customers: " << customers.wait().message() << '\n';
    try {
      a.withdraw(11);
    } catch (const std::domain_error& e) {
      std::cout << "the eleventh: " << e.what() << '\n';
    }
    std::cout << "left: " << a.balance() << '\n';
  });
}
