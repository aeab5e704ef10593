// Guide: "Size: Zero or One", a larger buffer and its justification.
//
// Three replicas are asked, and the first answer is good enough. Notice: the buffer has a place for every replica,
// and each sends once, so no send can ever block, and the two that come late end without a reader. The reason is an
// argument: `make_chan` takes it, and a dump prints it beside the channel. Unbuffered, this program would be a
// deadlock.

#include <iostream>
#include <string>

#include <tenon/tenon.hpp>

namespace tn = tenon;

std::string lookup(int replica) { return replica >= 0 ? "oak" : ""; }

int main() {
  return tn::run([](tn::group& root) -> tn::error {
    // [snippet]
    constexpr int replicas = 3;
    const auto answers = tn::make_chan<std::string>(replicas, "each replica answers once");

    tn::group asked(root.ctx());
    asked.go_n(replicas, [answers](int i) { answers.send(lookup(i)); });
    std::cout << "the first answer: " << *answers.recv() << '\n';
    if (tn::error e = asked.wait()) return e;  // none of them is stuck
    // [/snippet]
    std::cout << "came too late: " << answers.len() << " of " << answers.cap() << '\n';
    return nullptr;
  });
}
