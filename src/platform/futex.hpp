#pragma once

// Sleeping in the kernel until a word changes.

#include <cstdint>

#include <tenon/detail/atomic.hpp>

namespace tenon::futex {

/// Sleeps while `word` holds `expected`; returns on a wake, a change, a signal or after `timeout_ns` (negative: never).
void wait(detail::atomic<std::uint32_t>& word, std::uint32_t expected, std::int64_t timeout_ns = -1) noexcept;
/// Async-signal-safe.
void wake_one(detail::atomic<std::uint32_t>& word) noexcept;
void wake_all(detail::atomic<std::uint32_t>& word) noexcept;

}  // namespace tenon::futex
