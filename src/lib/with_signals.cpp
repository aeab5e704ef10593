#include <tenon/with_signals.hpp>

#include <signal.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <string>
#include <system_error>
#include <vector>

#include <tenon/detail/atomic.hpp>

#include "lib/with_signals.hpp"
#include "platform/fork.hpp"
#include "sched/monitor.hpp"
#include "sched/scheduler.hpp"

// Invariants
//  1. A signal has our handler from when a watch wants it until it comes or no watch wants it any more; `before` is what it did otherwise. Both change under
//     the registry's lock.
//  2. The handler touches atomics only: it notes the signal, gives it its former effect back, and asks the monitor thread for the rest. In a child
//     of fork that has none yet the former effect comes at once.
//  3. A watch ends once: by its signal or by stop. Its context is canceled outside of the lock, since that may run functions of the user,
//     and only then does it no longer count as a waker: in between there would seem to be a deadlock. A quiet watch
//     (run's own) counts only meanwhile: a waiter that has been taken out of its list and not been woken yet is seen nowhere else.

namespace tenon {

namespace detail {

struct signal_watch {
  cancel_cause_scope scope;
  const bool may_wake;  // counts as a waker
  std::vector<int> signals;
  bool ended = false;  // guarded by the registry's lock

  signal_watch(cancel_cause_scope s, bool m) : scope(std::move(s)), may_wake(m) {}
};

namespace {

constexpr int most_signals = 65;

struct registry {
  os_mutex lock;
  std::vector<std::shared_ptr<signal_watch>> watches;
  std::array<int, most_signals> wanted{};
  std::array<bool, most_signals>
      installed{};  // false as well once a signal has come, though run's watch may still want it
  std::array<struct sigaction, most_signals> before{};
  // Released by the handler, acquired by deliver: `before` has its effect again.
  std::array<detail::atomic<bool>, most_signals> noted{};
};

registry& all() noexcept {
  static auto& r = *[] {
    auto* fresh = new registry;  // immortal: a signal may come at any time
    free_in_child(fresh->lock);
    return fresh;
  }();
  return r;
}

const at_load watches_made([] { (void)all(); });

/// Takes the watch out and gives its signals back, if it has not ended. The lock is held.
bool end(registry& r, signal_watch& w) noexcept {
  if (std::exchange(w.ended, true)) return false;
  for (const int s : w.signals) {
    const auto i = static_cast<std::size_t>(s);
    if (--r.wanted[i] != 0) continue;
    ::sigaction(s, &r.before[i], nullptr);
    r.installed[i] = false;
  }
  std::erase_if(r.watches, [&](const auto& other) { return other.get() == &w; });
  return true;
}

/// After `end` has returned true.
void cancel(signal_watch& w, const error& why) noexcept {
  if (!w.may_wake) the_scheduler().outside_waker(+1);
  w.scope.cancel(why);
  the_scheduler().outside_waker(-1);
}

/// "interrupt", "terminated", "hangup": as Go names them.
std::string name_of(int signal) {
  std::string text = ::strsignal(signal);
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

/// On the monitor thread.
void deliver() noexcept {
  registry& r = all();
  for (int s = 1; s < most_signals; ++s) {
    if (!r.noted[static_cast<std::size_t>(s)].exchange(false, std::memory_order_acq_rel)) continue;
    std::vector<std::shared_ptr<signal_watch>> hit;
    {
      const std::lock_guard hold(r.lock);
      r.installed[static_cast<std::size_t>(s)] = false;  // invariant 2
      std::copy_if(r.watches.begin(), r.watches.end(), std::back_inserter(hit),
                   [s](const auto& w) { return std::ranges::find(w->signals, s) != w->signals.end(); });
      // run's own watch stands back where the program has one for the same signal: what it does about it is its business.
      if (std::ranges::any_of(hit, &signal_watch::may_wake)) {
        std::erase_if(hit, [](const auto& w) { return !w->may_wake; });
      }
      std::erase_if(hit, [&r](const auto& w) { return !end(r, *w); });
    }
    for (const auto& w : hit) cancel(*w, error(name_of(s) + " signal received"));
  }
}

void on_signal(int s) {
  const int saved = errno;
  registry& r = all();
  const auto i = static_cast<std::size_t>(s);
  ::sigaction(s, &r.before[i], nullptr);
  r.noted[i].store(true, std::memory_order_release);
  monitor::request(&deliver);
  if (monitor::thread_id() == 0) ::raise(s);  // nobody delivers it, in a child of fork: then it does what it did before
  errno = saved;
}

bool is(const struct sigaction& action, void (*handler)(int)) noexcept {
  return (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == handler;
}

}  // namespace

void replace_signal_handler(int signal, void (*handler)(int), const struct sigaction& instead) {
  registry& r = all();
  const std::lock_guard hold(r.lock);
  auto& kept = r.before[static_cast<std::size_t>(signal)];
  if (is(kept, handler)) kept = instead;
  struct sigaction now{};
  if (::sigaction(signal, nullptr, &now) == 0 && is(now, handler)) ::sigaction(signal, &instead, nullptr);
}

}  // namespace detail

void signal_scope::cancel() const noexcept {
  const std::shared_ptr<detail::signal_watch> watch =
      watch_;  // functions of the user that run in here may destroy this scope
  if (watch == nullptr) return;
  detail::registry& r = detail::all();
  bool ours = false;
  {
    const std::lock_guard hold(r.lock);
    ours = detail::end(r, *watch);
  }
  if (ours) {
    detail::cancel(*watch, {});
  } else {
    watch->scope.cancel();
  }
}

struct signal_access {
  static signal_scope watch(const context& parent, std::initializer_list<int> signals, bool may_wake);
};

signal_scope with_signals(const context& parent, std::initializer_list<int> signals) {
  return signal_access::watch(parent, signals, true);
}
signal_scope detail::with_signals_quietly(const context& parent, std::initializer_list<int> signals) {
  return signal_access::watch(parent, signals, false);
}

signal_scope signal_access::watch(const context& parent, std::initializer_list<int> signals, bool may_wake) {
  auto w = std::make_shared<detail::signal_watch>(with_cancel_cause(parent), may_wake);
  const context ctx = w->scope.ctx();
  if (signals.size() == 0) {
    w->ended = true;
    return {ctx, std::move(w)};
  }
  detail::registry& r = detail::all();
  detail::monitor::start();
  w->signals.reserve(signals.size());  // from here on nothing else may throw
  const std::lock_guard hold(r.lock);
  r.watches.push_back(w);
  if (may_wake) detail::the_scheduler().outside_waker(+1);
  for (const int s : signals) {
    if (std::ranges::find(w->signals, s) != w->signals.end()) continue;
    if (s < 1 || s >= detail::most_signals) {
      if (detail::end(r, *w) && may_wake) detail::the_scheduler().outside_waker(-1);
      throw std::system_error(EINVAL, std::generic_category(), "tenon: with_signals: signal " + std::to_string(s));
    }
    const auto i = static_cast<std::size_t>(s);
    if (!r.installed[i]) {
      struct sigaction action{};
      action.sa_handler = &detail::on_signal;
      action.sa_flags = SA_RESTART | SA_ONSTACK;
      ::sigfillset(&action.sa_mask);
      if (::sigaction(s, nullptr, &r.before[i]) != 0 || ::sigaction(s, &action, nullptr) != 0) {
        const int why = errno;
        if (detail::end(r, *w) && may_wake) detail::the_scheduler().outside_waker(-1);
        throw std::system_error(why, std::generic_category(), "tenon: with_signals: signal " + std::to_string(s));
      }
    }
    r.installed[i] = true;
    ++r.wanted[i];
    w->signals.push_back(s);
  }
  return {ctx, std::move(w)};
}

}  // namespace tenon
