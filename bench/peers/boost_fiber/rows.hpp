#pragma once

/// The rows of bench/README.md that Boost.Fiber has. Each does n operations and checks their result.

#include <cstdint>

namespace bench::boost_fiber {

// spawn.cpp
inline constexpr std::int64_t batch_size = 1000;
void yield(std::int64_t n);
void spawn_join(std::int64_t n);
void spawn_batch(std::int64_t n);

// channel.cpp
void unbuffered(std::int64_t n);
void ping_pong(std::int64_t n);
void buffered_128(std::int64_t n);
void buffered_uncontended(std::int64_t n);
void mpmc_4x4(std::int64_t n);

// mutex.cpp
inline constexpr std::int64_t contenders = 8;
void mutex_uncontended(std::int64_t n);
void mutex_contended(std::int64_t n);

// patterns.cpp
inline constexpr std::int64_t ring_size = 1000;
void ring_1000(std::int64_t n);
void sieve_range(std::int64_t n);
void skynet_1m(std::int64_t n);

}  // namespace bench::boost_fiber
