#pragma once

/// Asserting that something waits, or that it comes about, without sleeping for a guessed time.
///
/// `eventually` waits for what must happen, as long as it takes. `settle` gives all others the chance to do what must *not* happen: it
/// returns when every other goroutine waits for something, also where the monitor has given the work of a worker that the kernel keeps
/// from running to a second one; after a while it returns in any case, for there may be one that only yields. OS threads have a fair chance.
/// Either way a correct library never fails such a test.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <utility>

#include <tenon/yield.hpp>

namespace tenon_test {

/// How long `eventually` waits before it gives up: a test that gets there has failed.
inline constexpr std::chrono::seconds eventually_limit{60};

/// Yields until `holds()` does; false if it never did.
template <class P>
[[nodiscard]] bool eventually(P&& holds) {
  const auto end = std::chrono::steady_clock::now() + eventually_limit;
  for (unsigned i = 1;; ++i) {
    if (holds()) return true;
    if (i % 256 == 0 && std::chrono::steady_clock::now() > end) return false;
    tenon::yield();
  }
}

/// Lets the others run, until all goroutines wait.
void settle() noexcept;

/// Waits until at least `n` goroutines wait, for whatever or for what dumps call `reason`, and have left their threads. A goroutine
/// or an OS thread may call it, before and after a run too; if it never comes about, the test hangs.
void await_waiting(std::uint64_t n, const char* reason = nullptr);

/// True while `flag` stays false although the others had their chance.
[[nodiscard]] inline bool stays_false(const std::atomic<bool>& flag) noexcept {
  settle();
  return !flag.load();
}

/// Does something once, after a number of steps, in the middle of what those who take the steps are doing: the moment of a
/// cancel or a close. `burn` it down from outside, too, for they may all have come to a halt before.
class trigger {
 public:
  trigger(std::uint64_t steps, std::function<void()> act)
      : left_(static_cast<std::int64_t>(steps)), act_(std::move(act)) {}
  void step() {
    if (left_.fetch_sub(1) == 0) act_();
  }
  void burn() {
    if (left_.exchange(-1) >= 0) act_();
  }
  [[nodiscard]] bool burnt() const noexcept { return left_.load() < 0; }

 private:
  std::atomic<std::int64_t> left_;
  std::function<void()> act_;
};

/// Waits until every one of them has burnt, or everybody had the chance to.
template <class... Fuses>
void burn_down(Fuses&... fuses) {
  for (int i = 0; i < 20 && !(fuses.burnt() && ...); ++i) tenon::yield();
  (fuses.burn(), ...);
}

enum class fate { blocks, returns, throws };

/// What `f` does that is never woken: runs it in a goroutine of a forked process, which ends with the answer and without
/// waiting for `f`. "blocks" is never certain: where another answer is expected it is given only after a long time. Call it
/// outside of `run`, in a process that has started no thread.
[[nodiscard]] fate fate_in_goroutine(const std::function<void()>& f, fate expected);

/// The same on a plain OS thread, without a `run`.
[[nodiscard]] fate fate_on_os_thread(const std::function<void()>& f, fate expected);

}  // namespace tenon_test
