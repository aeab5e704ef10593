/// tenon_peer_asio measures Boost.Asio's coroutines, channels and timers at the rows that bench/README.md defines.

#include "rows.hpp"

namespace bench::asio {
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
    {.name = "select_2", .body = select_2, .multiple = 2},
    {.name = "select_default", .body = select_default},
    {.name = "timer_start_stop", .body = timer_start_stop},
    {.name = "ring_1000", .body = ring<1000>, .multiple = 1000},
    {.name = "skynet_1m", .body = skynet_1m, .whole = 1'000'000},
    // The core rows end here.
    {.name = "chan_64", .body = chan_64},
    {.name = "chan_1k", .body = chan_1k},
    {.name = "chan_ptr", .body = chan_ptr},
    {.name = "fan_in_100", .body = fan_in_100, .multiple = fan_in},
    {.name = "group_100", .body = group_100, .multiple = group_size},
    {.name = "timers_1k", .body = timer_start_stop, .around = among_timers<1000>},
    {.name = "timers_1m", .body = timer_start_stop, .around = among_timers<1'000'000>},
    {.name = "ticker_load", .own = ticker_load},
    {.name = "ring_100", .body = ring<100>, .multiple = 100},
    {.name = "ring_10k", .body = ring<10'000>, .multiple = 10'000},
    {.name = "ring_100k", .body = ring<100'000>, .multiple = 100'000},
    {.name = "pipeline_10", .body = pipeline_10},
    {.name = "quicksort_1m", .body = quicksort_1m, .whole = 1'000'000},
    {.name = "sieve_range", .body = sieve_range, .whole = 500},
    {.name = "wake_p50", .own = wake<500>},
    {.name = "wake_p99", .own = wake<990>},
    {.name = "wake_p999", .own = wake<999>},
};

void run_row(const row&, unsigned workers, const std::function<void()>& f) {
  sorters = workers;
  f();
}

}  // namespace
}  // namespace bench::asio

int main(int argc, char** argv) {
  return bench::run_command_line("tenon_peer_asio", {argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0)},
                                 bench::asio::rows, bench::asio::run_row);
}
