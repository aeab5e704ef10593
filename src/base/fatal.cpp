#include "base/fatal.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <tenon/detail/atomic.hpp>
#include <tenon/panic.hpp>

namespace tenon {

namespace {
// Released when it is set, by a layer above that is ready then; acquired where it is called.
detail::atomic<dump_hook> dump{nullptr};
detail::atomic<dump_hook> meanwhile{nullptr};
detail::atomic<dump_hook> failures{nullptr};
detail::atomic<last_words_hook> last_words{nullptr};
detail::atomic<calls_hook> calls{nullptr};
detail::atomic<calls_hook> place{nullptr};
detail::atomic<bool> dying{false};
thread_local bool reports = false;  // this thread does

void put(const char* s) noexcept {
  std::size_t left = std::strlen(s);
  while (left > 0) {
    const ssize_t n = ::write(STDERR_FILENO, s, left);
    if (n <= 0) return;
    s += n;
    left -= static_cast<std::size_t>(n);
  }
}
}  // namespace

void set_dump_hook(dump_hook hook) noexcept { dump.store(hook, std::memory_order_release); }

void set_meanwhile_hook(dump_hook hook) noexcept { meanwhile.store(hook, std::memory_order_release); }

void set_last_words_hook(last_words_hook hook) noexcept { last_words.store(hook, std::memory_order_release); }

void print_last_words(bool crashed) noexcept {
  if (last_words_hook hook = last_words.load(std::memory_order_acquire)) hook(crashed);
}

void set_failures_hook(dump_hook hook) noexcept { failures.store(hook, std::memory_order_release); }

void set_calls_hooks(calls_hook describe, calls_hook of_place) noexcept {
  calls.store(describe, std::memory_order_release);
  place.store(of_place, std::memory_order_release);
}

namespace {
std::string addresses(const void* const* pcs, unsigned n) {
  std::string text;
  for (unsigned i = 0; i < n; ++i) {
    char line[32];
    std::snprintf(line, sizeof line, "%p\n", pcs[i]);
    text += line;
  }
  return text;
}
}  // namespace

std::string describe_calls(const void* const* pcs, unsigned n) {
  if (calls_hook hook = calls.load(std::memory_order_acquire)) return hook(pcs, n);
  return addresses(pcs, n);
}

std::string place_of_calls(const void* const* pcs, unsigned n) {
  if (calls_hook hook = place.load(std::memory_order_acquire)) return hook(pcs, n);
  return addresses(pcs, n < 1 ? n : 1);
}

void print_report(const char* text) noexcept { put(text); }

void die_with_dump(const char* text, int status) noexcept {
  // One thread reports; the others wait for it to end the process. One that dies of its report has none to wait for.
  if (dying.exchange(true, std::memory_order_relaxed)) {
    if (reports) ::_exit(status);
    if (dump_hook hook = meanwhile.load(std::memory_order_acquire)) hook();
    for (;;) ::pause();
  }
  reports = true;
  put(text);
  put("\n");
  if (dump_hook hook = failures.load(std::memory_order_acquire)) hook();
  if (dump_hook hook = dump.load(std::memory_order_acquire)) hook();
  print_last_words(false);
  ::_exit(status);
}

void fatal(const char* text) noexcept {
  char line[512];
  std::snprintf(line, sizeof line, "fatal error: %s", text);
  die_with_dump(line);
}

void throw_panic(const char* text) { throw panic(text); }

void assert_failed(const char* what, const char* file, int line) noexcept {
  char text[512];
  std::snprintf(text, sizeof text, "tenon: internal invariant broken: %s (%s:%d)", what, file, line);
  fatal(text);
}

}  // namespace tenon
