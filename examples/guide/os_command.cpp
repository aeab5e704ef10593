// Programs: what they print, how they end, and that they end with the context.
//
// Notice: no shell reads the words; a failure has the program's own last words and its exit status; the program that would run for ever is told to
// end when its second is over, and nothing of it is left when `run` returns.

#include <chrono>
#include <iostream>
#include <string>

#include <tenon/os/os.hpp>
#include <tenon/tenon.hpp>

namespace tn = tenon;
using namespace std::chrono_literals;

// [snippet]
tn::error tell(const tn::context& ctx) {
  auto sorted = tn::os::command(ctx, {"sort", "-u"}).output("pear\napple\npear\n");
  if (!sorted) return sorted.err();
  std::cout << *sorted;

  tn::error failure = tn::os::command(ctx, {"sh", "-c", "echo 'no such fruit' >&2; exit 3"}).output().err();
  std::cout << failure.message() << '\n';
  if (const auto how = tn::os::exit_status::of(failure)) std::cout << "code " << how->code() << '\n';

  tn::error late = tn::os::command(tn::within(ctx, 100ms), {"sleep", "1000"}, {.grace = 1s}).run();
  std::cout << late.message() << '\n';
  return nullptr;
}
// [/snippet]

int main() {
  return tn::run([](const tn::context& root) { return tell(root); });
}
