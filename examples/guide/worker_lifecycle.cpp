// Guide: "Worker With Lifecycle Management".
//
// A class that owns its goroutine: the constructor starts it, the context stops it, `wait` joins it. Notice: there is
// no done channel; the group is what is waited for, by any number of callers, any number of times. It is the last
// member, so it ends before what its goroutine uses, and it makes the class one that is neither copied nor moved.

#include <iostream>

#include <tenon/tenon.hpp>

namespace tn = tenon;

// [snippet]
class worker {
 public:
  explicit worker(const tn::context& ctx) : owned_(ctx) {
    owned_.go([this](tn::context c) { run(c); });
  }

  /// False once the worker has been stopped.
  [[nodiscard]] bool submit(int job) { return jobs_.send(owned_.ctx(), job); }

  /// Blocks until the worker has stopped.
  tn::error wait() { return owned_.wait(); }
  /// After that.
  [[nodiscard]] int sum() const { return sum_; }

 private:
  void run(const tn::context& ctx) {
    for (int job : jobs_.range(ctx)) sum_ += job;
  }

  tn::chan<int> jobs_ = tn::make_chan<int>();
  int sum_ = 0;
  tn::group owned_;  // last
};
// [/snippet]

int main() {
  return tn::run([](tn::group& root) -> tn::error {
    auto scope = tn::with_cancel(root.ctx());
    worker w(scope.ctx());
    int accepted = 0;
    for (int job : {10, 20, 30}) accepted += w.submit(job);

    tn::group callers(root.ctx());
    callers.go_n(3, [&w] { return w.wait(); });
    scope.cancel();
    if (tn::error e = callers.wait()) return e;
    std::cout << "accepted " << accepted << ", sum " << w.sum() << '\n';
    std::cout << "after the stop: " << (w.submit(40) ? "accepted" : "refused") << '\n';

    const worker forgotten(root.ctx());  // nobody stops it or waits: its group does both
    return w.wait();                     // once more: at once
  });
}
