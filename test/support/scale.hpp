#pragma once

/// How much work a test does: tests size their loops by `scaled`, and the number of goroutines that live at once by
/// `max_goroutines`.
///
/// Environment: TENON_TEST_SCALE is a factor (default 1; builds that run slowly set a small one), TENON_TEST_SMALL=1 is
/// short for a tenth, TENON_TEST_LONG=1 for ten times. They multiply.

#include <chrono>
#include <cstddef>
#include <vector>

namespace tenon_test {

/// The factor; positive.
[[nodiscard]] double scale();

/// `n` times the factor, but not less than `at_least`.
[[nodiscard]] std::size_t scaled(std::size_t n, std::size_t at_least = 1);

/// True where a ThreadSanitizer build watches.
[[nodiscard]] bool under_thread_sanitizer() noexcept;

/// How many goroutines a test may have alive at once. ThreadSanitizer counts each one as a thread and has room for some
/// thousands only: a limit of that tool, not of tenon.
[[nodiscard]] std::size_t max_goroutines() noexcept;

/// `n` scaled: how many goroutines a test has alive at once, where the number matters less than that they are many.
[[nodiscard]] std::size_t scaled_goroutines(std::size_t n);

/// `n` scaled: how many goroutines a test makes one after the other. ThreadSanitizer takes a millisecond for each.
[[nodiscard]] std::size_t scaled_spawns(std::size_t n);

/// How many workers a test under load is tried with, one number after the other: 1, 2 and 8; with `./run check stress --long` 64, too.
[[nodiscard]] std::vector<unsigned> worker_counts();

/// How long a test goes on that is about a length of time: 6 s, scaled, so a minute with TENON_TEST_LONG.
[[nodiscard]] std::chrono::milliseconds churn_time();

}  // namespace tenon_test
