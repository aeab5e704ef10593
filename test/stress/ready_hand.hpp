#pragma once

/// Somebody who stands ready to do one thing at a time, at the very moment when it is asked: for two who race.
///
///     ready_hand hand(hand_kind::thread);
///     hand.ask([&] { scope.cancel(); });
///     …                                    // at the same time
///     hand.await();

#include <atomic>
#include <functional>
#include <optional>
#include <thread>
#include <utility>

#include <tenon/blocking.hpp>
#include <tenon/go.hpp>
#include <tenon/yield.hpp>

namespace tenon_test {

enum class hand_kind { goroutine, thread };

/// Never asleep: it looks again and again, and gives its turn away in between. Nothing in it wakes anybody.
class ready_hand {
 public:
  explicit ready_hand(hand_kind kind) {
    if (kind == hand_kind::thread) {
      thread_ = std::thread([this] { serve(); });
    } else {
      goroutine_ = tenon::go([this] { serve(); });
    }
  }
  ready_hand(const ready_hand&) = delete;
  ready_hand& operator=(const ready_hand&) = delete;
  ~ready_hand() {
    await();
    stop_.store(true, std::memory_order_release);
    if (thread_.joinable()) tenon::blocking([this] { thread_.join(); });
    if (goroutine_.joinable()) goroutine_.wait();
  }

  void ask(std::function<void()> what) {
    await();
    what_ = std::move(what);
    asked_.fetch_add(1, std::memory_order_release);
  }
  void await() const noexcept {
    while (done_.load(std::memory_order_acquire) != asked_.load(std::memory_order_relaxed)) tenon::yield();
  }

 private:
  void serve() {
    for (;;) {
      while (asked_.load(std::memory_order_acquire) == done_.load(std::memory_order_relaxed)) {
        if (stop_.load(std::memory_order_acquire)) return;
        tenon::yield();
      }
      what_();
      done_.fetch_add(1, std::memory_order_release);
    }
  }

  std::function<void()> what_;
  std::atomic<unsigned> asked_{0};
  std::atomic<unsigned> done_{0};
  std::atomic<bool> stop_{false};
  tenon::goroutine<> goroutine_;
  std::thread thread_;
};

}  // namespace tenon_test
