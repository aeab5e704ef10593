#pragma once

/// Element types that watch what a channel does with them, and a record of what happened in which order.

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

namespace tenon_test {

/// Counts its living objects; a moved-from one is marked, so that reading it shows.
class counted {
 public:
  explicit counted(int value = 0) noexcept : value_(value) { ++living; }
  counted(const counted& other) noexcept : value_(other.value_) { ++living; }
  counted(counted&& other) noexcept : value_(std::exchange(other.value_, moved_from)) { ++living; }
  counted& operator=(const counted& other) noexcept = default;
  counted& operator=(counted&& other) noexcept {
    value_ = std::exchange(other.value_, moved_from);
    return *this;
  }
  ~counted() {
    value_ = destroyed;
    --living;
  }
  [[nodiscard]] int value() const noexcept { return value_; }
  friend bool operator==(const counted& a, const counted& b) noexcept { return a.value_ == b.value_; }

  static constexpr int moved_from = -1000001;
  static constexpr int destroyed = -1000002;
  static inline std::atomic<int> living = 0;

 private:
  int value_;
};

/// What happened, a letter each, in order. Goroutines that are let in together write to it at the same time.
class journal {
 public:
  void operator+=(char what) {
    const std::lock_guard hold(writing_);
    text_ += what;
  }
  [[nodiscard]] std::string text() const {
    const std::lock_guard hold(writing_);
    return text_;
  }

 private:
  mutable std::mutex writing_;  // never held across a wait
  std::string text_;
};

}  // namespace tenon_test
