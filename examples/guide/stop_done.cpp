// Guide: "Stop + Done Pattern (Alternative)".
//
// The same ticking worker where no context is at hand: one channel says stop, another one says stopped. Notice: both
// signal by being closed, which every receiver sees, however many there are; and although `done` says it all, the
// goroutine still has its owner.

#include <iostream>

#include <tenon/tenon.hpp>

using namespace std::chrono_literals;

int main() {
  tenon::run([](tenon::context) {
    const auto flushed = tenon::make_chan<int>();

    // [snippet]
    const auto stop = tenon::make_chan<void>();
    const auto done = tenon::make_chan<void>();

    auto worker = tenon::go([&] {
      const tenon::sender closes_done(done);  // at the end of the scope, however it is left
      const tenon::ticker tick(1ms);
      for (int flushes = 1;;) {
        switch (tenon::select(tenon::recv(tick.c()), tenon::recv(stop))) {
          case 0:  // flush
            if (flushed.try_send(flushes)) ++flushes;
            break;
          case 1: return;
        }
      }
    });
    // [/snippet]

    for (int i = 0; i < 3; ++i) std::cout << "flush " << *flushed.recv() << '\n';

    // [snippet]
    // Later: signal stop, and wait until it has.
    stop.close();
    (void)done.recv();
    // [/snippet]
    std::cout << "stopped\n";
    worker.join();
  });
}
