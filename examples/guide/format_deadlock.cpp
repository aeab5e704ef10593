// Guide: "String Formatting Deadlocks", the bug.
//
// `update_age` holds the lock when it formats the customer for its error message, and formatting takes the lock.
// Notice: the program does not hang. tenon says at once which goroutine waits for itself, where it locked first and
// where again, whatever else goes on, and exits with status 2. A debug build looks for it by itself, any other when it is
// told to, as here, or by TENON_CHECK_LOCKS=1. That it is also the end is asked for here, too (or by TENON_CHECK_LOCKS=2):
// in other programs another goroutine may be meant to unlock. format_fixed.cpp has the ways out.

#include <iostream>
#include <mutex>
#include <shared_mutex>
#include <sstream>
#include <string>

#include <tenon/tenon.hpp>

namespace tn = tenon;

// [snippet]
class customer {
 public:
  tn::error update_age(int age) {
    const std::lock_guard hold(mu_);
    if (age < 0) {
      std::ostringstream text;
      text << "invalid age for " << *this;  // calls the operator below
      return tn::error(text.str());
    }
    age_ = age;
    return nullptr;
  }

  friend std::ostream& operator<<(std::ostream& out, const customer& c) {
    const std::shared_lock hold(c.mu_);  // deadlock: update_age holds it
    return out << "id=" << c.id_ << " age=" << c.age_;
  }

 private:
  mutable tn::shared_mutex mu_;
  std::string id_ = "c42";
  int age_ = 30;
};
// [/snippet]

int main() {
  const auto ask_for_trouble = [] {
    customer c;
    std::cout << c << std::endl;  // flushed: the program ends below
    std::cout << c.update_age(-1).message() << '\n';
  };
  return tn::run(ask_for_trouble, {.check_locks = true, .lock_faults_are_fatal = true});
}
