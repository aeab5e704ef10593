// Guide: "Direction in Signatures".
//
// A signature says what a function may do with a channel. Notice: a `chan` becomes the direction that is asked for by
// itself, and what the direction forbids does not compile. The goroutines need an owner, so that is a parameter, too.

#include <iostream>

#include <tenon/tenon.hpp>

namespace tn = tenon;

// [snippet]
tn::recv_chan<int> producer(tn::group& g) {
  return g.produce<int>([](tn::sender<int>& out) {
    for (int n = 1; n <= 4; ++n) out.send(n);
  });  // the caller can receive, and nothing else
}

tn::recv_chan<int> pipe(tn::group& g, tn::recv_chan<int> in) {
  return g.produce<int>([=](tn::sender<int>& out) {
    for (int n : in) out.send(n + 100);
  });
}

int consumer(tn::recv_chan<int> in) {
  int sum = 0;
  for (int n : in) sum += n;
  // in.send(1);   error: 'class tenon::recv_chan<int>' has no member named 'send'
  // in.close();   error: 'class tenon::recv_chan<int>' has no member named 'close'
  return sum;
}
// [/snippet]

// The claims of the comments above, held by the compiler. test/compile_fail has the messages.
template <class C>
concept can_send = requires(C c) { c.send(1); };
template <class C>
concept can_close = requires(C c) { c.close(); };
template <class C>
concept can_receive = requires(C c) { c.recv(); };
static_assert(can_receive<tn::recv_chan<int>> && !can_send<tn::recv_chan<int>> && !can_close<tn::recv_chan<int>>);
static_assert(!can_receive<tn::send_chan<int>> && can_send<tn::send_chan<int>> && can_close<tn::send_chan<int>>);
static_assert(!can_receive<tn::sender<int>> && can_send<tn::sender<int>> && !can_close<tn::sender<int>>);

int main() {
  return tn::run([](tn::group& g) { std::cout << "sum " << consumer(pipe(g, producer(g))) << '\n'; });
}
