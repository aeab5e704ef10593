// Guide: "Cancellation with Done Channel".
//
// The consumer takes two squares of a generator that never ends, then closes `done`. Notice: one close reaches every
// stage, because a receive from a closed channel always succeeds; and a stage that may be stuck in a send has to
// watch `done` there. cancel_context.cpp is the same program with less to write.

#include <iostream>

#include <tenon/tenon.hpp>

namespace tn = tenon;

// [snippet]
tn::recv_chan<int> sq(tn::group& g, tn::recv_chan<void> done, tn::recv_chan<int> in) {
  return g.produce<int>([=](tn::sender<int>& out) {
    auto stop = tn::recv(done);
    for (int n : in) {
      auto next = tn::send(out, n * n);
      tn::select(next, stop);
      if (stop) return;
    }
  });
}
// [/snippet]

tn::recv_chan<int> count(tn::group& g, tn::recv_chan<void> done) {
  return g.produce<int>([=](tn::sender<int>& out) {
    auto stop = tn::recv(done);
    auto next = tn::send(out, 1);
    for (int n = 2;; ++n) {
      tn::select(next, stop);
      if (stop) return;
      next.set(n);
    }
  });
}

int main() {
  return tn::run([](tn::group& root) -> tn::error {
    // [snippet]
    tn::group stages(root.ctx());
    const auto done = tn::make_chan<void>();
    const auto squares = sq(stages, done, count(stages, done));
    for (int i = 0; i < 2; ++i) std::cout << *squares.recv() << '\n';
    done.close();
    if (tn::error e = stages.wait()) return e;
    // [/snippet]
    std::cout << "every stage has ended\n";
    return nullptr;
  });
}
