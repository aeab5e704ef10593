#pragma once

/// tenon at the rows of bench/README.md. Each does n operations and checks their result.

#include <cstdint>
#include <functional>
#include <span>

#include "harness.hpp"

namespace bench {

// yield.cpp
void yield(std::int64_t n);

// spawn.cpp
inline constexpr std::int64_t batch_size = 1000;
inline constexpr std::int64_t group_size = 100;
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
void unbuffered_ctx(std::int64_t n);
void buffered_ctx(std::int64_t n);
void chan_64(std::int64_t n);
void chan_1k(std::int64_t n);
void chan_ptr(std::int64_t n);
void fan_in_100(std::int64_t n);

// select.cpp
void select_2(std::int64_t n);
template <std::size_t Width>
void select_wide(std::int64_t n);
void select_send(std::int64_t n);
void select_default(std::int64_t n);

// mutex.cpp
inline constexpr std::int64_t contenders = 8;
void mutex_uncontended(std::int64_t n);
template <std::int64_t Contenders, std::int64_t Inside>
void mutex_contended(std::int64_t n);
void rwmutex_90_10(std::int64_t n);
void cond_ping_pong(std::int64_t n);
void semaphore_4(std::int64_t n);

// context.cpp
inline constexpr std::int64_t tree_depth = 100;
void context_cancel(std::int64_t n);
template <std::int64_t Width>
void context_tree(std::int64_t n);
void context_depth(std::int64_t n);
void context_poll(std::int64_t n);

// timer.cpp
void timer_start_stop(std::int64_t n);
template <std::int64_t Pending>
void among_timers(const std::function<void()>& measured);
measurement ticker_load(nanoseconds target);

// park.cpp
template <std::int64_t Size>
void park(std::int64_t n);

// wake.cpp
void beside_a_hog(const std::function<void()>& measured);
template <int PerThousand>
measurement wake(nanoseconds target);

// patterns.cpp
template <std::int64_t Size>
void ring(std::int64_t n);
void pipeline_10(std::int64_t n);
void parallel_transform(std::int64_t n);
void sieve_500(std::int64_t n);
void sieve_range(std::int64_t n);
void skynet_1m(std::int64_t n);
void quicksort_1m(std::int64_t n);

// idle.cpp: a command of its own, not a row
int idle(std::span<const char* const> args);

// control.cpp: the same, without tenon
int control();

}  // namespace bench
