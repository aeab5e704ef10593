// Guide: "Nil Channels", for a send.
//
// A queue: it takes while it has room, and gives while it has something. Notice: the send is a case only while there is
// something to send, and the receive only while there is room. A channel that is nil makes a case that never fires; so
// does `disable`. Without the bound it would grow by as much as its producer is ahead, until the memory is used up.

#include <cstddef>
#include <deque>
#include <iostream>

#include <tenon/tenon.hpp>

namespace tn = tenon;

// [snippet]
tn::recv_chan<int> queue(tn::group& g, tn::recv_chan<int> in, std::size_t room) {
  return g.produce<int>([=](tn::sender<int>& out, tn::context ctx) {
    std::deque<int> waiting;
    auto take = tn::recv(in);
    auto give = tn::send(tn::chan<int>(), 0);  // nil: there is nothing to give yet
    auto stop = tn::recv(ctx.done());
    for (bool more = true; more || !waiting.empty();) {
      if (waiting.empty())
        give.disable();
      else
        give = tn::send(out, waiting.front());
      if (more && waiting.size() < room)
        take = tn::recv(in);
      else
        take.disable();
      tn::select(take, give, stop);
      if (stop) break;
      if (give) {
        waiting.pop_front();
      } else if (take.closed()) {
        more = false;
      } else {
        waiting.push_back(*take);
      }
    }
    return ctx.err();
  });
}
// [/snippet]

int main() {
  return tn::run([](tn::group& g) {
    const auto in = tn::make_chan<int>();
    const auto out = queue(g, in, 5);
    for (int n = 1; n <= 5; ++n) in.send(n);
    in.close();
    std::cout << "all sent, nothing received\n";
    for (int n : out) std::cout << n << '\n';
  });
}
