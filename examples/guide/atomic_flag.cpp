// Guide: "Atomics".
//
// A server that is started by a hundred goroutines starts once. Notice: `exchange` sets the flag and says what it was
// in one step, so exactly one caller sees false. A load and a store would let two in. Nothing here needs tenon:
// std::atomic is the same for goroutines as for threads.

#include <atomic>
#include <iostream>

#include <tenon/tenon.hpp>

namespace tn = tenon;

// [snippet]
class server {
 public:
  /// True if this call started it.
  bool start() {
    if (running_.exchange(true)) return false;  // already running
    ++starts_;
    return true;
  }
  [[nodiscard]] int starts() const { return starts_; }

 private:
  std::atomic<bool> running_ = false;
  int starts_ = 0;  // only the one that got in writes it
};
// [/snippet]

int main() {
  return tn::run([] {
    server s;
    std::atomic<int> refused = 0;
    tn::wait_group callers;
    for (int i = 0; i < 100; ++i) {
      callers.go([&] { refused += s.start() ? 0 : 1; });
    }
    callers.wait();
    std::cout << "started " << s.starts() << ", already running " << refused << '\n';
  });
}
