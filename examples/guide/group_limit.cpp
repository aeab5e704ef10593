// Guide: "errgroup", with a limit.
//
// Seven jobs, two at a time; the fourth fails. Notice: `go` waits for room, so the loop advances as the jobs do; the
// failure cancels the job that sleeps, and those that start afterwards find their context canceled.

#include <atomic>
#include <iostream>

#include <tenon/tenon.hpp>

namespace tn = tenon;
using namespace std::chrono_literals;

std::atomic<int> done = 0;
std::atomic<int> given_up = 0;
std::atomic<int> active = 0;
std::atomic<int> too_many = 0;

tn::error job(const tn::context& ctx, int number) {
  if (++active > 2) ++too_many;
  tn::error result;
  if (number == 4) {
    result = tn::error("job 4 failed");
  } else if (tn::sleep_for(ctx, number < 3 ? 1ms : 1h)) {
    ++done;
  } else {
    ++given_up;
    result = ctx.err();
  }
  --active;
  return result;
}

int main() {
  return tn::run([](tn::context root) {
    // [snippet]
    tn::group g(root);
    g.set_limit(2);
    for (int number = 1; number <= 7; ++number) {
      g.go([number](tn::context ctx) { return job(ctx, number); });
    }
    std::cout << "failed: " << g.wait().message() << '\n';
    // [/snippet]
    std::cout << "done " << done << ", given up " << given_up << ", too many at a time " << too_many << '\n';
  });
}
