// Guide: "Select Chooses Randomly", the first fix: one producer, one channel.
//
// Notice: the end is the last thing in the channel that carries the messages, so it cannot overtake them. The loop
// ends only when the channel is closed *and* drained; there is nothing left to select.

#include <iostream>

#include <tenon/tenon.hpp>

namespace tn = tenon;

constexpr int sent = 10;

// [snippet]
tn::recv_chan<int> produce(tn::group& g) {
  return g.produce<int>(sent, "holds all that are ever sent", [](tn::sender<int>& messages) {
    for (int i = 0; i < sent; ++i) messages.send(i);
  });  // its end closes the channel
}

int consume(tn::recv_chan<int> messages) {
  int processed = 0;
  while (messages.recv()) ++processed;
  return processed;
}
// [/snippet]

int main() {
  return tn::run([](tn::group& g) {
    bool lost = false;
    for (int trial = 0; trial < 100; ++trial) lost |= consume(produce(g)) < sent;
    std::cout << (lost ? "messages were lost\n" : "every message arrived\n");
  });
}
