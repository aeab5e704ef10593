// Guide: "Size: Zero or One", one item of slack.
//
// A wake-up that must not be lost and need not be counted. Notice: a channel of capacity one with `try_send` keeps
// exactly one notice while the worker is busy: whoever comes later finds that the worker has been told already, and
// does not wait. A signal has no value, so it is a `chan<void>`.

#include <iostream>

#include <tenon/tenon.hpp>

namespace tn = tenon;

// [snippet]
class doorbell {
 public:
  /// Never blocks. True if this call is the one that rang.
  bool ring() const { return pending_.try_send(); }
  /// Blocks until somebody has rung since the last time; false once `ctx` is canceled.
  [[nodiscard]] bool wait(const tn::context& ctx) const { return pending_.recv(ctx); }

 private:
  tn::chan<void> pending_ = tn::make_chan<void>(1);
};
// [/snippet]

int main() {
  return tn::run([](tn::group& g) {
    const doorbell bell;
    int rang = 0;
    for (int i = 0; i < 5; ++i) rang += bell.ring();
    std::cout << "five calls, rang " << rang << " time\n";

    const auto answered = g.produce<int>([bell](tn::sender<int>& out, tn::context ctx) {
      for (int n = 1; bell.wait(ctx) && out.send(ctx, n);) ++n;
    });
    std::cout << "answered " << *answered.recv() << '\n';
    bell.ring();
    std::cout << "answered " << *answered.recv() << '\n';
    g.cancel();
  });
}
