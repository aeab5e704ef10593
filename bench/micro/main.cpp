/// tenon_bench measures tenon at the rows that bench/README.md defines, what idling costs, and how much of a second
/// core the machine gives.

#include <tenon/run.hpp>

#include "harness.hpp"
#include "rows.hpp"

namespace bench {
namespace {

constexpr row rows[] = {
    {.name = "spawn_join", .body = spawn_join, .count = 300'000},
    {.name = "spawn_batch", .body = spawn_batch, .multiple = batch_size},
    {.name = "yield", .body = yield, .multiple = 2, .count = 2'000'000, .one_worker = true},
    {.name = "unbuffered", .body = unbuffered},
    {.name = "ping_pong", .body = ping_pong},
    {.name = "buffered_128", .body = buffered_128},
    {.name = "buffered_uncontended", .body = buffered_uncontended},
    {.name = "mpmc_4x4", .body = mpmc_4x4, .multiple = 4},
    {.name = "select_2", .body = select_2, .multiple = 2},
    {.name = "select_default", .body = select_default},
    {.name = "mutex_uncontended", .body = mutex_uncontended},
    {.name = "mutex_contended", .body = mutex_contended<contenders, 0>, .multiple = contenders},
    {.name = "context_cancel", .body = context_cancel},
    {.name = "timer_start_stop", .body = timer_start_stop},
    {.name = "ring_1000", .body = ring<1000>, .multiple = 1000},
    {.name = "sieve_500", .body = sieve_500, .whole = 500},
    {.name = "skynet_1m", .body = skynet_1m, .whole = 1'000'000},
    // The core rows end here.
    {.name = "select_8", .body = select_wide<8>, .multiple = 8},
    {.name = "select_64", .body = select_wide<64>, .multiple = 64},
    {.name = "select_send", .body = select_send, .multiple = 2},
    {.name = "unbuffered_ctx", .body = unbuffered_ctx},
    {.name = "buffered_ctx", .body = buffered_ctx},
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
    {.name = "context_tree_10", .body = context_tree<10>, .multiple = 10},
    {.name = "context_tree_100", .body = context_tree<100>, .multiple = 100},
    {.name = "context_tree_1000", .body = context_tree<1000>, .multiple = 1000},
    {.name = "context_tree_10k", .body = context_tree<10'000>, .multiple = 10'000},
    {.name = "context_depth_100", .body = context_depth, .multiple = tree_depth},
    {.name = "context_poll", .body = context_poll},
    {.name = "timers_1k", .body = timer_start_stop, .around = among_timers<1000>},
    {.name = "timers_1m", .body = timer_start_stop, .around = among_timers<1'000'000>},
    {.name = "ticker_load", .own = ticker_load},
    {.name = "ring_100", .body = ring<100>, .multiple = 100},
    {.name = "ring_10k", .body = ring<10'000>, .multiple = 10'000},
    {.name = "ring_100k", .body = ring<100'000>, .multiple = 100'000},
    {.name = "park_100", .body = park<100>, .multiple = 100},
    {.name = "park_1000", .body = park<1000>, .multiple = 1000},
    {.name = "park_10k", .body = park<10'000>, .multiple = 10'000},
    {.name = "park_100k", .body = park<100'000>, .multiple = 100'000},
    {.name = "park_1m", .body = park<1'000'000>, .multiple = 1'000'000},
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

void run(const row&, unsigned workers, const std::function<void()>& f) {
  tenon::run([&f](const tenon::context&) { f(); }, {.workers = workers});
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  const std::span<const char* const> args(argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0));
  if (!args.empty() && std::string_view(args[0]) == "idle") return bench::idle(args.subspan(1));
  if (args.size() == 1 && std::string_view(args[0]) == "control") return bench::control();
  return bench::run_command_line("tenon_bench", args, bench::rows, bench::run);
}
