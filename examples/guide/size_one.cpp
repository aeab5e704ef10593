// Guide: "Size: Zero or One", one item of slack.
//
// A wake-up that must not be lost and need not be counted. Notice: a channel of capacity one with `try_send` keeps
// exactly one notice while the worker is busy: whoever comes later finds that the worker has been told already, and
// does not wait.

#include <iostream>

#include <tenon/tenon.hpp>

// [snippet]
class doorbell {
 public:
  /// Never blocks. True if this call is the one that rang.
  bool ring() const { return pending_.try_send(void{}); }
  /// Blocks until somebody has rung since the last time; false once `ctx` is canceled.
  [[nodiscard]] bool wait(const tenon::context& ctx) const { return pending_.recv(ctx).has_value(); }

 private:
  tenon::chan<void> pending_ = tenon::make_chan<void>(1);
};
// [/snippet]

int main() {
  tenon::run([](tenon::context ctx) {
    const doorbell bell;
    int rang = 0;
    for (int i = 0; i < 5; ++i) rang += bell.ring();
    std::cout << "five calls, rang " << rang << " time\n";

    const auto answered = tenon::make_chan<int>();
    auto worker = tenon::go(ctx, [&](tenon::context c) {
      for (int n = 1; bell.wait(c); ++n) answered.send(n);
    });
    std::cout << "answered " << *answered.recv() << '\n';
    bell.ring();
    std::cout << "answered " << *answered.recv() << '\n';
    worker.cancel();
    worker.join();
  });
}
