// Guide: "Channels vs Mutexes", first row: goroutines in parallel that share state take a mutex.
//
// Eight workers do the same thing at the same time and count what they find in one table. Notice: `std::lock_guard`
// works with a `tenon::mutex`, and a lock that is taken blocks the goroutine, never the thread under it.

#include <iostream>
#include <map>
#include <mutex>
#include <string>

#include <tenon/tenon.hpp>

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
  mutable tenon::mutex mu_;  // protects counts_
  std::map<std::string, int> counts_;
};
// [/snippet]

int main() {
  tenon::run([](tenon::context) {
    tally words;
    tenon::wait_group workers;
    for (int w = 0; w < 8; ++w) {
      workers.go([&words] {
        for (int i = 0; i < 1000; ++i) words.add(i % 4 == 0 ? "joint" : "plank");
      });
    }
    workers.wait();
    for (const auto& [word, n] : words.counts()) std::cout << word << ": " << n << '\n';
  });
}
