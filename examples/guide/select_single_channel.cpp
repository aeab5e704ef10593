// Guide: "Select Chooses Randomly", the first fix: one producer, one channel.
//
// Notice: the end is the last thing in the channel that carries the messages, so it cannot overtake them. A `recv`
// gives `nullopt` only when the channel is closed *and* drained; there is nothing left to select.

#include <iostream>

#include <tenon/tenon.hpp>

// [snippet]
int consume(tenon::recv_chan<int> messages) {
  int processed = 0;
  while (messages.recv()) ++processed;
  return processed;
}
// [/snippet]

int main() {
  tenon::run([](tenon::context) {
    constexpr int sent = 10;
    bool lost = false;
    for (int trial = 0; trial < 100; ++trial) {
      const auto messages = tenon::make_chan<int>(sent, "holds all that are ever sent");
      auto producer = tenon::go([tx = tenon::sender(messages)] {
        for (int i = 0; i < sent; ++i) tx.send(i);
      });
      lost |= consume(messages) < sent;
      producer.join();
    }
    std::cout << (lost ? "messages were lost\n" : "every message arrived\n");
  });
}
