// Guide: "Channels vs Mutexes", first row: goroutines in parallel that share state take a mutex.
//
// Eight workers do the same thing at the same time and count what they find in one table. Notice: `std::lock_guard`
// works with a `tn::mutex`, and a lock that is taken blocks the goroutine, never the thread under it.

#include <iostream>
#include <map>
#include <mutex>
#include <string>

#include <tenon/tenon.hpp>

namespace tn = tenon;

// [snippet]
class tally {
 public:
  void add(const std::string& key) {
    const std::lock_guard hold(mu_);
    ++counts_[key];
  }
  [[nodiscard]] std::map<std::string, int> counts() const {
    const std::lock_guard hold(mu_);
    return counts_;
  }

 private:
  mutable tn::mutex mu_;  // protects counts_
  std::map<std::string, int> counts_;
};
// [/snippet]

int main() {
  return tn::run([](tn::group& root) -> tn::error {
    tally words;
    tn::group workers(root.ctx());
    workers.go_n(8, [&words] {
      for (int i = 0; i < 1000; ++i) words.add(i % 4 == 0 ? "joint" : "plank");
    });
    if (tn::error e = workers.wait()) return e;
    for (const auto& [word, n] : words.counts()) std::cout << word << ": " << n << '\n';
    return nullptr;
  });
}
