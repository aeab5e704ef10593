#pragma once

/// The rows of bench/README.md for which threads are a means. Each does n operations and checks their result.

#include <cstdint>
#include <functional>

#include "../../micro/harness.hpp"

namespace bench::threads {

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

// mutex.cpp
inline constexpr std::int64_t contenders = 8;
void mutex_uncontended(std::int64_t n);
template <std::int64_t Contenders, std::int64_t Inside>
void mutex_contended(std::int64_t n);
void rwmutex_90_10(std::int64_t n);
void cond_ping_pong(std::int64_t n);
void semaphore_4(std::int64_t n);

// patterns.cpp
template <std::int64_t Size>
void ring(std::int64_t n);
void pipeline_10(std::int64_t n);
void parallel_transform(std::int64_t n);
void sieve_range(std::int64_t n);
void quicksort_1m(std::int64_t n);

// time.cpp
void context_poll(std::int64_t n);
measurement ticker_load(nanoseconds target);
void beside_a_hog(const std::function<void()>& measured);
template <int PerThousand>
measurement wake(nanoseconds target);

}  // namespace bench::threads
