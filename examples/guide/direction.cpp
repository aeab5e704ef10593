// Guide: "Direction in Signatures".
//
// A signature says what a function may do with a channel. Notice: a `chan` becomes the direction that is asked for by
// itself, and what the direction forbids does not compile. The goroutines need an owner, so that is a parameter, too.

#include <iostream>

#include <tenon/tenon.hpp>

// [snippet]
tenon::recv_chan<int> producer(tenon::wait_group& owner) {
  const auto out = tenon::make_chan<int>();
  owner.go([out = tenon::sender(out)] {
    for (int n = 1; n <= 4; ++n) out.send(n);
  });
  return out;  // the caller can receive, and nothing else
}

tenon::recv_chan<int> pipe(tenon::wait_group& owner, tenon::recv_chan<int> in) {
  const auto out = tenon::make_chan<int>();
  owner.go([in, out = tenon::sender(out)] {
    for (int n : in) out.send(n + 100);
  });
  return out;
}

int consumer(tenon::recv_chan<int> in) {
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
static_assert(can_receive<tenon::recv_chan<int>> && !can_send<tenon::recv_chan<int>>);
static_assert(!can_close<tenon::recv_chan<int>> && can_close<tenon::send_chan<int>>);
static_assert(can_send<tenon::send_chan<int>> && !can_receive<tenon::send_chan<int>>);

int main() {
  tenon::run([](tenon::context) {
    tenon::wait_group stages;
    std::cout << "sum " << consumer(pipe(stages, producer(stages))) << '\n';
  });
}
