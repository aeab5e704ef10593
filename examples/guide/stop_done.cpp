// Guide: "Stop + Done Pattern (Alternative)".
//
// The same ticking worker where no context is at hand: one channel says stop, another one says stopped. Notice: both
// signal by being closed, which every receiver sees, however many there are; and although `done` says it all, the
// goroutine still has its owner.

#include <iostream>

#include <tenon/tenon.hpp>

namespace tn = tenon;
using namespace std::chrono_literals;

int main() {
  return tn::run([](tn::group& g) {
    const auto flushed = tn::make_chan<int>();

    // [snippet]
    const auto stop = tn::make_chan<void>();
    const auto done = tn::make_chan<void>();

    g.go([=] {
      const tn::sender closes(done);  // at the end of the scope, however it is left
      const tn::ticker ticker(1ms);
      auto tick = tn::recv(ticker.c());
      auto stopped = tn::recv(stop);
      for (int flushes = 1;;) {
        tn::select(tick, stopped);
        if (stopped) return;
        if (flushed.try_send(flushes)) ++flushes;  // flush
      }
    });
    // [/snippet]

    for (int i = 0; i < 3; ++i) std::cout << "flush " << *flushed.recv() << '\n';

    // [snippet]
    // Later: signal stop, and wait until it has.
    stop.close();
    done.recv();
    // [/snippet]
    std::cout << "stopped\n";
  });
}
