/// tenon_peer_threads measures what C++ itself has, threads and what makes them wait, at the rows that bench/README.md
/// defines.

#include <sched.h>

#include "rows.hpp"

namespace bench::threads {
namespace {

constexpr row rows[] = {
    {.name = "yield", .body = yield, .multiple = 2, .one_worker = true},
    {.name = "spawn_join", .body = spawn_join},
    {.name = "spawn_batch", .body = spawn_batch, .multiple = batch_size},
    {.name = "unbuffered", .body = unbuffered},
    {.name = "ping_pong", .body = ping_pong},
    {.name = "buffered_128", .body = buffered_128},
    {.name = "buffered_uncontended", .body = buffered_uncontended},
    {.name = "mpmc_4x4", .body = mpmc_4x4, .multiple = 4},
    {.name = "mutex_uncontended", .body = mutex_uncontended},
    {.name = "mutex_contended", .body = mutex_contended<contenders, 0>, .multiple = contenders},
    {.name = "ring_1000", .body = ring<1000>, .multiple = 1000},
    // The core rows end here.
    {.name = "chan_64", .body = chan_64},
    {.name = "chan_1k", .body = chan_1k},
    {.name = "chan_ptr", .body = chan_ptr},
    {.name = "fan_in_100", .body = fan_in_100, .multiple = fan_in},
    {.name = "mutex_2_0", .body = mutex_contended<2, 0>, .multiple = 2},
    {.name = "mutex_2_100", .body = mutex_contended<2, 100>, .multiple = 2},
    {.name = "mutex_2_1000", .body = mutex_contended<2, 1000>, .multiple = 2},
    {.name = "mutex_8_0", .body = mutex_contended<8, 0>, .multiple = 8},
    {.name = "mutex_8_100", .body = mutex_contended<8, 100>, .multiple = 8},
    {.name = "mutex_8_1000", .body = mutex_contended<8, 1000>, .multiple = 8},
    {.name = "mutex_64_0", .body = mutex_contended<64, 0>, .multiple = 64},
    {.name = "mutex_64_100", .body = mutex_contended<64, 100>, .multiple = 64},
    {.name = "mutex_64_1000", .body = mutex_contended<64, 1000>, .multiple = 64},
    {.name = "rwmutex_90_10", .body = rwmutex_90_10, .multiple = 10 * contenders},
    {.name = "cond_ping_pong", .body = cond_ping_pong},
    {.name = "semaphore_4", .body = semaphore_4, .multiple = contenders},
    {.name = "group_100", .body = group_100, .multiple = group_size},
    {.name = "context_poll", .body = context_poll},
    {.name = "ticker_load", .own = ticker_load},
    {.name = "ring_100", .body = ring<100>, .multiple = 100},
    {.name = "pipeline_10", .body = pipeline_10},
    {.name = "parallel_transform", .body = parallel_transform},
    {.name = "quicksort_1m", .body = quicksort_1m, .whole = 1'000'000},
    {.name = "sieve_range", .body = sieve_range, .whole = 500},
    {.name = "wake_p50", .own = wake<500>},
    {.name = "wake_p99", .own = wake<990>},
    {.name = "wake_p999", .own = wake<999>},
    {.name = "hog_wake_p50", .own = wake<500>, .around = beside_a_hog},
    {.name = "hog_wake_p99", .own = wake<990>, .around = beside_a_hog},
    {.name = "hog_wake_p999", .own = wake<999>, .around = beside_a_hog},
    {.name = "hog_ping_pong", .body = ping_pong, .around = beside_a_hog},
};

/// The kernel is the scheduler: its workers are the processors that this process may use.
void use_processors(unsigned count) {
  cpu_set_t usable;
  if (sched_getaffinity(0, sizeof usable, &usable) != 0) return;
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &usable)) continue;
    if (count == 0) {
      CPU_CLR(cpu, &usable);
    } else {
      --count;
    }
  }
  sched_setaffinity(0, sizeof usable, &usable);
}

void run(const row&, unsigned workers, const std::function<void()>& f) {
  use_processors(workers);
  f();
}

}  // namespace
}  // namespace bench::threads

int main(int argc, char** argv) {
  return bench::run_command_line("tenon_peer_threads", {argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0)},
                                 bench::threads::rows, bench::threads::run);
}
