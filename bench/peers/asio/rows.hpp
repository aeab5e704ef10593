#pragma once

/// The rows of bench/README.md that fit Boost.Asio. Each does n operations and checks their result.

#include <cstdint>
#include <functional>

#include "../../micro/harness.hpp"

namespace bench::asio {

// spawn.cpp
inline constexpr std::int64_t batch_size = 1000;
inline constexpr std::int64_t group_size = 100;
void yield(std::int64_t n);
void spawn_join(std::int64_t n);
void spawn_batch(std::int64_t n);
void group_100(std::int64_t n);

// channel.cpp
inline constexpr std::int64_t fan_in = 100;
void unbuffered(std::int64_t n);
void ping_pong(std::int64_t n);
void buffered_128(std::int64_t n);
void buffered_uncontended(std::int64_t n);
void mpmc_4x4(std::int64_t n);
void chan_64(std::int64_t n);
void chan_1k(std::int64_t n);
void chan_ptr(std::int64_t n);
void fan_in_100(std::int64_t n);

// select.cpp
void select_2(std::int64_t n);
void select_default(std::int64_t n);

// timer.cpp
void timer_start_stop(std::int64_t n);
template <std::int64_t Pending>
void among_timers(const std::function<void()>& measured);
measurement ticker_load(nanoseconds target);
template <int PerThousand>
measurement wake(nanoseconds target);

// patterns.cpp
template <std::int64_t Size>
void ring(std::int64_t n);
void pipeline_10(std::int64_t n);
void sieve_range(std::int64_t n);
void skynet_1m(std::int64_t n);
inline unsigned sorters = 1;  // how many threads quicksort_1m has
void quicksort_1m(std::int64_t n);

}  // namespace bench::asio
