// Guide: "Context-Based Cancellation (Primary)", when a goroutine does not listen.
//
// `refresh` was given a context and sleeps without it, so a stop does not reach it. Notice: nobody leaves it behind
// unseen. Its group waits for it, and the run has been told how long that may take: then tenon says what goes on, with
// what it waits for and where it was started, and exits with status 2.

#include <iostream>

#include <tenon/tenon.hpp>

namespace tn = tenon;
using namespace std::chrono_literals;

// [snippet]
void refresh(const tn::context& ctx) {
  do {
    tn::sleep_for(1h);  // the bug; tn::sleep_for(ctx, 1h) ends with ctx
  } while (!ctx.is_canceled());
}

int main() {
  const auto stop_early = [](tn::group& root) {
    root.go(refresh);
    std::cout << "stopping" << std::endl;  // flushed: the program ends in the middle
    root.cancel();
  };
  return tn::run(stop_early, {.grace = 20ms});
}
// [/snippet]
