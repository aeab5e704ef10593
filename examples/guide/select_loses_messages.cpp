// Guide: "Select Chooses Randomly", the bug.
//
// A producer sends all its messages, then closes a second channel to say that it is gone. Notice: when both channels
// are ready, the `select` takes either, so the consumer may leave before it has read everything. tenon picks
// uniformly, as Go does, so that such a bug shows in the first minute and not in the first year. The next two
// programs are the ways out.

#include <iostream>

#include <tenon/tenon.hpp>

namespace tn = tenon;

// [snippet]
int consume(tn::recv_chan<int> messages, tn::recv_chan<void> disconnect) {
  auto message = tn::recv(messages);
  auto gone = tn::recv(disconnect);
  for (int processed = 0;; ++processed) {
    tn::select(message, gone);
    if (gone) return processed;  // the bug: `messages` may hold some more
  }
}
// [/snippet]

int main() {
  return tn::run([] {
    constexpr int sent = 10;
    bool lost = false;
    for (int trial = 0; trial < 100; ++trial) {
      const auto messages = tn::make_chan<int>(sent, "holds all that are ever sent");
      const auto disconnect = tn::make_chan<void>();
      auto producer = tn::go([=] {
        for (int i = 0; i < sent; ++i) messages.send(i);
        disconnect.close();
      });
      producer.join();
      lost |= consume(messages, disconnect) < sent;  // all ten by chance: once in 1024
    }
    std::cout << (lost ? "messages were lost\n" : "every message arrived\n");
  });
}
