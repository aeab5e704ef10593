// Guide: "Rules", 6: sends on closed channels panic.
//
// Notice: a `panic` is an exception with Go's text. It unwinds the goroutine and comes out of `join`, so that the
// owner sees it; unseen, it would end the program. The last part is how it cannot happen: close after the senders
// have been joined.

#include <iostream>

#include <tenon/tenon.hpp>

template <class F>
void attempt(const char* what, F&& f) {
  try {
    f();
    std::cout << what << ": fine\n";
  } catch (const tenon::panic& p) {
    std::cout << what << ": " << p.what() << '\n';
  }
}

int main() {
  tenon::run([](tenon::context) {
    const auto c = tenon::make_chan<int>();
    c.close();
    // [snippet]
    attempt("send", [&] { c.send(1); });
    attempt("send in a select", [&] { tenon::select(tenon::send(c, 1), tenon::otherwise); });
    attempt("send in a goroutine", [&] { tenon::go([&] { c.send(1); }).join(); });
    attempt("second close", [&] { c.close(); });
    attempt("close of nil", [] { tenon::chan<int>().close(); });
    // [/snippet]
    attempt("close after the senders", [] {
      const auto results = tenon::make_chan<int>(3, "three senders, one value each");
      tenon::wait_group senders;
      for (int i = 0; i < 3; ++i) senders.go([&results, i] { results.send(i); });
      senders.wait();
      results.close();
    });
  });
}
