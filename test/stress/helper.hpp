#pragma once

/// A goroutine or thread that stands ready to do one thing at a time, at the very moment when it is asked: for two who race.
///
///     helper hand(helper_kind::thread);
///     hand.ask([&] { scope.cancel(); });
///     …                                    // at the same time
///     hand.await();

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>
#include <utility>

#include <tenon/blocking.hpp>
#include <tenon/go.hpp>
#include <tenon/sleep_for.hpp>
#include <tenon/yield.hpp>

namespace tenon_test {

enum class helper_kind { goroutine, thread };

/// For some tens of microseconds it looks again and again. Then it rests, without tenon, so that whoever needs the processor gets it: the
/// threads on a futex, the goroutines on their timer.
class helper {
 public:
  explicit helper(helper_kind kind) : on_thread_(kind == helper_kind::thread) {
    if (kind == helper_kind::thread) {
      thread_ = std::thread([this] { serve(); });
    } else {
      goroutine_ = tenon::go([this] { serve(); });
    }
  }
  helper(const helper&) = delete;
  helper& operator=(const helper&) = delete;
  ~helper() {
    await();
    asked_.store(the_end, std::memory_order_release);
    asked_.notify_one();
    if (thread_.joinable()) tenon::blocking([this] { thread_.join(); });
    if (goroutine_.joinable()) goroutine_.wait();
  }

  void ask(std::function<void()> what) {
    await();
    what_ = std::move(what);
    asked_.fetch_add(1, std::memory_order_release);
    if (on_thread_) asked_.notify_one();
  }
  void await() const {
    for (unsigned looks = 1; done_.load(std::memory_order_acquire) != asked_.load(std::memory_order_relaxed); ++looks) {
      rest(looks);
    }
  }

 private:
  static constexpr std::chrono::microseconds patience{50};

  static void rest(unsigned looks) {
    if (looks % 256 == 0) {
      tenon::sleep_for(patience);
    } else {
      tenon::yield();
    }
  }

  void serve() {
    for (unsigned served = 0;; ++served) {
      if (!await_question(served)) return;
      what_();
      done_.store(served + 1, std::memory_order_release);
    }
  }

  bool await_question(unsigned served) {
    const auto patient_until = std::chrono::steady_clock::now() + patience;
    for (unsigned looks = 1;; ++looks) {
      const unsigned asked = asked_.load(std::memory_order_acquire);
      if (asked == the_end) return false;
      if (asked != served) return true;
      if (!on_thread_) {
        rest(looks);
      } else if (std::chrono::steady_clock::now() > patient_until) {
        asked_.wait(asked, std::memory_order_acquire);
      }
    }
  }

  static constexpr unsigned the_end = ~0U;
  const bool on_thread_;
  std::function<void()> what_;
  std::atomic<unsigned> asked_{0};  // how often
  std::atomic<unsigned> done_{0};
  tenon::goroutine<> goroutine_;
  std::thread thread_;
};

}  // namespace tenon_test
