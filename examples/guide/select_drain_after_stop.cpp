// Guide: "Select Chooses Randomly", the second fix: several producers, drain after the stop.
//
// Notice: the stop is given when the producers have been joined, so what it finds in the channel is all that there
// will ever be, and a loop that never blocks reads it to the end.

#include <iostream>

#include <tenon/tenon.hpp>

namespace tn = tenon;

// [snippet]
int consume(tn::recv_chan<int> messages, tn::recv_chan<void> stop) {
  auto message = tn::recv(messages);
  auto stopped = tn::recv(stop);
  int processed = 0;
  for (;; ++processed) {
    tn::select(message, stopped);
    if (stopped) break;
  }
  while (messages.try_recv()) ++processed;  // drain
  return processed;
}
// [/snippet]

int main() {
  return tn::run([](tn::group& root) -> tn::error {
    constexpr int producers = 4;
    constexpr int each = 5;
    bool lost = false;
    for (int trial = 0; trial < 100; ++trial) {
      const auto messages = tn::make_chan<int>(producers * each, "holds all that are ever sent");
      const auto stop = tn::make_chan<void>();
      auto consumer = tn::go(consume, messages, stop);
      tn::group sending(root.ctx());
      sending.go_n(producers, [messages] {
        for (int i = 0; i < each; ++i) messages.send(i);
      });
      if (tn::error e = sending.wait()) return e;
      stop.close();
      lost |= consumer.join() < producers * each;
    }
    std::cout << (lost ? "messages were lost\n" : "every message arrived\n");
    return nullptr;
  });
}
