// Guide: "Context-Based Cancellation (Primary)".
//
// A worker flushes at every tick until its context is canceled. Notice: the loop waits for the tick *and* for the
// cancellation, and returns why it ended; whoever started it holds a handle, stops it through the context and joins
// it.

#include <iostream>

#include <tenon/tenon.hpp>

using namespace std::chrono_literals;

class worker {
 public:
  // [snippet]
  tenon::error run(tenon::context ctx) {
    const tenon::ticker tick(1ms);  // stopped by its destructor
    for (;;) {
      switch (tenon::select(tenon::recv(tick.c()), tenon::recv(ctx.done()))) {
        case 0: flush(ctx); break;
        case 1: return ctx.err();
      }
    }
  }
  // [/snippet]

  tenon::recv_chan<int> flushed() const { return flushed_; }

 private:
  void flush(const tenon::context& ctx) {
    if (flushed_.send(ctx, flushes_ + 1)) ++flushes_;
  }

  int flushes_ = 0;
  tenon::chan<int> flushed_ = tenon::make_chan<int>();
};

int main() {
  tenon::run([](tenon::context root) {
    worker w;
    // [snippet]
    // The caller controls the lifetime.
    auto scope = tenon::with_cancel(root);
    const tenon::context ctx = scope.ctx();
    auto running = tenon::go(ctx, [&w](tenon::context c) { return w.run(c); });
    // [/snippet]
    for (int i = 0; i < 3; ++i) std::cout << "flush " << *w.flushed().recv() << '\n';
    // [snippet]
    // Later: signal stop, and wait until it has.
    scope.cancel();
    std::cout << "the worker returned: " << running.join().message() << '\n';
    // [/snippet]
  });
}
