// Guide: "Select Chooses Randomly", the second fix: several producers, drain after the stop.
//
// Notice: the stop is given when the producers have been joined, so what it finds in the channel is all that there
// will ever be, and a loop that never blocks reads it to the end.

#include <iostream>

#include <tenon/tenon.hpp>

// [snippet]
int consume(tenon::recv_chan<int> messages, tenon::recv_chan<void> stop) {
  int processed = 0;
  for (;;) {
    switch (tenon::select(tenon::recv(messages), tenon::recv(stop))) {
      case 0: ++processed; break;
      case 1:
        while (messages.try_recv()) ++processed;  // drain
        return processed;
    }
  }
}
// [/snippet]

int main() {
  tenon::run([](tenon::context) {
    constexpr int producers = 4;
    constexpr int each = 5;
    bool lost = false;
    for (int trial = 0; trial < 100; ++trial) {
      const auto messages = tenon::make_chan<int>(producers * each, "holds all that are ever sent");
      const auto stop = tenon::make_chan<void>();
      auto consumer = tenon::go(consume, messages, stop);
      tenon::wait_group sending;
      for (int p = 0; p < producers; ++p) {
        sending.go([&messages] {
          for (int i = 0; i < each; ++i) messages.send(i);
        });
      }
      sending.wait();
      stop.close();
      lost |= consumer.join() < producers * each;
    }
    std::cout << (lost ? "messages were lost\n" : "every message arrived\n");
  });
}
