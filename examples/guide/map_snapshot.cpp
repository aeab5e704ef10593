// Guide: "Map/Slice Assignment Doesn't Copy", the fix: copy inside the critical section.
//
// Notice: in a `guarded` map the mistake cannot be made, since a reference to the map cannot leave the lock.
// `snapshot` is the copy; with a `shared_mutex`, readers make theirs side by side.

#include <iostream>
#include <map>
#include <string>

#include <tenon/tenon.hpp>

namespace tn = tenon;

// [snippet]
class cache {
 public:
  void add_balance(const std::string& name, double amount) {
    balances_.with([&](auto& m) { m[name] += amount; });
  }
  [[nodiscard]] double average_balance() const {
    const auto m = balances_.snapshot();  // a copy, made under the lock
    double sum = 0;
    for (const auto& [name, balance] : m) sum += balance;  // no lock needed
    return m.empty() ? 0 : sum / static_cast<double>(m.size());
  }

 private:
  tn::guarded<std::map<std::string, double>, tn::shared_mutex> balances_;
};
// [/snippet]

int main() {
  return tn::run([](tn::context ctx) -> tn::error {
    cache c;
    tn::group writers(ctx);
    writers.go_n(100, [&c](int i) { c.add_balance(i % 2 == 0 ? "ada" : "bob", 1); });
    bool sane = true;
    for (int i = 0; i < 100; ++i) {
      const double now = c.average_balance();
      sane = sane && now >= 0 && now <= 50;
    }
    if (tn::error e = writers.wait()) return e;
    std::cout << "every average was possible: " << (sane ? "yes" : "no") << '\n';
    std::cout << "in the end: " << c.average_balance() << '\n';
    return nullptr;
  });
}
