// Guide: "Context-Based Cancellation (Primary)".
//
// A worker flushes at every tick until its context is canceled. Notice: the loop waits for the tick *and* for the
// cancellation, and returns why it ended. The two cases are made once and used in every round. Whoever started the
// worker has its handle, which stops it and waits for it.

#include <iostream>

#include <tenon/tenon.hpp>

namespace tn = tenon;
using namespace std::chrono_literals;

class worker {
 public:
  // [snippet]
  tn::error run(tn::context ctx) {
    const tn::ticker ticker(1ms);  // stopped by its destructor
    auto tick = tn::recv(ticker.c());
    auto stop = tn::recv(ctx.done());
    for (;;) {
      tn::select(tick, stop);
      if (stop) return ctx.err();
      flush(ctx);
    }
  }
  // [/snippet]

  tn::recv_chan<int> flushed() const { return flushed_; }

 private:
  void flush(const tn::context& ctx) {
    if (flushed_.send(ctx, flushes_ + 1)) ++flushes_;
  }

  int flushes_ = 0;
  tn::chan<int> flushed_ = tn::make_chan<int>();
};

int main() {
  return tn::run([](tn::group& root) {
    worker w;
    // [snippet]
    // The caller controls the lifetime.
    auto running = tn::go(root.ctx(), [&w](tn::context ctx) { return w.run(ctx); });
    // [/snippet]
    for (int i = 0; i < 3; ++i) std::cout << "flush " << *w.flushed().recv() << '\n';
    // [snippet]
    // Later: signal stop, and wait until it has.
    running.cancel();
    std::cout << "the worker returned: " << running.join().message() << '\n';
    // [/snippet]
  });
}
