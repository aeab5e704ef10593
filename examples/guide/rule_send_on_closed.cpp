// Guide: "Rules", 6: sends on closed channels panic.
//
// Notice: a `panic` is an exception with Go's text. It unwinds the goroutine and comes out of `join`, or of the
// group's `wait`, so that the owner sees it. The last part is how it cannot happen: close after the senders have been
// joined.

#include <iostream>

#include <tenon/tenon.hpp>

namespace tn = tenon;

template <class F>
void attempt(const char* what, F&& f) {
  try {
    f();
    std::cout << what << ": fine\n";
  } catch (const tn::panic& p) {
    std::cout << what << ": " << p.what() << '\n';
  }
}

int main() {
  return tn::run([] {
    const auto c = tn::make_chan<int>();
    c.close();
    // [snippet]
    attempt("send", [&] { c.send(1); });
    attempt("send in a select", [&] { tn::select(tn::send(c, 1), tn::otherwise); });
    attempt("send in a goroutine", [&] { tn::go([&] { c.send(1); }).join(); });
    attempt("second close", [&] { c.close(); });
    attempt("close of nil", [] { tn::chan<int>().close(); });

    attempt("close after the senders", [] {
      const auto results = tn::make_chan<int>(3, "three senders, one value each");
      tn::wait_group senders;
      for (int i = 0; i < 3; ++i) senders.go([&results, i] { results.send(i); });
      senders.wait();
      results.close();
    });
    // [/snippet]
  });
}
