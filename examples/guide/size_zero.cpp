// Guide: "Size: Zero or One", the unbuffered channel.
//
// Without a buffer, a send and its receive are one event: nothing is ever under way. Notice: a `try_send` with nobody
// at the other end fails; and when `send` has returned, the receiver has come for the value, so that what it did
// before that is visible to the sender without a lock.

#include <iostream>

#include <tenon/tenon.hpp>

namespace tn = tenon;

int main() {
  return tn::run([] {
    std::cout << std::boolalpha;
    // [snippet]
    const auto handoff = tn::make_chan<int>();  // capacity 0
    std::cout << "taken with nobody there: " << handoff.try_send(1) << '\n';

    bool ready = false;
    auto receiver = tn::go([&] {
      ready = true;
      return *handoff.recv();
    });
    handoff.send(42);
    std::cout << "the receiver was ready: " << ready << '\n';  // the handoff orders the two uses
    std::cout << "under way: " << handoff.len() << '\n';
    // [/snippet]
    std::cout << "received: " << receiver.join() << '\n';
  });
}
