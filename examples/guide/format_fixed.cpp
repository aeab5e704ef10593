// Guide: "String Formatting Deadlocks", the fixes.
//
// Either validate before the lock is taken, or name the fields that the text needs. Notice: with `guarded` the second
// one is the only one that can be written inside: the function gets the fields, not the customer, so that there is
// nothing to format that would take the lock again.

#include <iostream>
#include <string>

#include <tenon/tenon.hpp>

namespace tn = tenon;

// [snippet]
class customer {
 public:
  tn::error update_age(int age) {
    if (age < 0) return tn::error("invalid age for " + to_string());  // before the lock
    return data_.with([age](fields& f) -> tn::error {
      if (age < f.age) return tn::error("nobody gets younger: id=" + f.id);  // the field itself
      f.age = age;
      return nullptr;
    });
  }
  [[nodiscard]] std::string to_string() const {
    return data_.with([](const fields& f) { return "id=" + f.id + " age=" + std::to_string(f.age); });
  }

 private:
  struct fields {
    std::string id = "c42";
    int age = 30;
  };
  tn::guarded<fields, tn::shared_mutex> data_;
};
// [/snippet]

int main() {
  return tn::run([] {
    customer c;
    for (int age : {31, -1, 12}) std::cout << c.update_age(age).message() << '\n';
    std::cout << c.to_string() << '\n';
  });
}
