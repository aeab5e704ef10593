#include "core/lock_report.hpp"

#include <cstdint>
#include <system_error>
#include <thread>

#include <tenon/detail/atomic.hpp>

#include "base/fatal.hpp"
#include "core/relock_check.hpp"
#include "platform/backtrace.hpp"
#include "sched/scheduler.hpp"

namespace tenon::detail {

namespace {

constexpr unsigned most_calls = 10;

struct calls {
  const void* pcs[most_calls];
  unsigned n = 0;
};

/// The places that have been reported: each once, and not for ever more of them. Relaxed: they order nothing.
class reported_places {
 public:
  enum class answer : std::uint8_t { fresh, last, known };

  answer add(std::uint64_t place) noexcept {
    for (std::size_t i = 0; i < most; ++i) {
      std::uint64_t there = places_[i].load(std::memory_order_relaxed);
      if (there == 0 && places_[i].compare_exchange_strong(there, place, std::memory_order_relaxed))
        return i + 1 == most ? answer::last : answer::fresh;
      if (there == place) return answer::known;
    }
    return answer::known;
  }

 private:
  static constexpr std::size_t most = 32;
  detail::atomic<std::uint64_t> places_[most]{};
} reported;

std::uint64_t place_of(const calls& c) noexcept {
  std::uint64_t hash = 1;
  for (unsigned i = 0; i < c.n; ++i) hash = (hash ^ reinterpret_cast<std::uintptr_t>(c.pcs[i])) * 0x9e3779b97f4a7c15U;
  return hash | 1;
}

/// Calls f on the stack of a thread: a goroutine's may be too small for the reader of debug information.
template <class F>
void on_a_threads_stack(F f) {
  if (running_goroutine() == nullptr) return f();
  try {
    std::thread(f).join();
  } catch (const std::system_error&) {  // no thread to be had
    f();
  }
}

}  // namespace

std::string name_of_caller() {
  const goroutine_core* g = running_goroutine();
  if (g == nullptr) return "a plain thread";
  std::string text = "goroutine " + std::to_string(g->id.load(std::memory_order_relaxed));
  if (g->name != nullptr) text += std::string(" \"") + g->name + "\"";
  return text;
}

void report(const lock_fault& fault, lock_checking how) noexcept {
  if (!reports(how)) return;
  const bool is_fatal = how == lock_checking::fatal;
  calls here;
  here.n = backtrace(here.pcs, most_calls);
  const auto answer = is_fatal ? reported_places::answer::fresh : reported.add(place_of(here));
  if (answer == reported_places::answer::known) return;

  calls first;
  first.n = calls_of(*fault.first, first.pcs, most_calls);
  std::string text = (is_fatal ? "fatal error: " : "tenon: ") + fault.what + "\n\n" + fault.first_heading + "\n";
  on_a_threads_stack([&] {
    text += describe_calls(first.pcs, first.n);
    text += std::string(fault.here_heading) + "\n";
    text += describe_calls(here.pcs, here.n);
  });
  if (is_fatal) die_with_dump(text.c_str());
  text += std::string("\n") + fault.advice + "\n";
  if (answer == reported_places::answer::last) text += "(Further places are not reported.)\n";
  print_report((text + "\n").c_str());
}

}  // namespace tenon::detail
