#pragma once

/// Random numbers that a failing test can be given again.
///
///     TEST(Storm, Random) {
///       const tenon_test::seed_in_use seed;       // prints the seed if the test fails
///       tenon_test::random_source random(seed.of(worker));
///
/// The seed is fixed, so that every run does the same; TENON_TEST_SEED chooses another one.

#include <cstdint>
#include <limits>

namespace tenon_test {

/// A small fast generator (splitmix64); meets the standard's UniformRandomBitGenerator.
class random_source {
 public:
  using result_type = std::uint64_t;
  explicit random_source(std::uint64_t seed) noexcept : state_(seed) {}
  static constexpr result_type min() noexcept { return 0; }
  static constexpr result_type max() noexcept { return std::numeric_limits<result_type>::max(); }
  result_type operator()() noexcept {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }
  /// A number in [0, n).
  std::uint64_t below(std::uint64_t n) noexcept { return (*this)() % n; }
  bool one_in(std::uint64_t n) noexcept { return below(n) == 0; }

 private:
  std::uint64_t state_;
};

/// The seed of a test. Lives on the test's own thread; prints itself at its end if the test has failed.
class seed_in_use {
 public:
  explicit seed_in_use(std::uint64_t otherwise = 0x7e0707e5);
  seed_in_use(const seed_in_use&) = delete;
  seed_in_use& operator=(const seed_in_use&) = delete;
  ~seed_in_use();

  /// A seed of its own for each participant.
  [[nodiscard]] std::uint64_t of(std::uint64_t participant) const noexcept {
    return random_source(seed_ ^ (participant * 0xd1342543de82ef95U))();
  }

 private:
  std::uint64_t seed_;
};

}  // namespace tenon_test
