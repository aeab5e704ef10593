// The guide's shared map with a plain std::map: a reference is taken under the lock and read without it, while somebody writes under the
// lock. Only values change, so the map stays whole. The writer is told when the lock has gone: nothing orders what both do from
// there on, which ThreadSanitizer sees in every run. The fix: examples/guide/map_snapshot.cpp.

#include <iostream>
#include <map>
#include <mutex>
#include <string>

#include <tenon/tenon.hpp>

namespace {

class cache {
 public:
  void add_balance(const std::string& name, double amount) {
    const std::lock_guard hold(mu_);
    balances_[name] += amount;
  }
  template <class F>
  [[nodiscard]] double average_balance(F&& without_the_lock) const {
    mu_.lock();
    const auto& m = balances_;  // not a copy
    mu_.unlock();
    without_the_lock();
    double sum = 0;
    for (const auto& [name, balance] : m) sum += balance;
    return sum / static_cast<double>(m.size());
  }

 private:
  mutable tenon::mutex mu_;
  std::map<std::string, double> balances_{{"ada", 10}, {"bob", 20}};
};

}  // namespace

int main() {
  return tenon::run([] {
    cache c;
    const auto unlocked = tenon::make_chan<void>();
    auto writer = tenon::go([&] {
      (void)unlocked.recv();
      c.add_balance("ada", 1);
    });
    const double average = c.average_balance([&] { unlocked.send(); });
    writer.join();
    std::cout << (average > 0 ? "an average\n" : "none\n");
  });
}
