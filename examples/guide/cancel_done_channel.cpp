// Guide: "Cancellation with Done Channel".
//
// The consumer takes two squares of a generator that never ends, then closes `done`. Notice: one close reaches every
// stage, because a receive from a closed channel always succeeds; and a stage that may be stuck in a send has to
// watch `done` there. cancel_context.cpp is the same program with less to write.

#include <iostream>

#include <tenon/tenon.hpp>

// [snippet]
using done_chan = tenon::recv_chan<void>;

tenon::recv_chan<int> sq(tenon::wait_group& stages, done_chan done, tenon::recv_chan<int> in) {
  const auto out = tenon::make_chan<int>();
  stages.go([done, in, tx = tenon::sender(out)] {
    for (int n : in) {
      switch (tenon::select(tenon::send(tx.channel(), n * n), tenon::recv(done))) {
        case 0: break;
        case 1: return;
      }
    }
  });
  return out;
}
// [/snippet]

tenon::recv_chan<int> count(tenon::wait_group& stages, done_chan done) {
  const auto out = tenon::make_chan<int>();
  stages.go([done, tx = tenon::sender(out)] {
    for (int n = 1; tenon::select(tenon::send(tx.channel(), n), tenon::recv(done)) == 0; ++n) {
    }
  });
  return out;
}

int main() {
  tenon::run([](tenon::context) {
    tenon::wait_group stages;
    const auto done = tenon::make_chan<void>();
    const auto squares = sq(stages, done, count(stages, done));
    for (int i = 0; i < 2; ++i) std::cout << *squares.recv() << '\n';
    done.close();
    stages.wait();
    std::cout << "every stage has ended\n";
  });
}
