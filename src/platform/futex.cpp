#include "platform/futex.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <ctime>

#include <tenon/detail/atomic.hpp>

#include "platform/compiler.hpp"

namespace tenon::futex {

namespace {
long call(detail::atomic<std::uint32_t>& word, int op, std::uint32_t value, const timespec* timeout) noexcept {
  return ::syscall(SYS_futex, detail::address_of(word), op | FUTEX_PRIVATE_FLAG, value, timeout, nullptr, 0);
}
}  // namespace

void wait(detail::atomic<std::uint32_t>& word, std::uint32_t expected, std::int64_t timeout_ns) noexcept {
#if defined(TENON_MODEL)
  if (model::modelled()) return model::futex_wait(word.self(), expected, timeout_ns);
#endif
  // ThreadSanitizer keeps a signal's handler back until the thread calls something that it intercepts; a bare system call is not.
  constexpr std::int64_t look_up = 20'000'000;
  if (under_tsan && (timeout_ns < 0 || timeout_ns > look_up)) timeout_ns = look_up;
  timespec span{};
  span.tv_sec = static_cast<time_t>(timeout_ns / 1'000'000'000);
  span.tv_nsec = static_cast<long>(timeout_ns % 1'000'000'000);
  call(word, FUTEX_WAIT, expected, timeout_ns < 0 ? nullptr : &span);
  if (under_tsan) ::usleep(0);
}

void wake_one(detail::atomic<std::uint32_t>& word) noexcept {
#if defined(TENON_MODEL)
  if (model::modelled()) return model::futex_wake(word.self(), false);
#endif
  call(word, FUTEX_WAKE, 1, nullptr);
}

void wake_all(detail::atomic<std::uint32_t>& word) noexcept {
#if defined(TENON_MODEL)
  if (model::modelled()) return model::futex_wake(word.self(), true);
#endif
  call(word, FUTEX_WAKE, INT_MAX, nullptr);
}

}  // namespace tenon::futex
