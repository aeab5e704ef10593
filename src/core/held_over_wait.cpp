#include "core/held_locks.hpp"

#include <tenon/detail/atomic.hpp>
#include "core/lock_report.hpp"
#include "core/relock_check.hpp"
#include "platform/pthread_locks.hpp"

// A pthread lock (std::mutex, std::recursive_mutex, std::shared_mutex) belongs to the thread that has locked it. A goroutine that waits with
// one locked leaves that thread to other goroutines: they get past a recursive mutex, they block all of the thread in an ordinary one, and
// the goroutine may come back on another thread, which cannot unlock it. Where locks are checked such a wait is reported, with both places.
//
// Invariants
//  1. A goroutine's records of pthread locks are about locks that it took itself. Before anything is said the lock itself is asked whether the
//     thread holds it: what was unlocked unseen (in a shared library, by another goroutine) is not reported.
//  2. From its wait on the goroutine keeps its thread until it has unlocked them all, so that the program that has been told so also works. It
//     is given the thread before others can wake it.
//  3. The report is written between the moment from which others can wake the goroutine and the one in which it parks: no lock of tenon's
//     own is held then.
//
// Rejected: counting on the thread (a lock outlives the goroutine's stay there); ending the program (what is held over a wait is often
// unlocked on the same thread, by luck); defining pthread_mutex_lock itself, for the whole process (sanitizers do that, too, and so
// would two libraries); doing nothing after the report (a recursive mutex that another thread cannot unlock hangs).

namespace tenon::detail {

namespace {

detail::atomic<lock_checking> checks{lock_checking::undecided};

held_as as(pthread_lock kind) noexcept {
  return kind == pthread_lock::mutex ? held_as::pthread_mutex : held_as::pthread_rwlock;
}

held_locks* held_by_goroutine() noexcept {
  const goroutine_core* g = running_goroutine();
  return g != nullptr ? g->held : nullptr;
}

constexpr pthread_lock_hooks hooks{[](pthread_lock kind, const void* lock, caller_frame from) noexcept {
                                     goroutine_core* g = running_goroutine();
                                     if (g == nullptr) return;
                                     if (held_locks* held = held_by(g)) held->add({lock, 0, as(kind)}, from);
                                   },
                                   [](const void* lock) noexcept {
                                     held_locks* held = held_by_goroutine();
                                     if (held == nullptr || held->pthread_locks == 0) return;
                                     holder_record* mine = held->find(lock, held_as::pthread_mutex);
                                     if (mine == nullptr) mine = held->find(lock, held_as::pthread_rwlock);
                                     if (mine != nullptr) held->erase(mine);
                                   },
                                   []() noexcept {
                                     held_locks* held = held_by_goroutine();
                                     if (held == nullptr || held->pthread_locks != 0 || !held->keeps_thread) return;
                                     held->keeps_thread = false;
                                     the_scheduler().unpin();
                                   }};

}  // namespace

void check_pthread_locks(lock_checking how) noexcept {
  checks.store(how, std::memory_order_relaxed);
  installed_pthread_hooks.store(reports(how) ? &hooks : nullptr, std::memory_order_release);
}

void before_wait(parker* me) noexcept {
  held_locks& held = *me->held;
  if (TENON_LIKELY(held.pthread_locks == 0)) return;
  auto* g = static_cast<goroutine_core*>(me);
  if (g->pin_depth != 0 && !held.keeps_thread) return;  // on_this_thread: no other goroutine runs on it
  for (std::uint32_t i = held.n; i-- > 0;) {
    const holder_record& r = held.records[i];
    if (!is_pthread(r.how)) continue;
    const auto kind = r.how == held_as::pthread_mutex ? pthread_lock::mutex : pthread_lock::rwlock;
    if (!held_by_this_thread(kind, r.lock)) held.erase(&held.records[i]);
  }
  if (held.pthread_locks == 0) {
    if (held.keeps_thread) the_scheduler().unpin();
    held.keeps_thread = false;
    return;
  }
  held.report_due = true;
  // Under the virtual clock there is one thread, and each goroutine comes back to it.
  if (held.keeps_thread || the_scheduler().simulated()) return;
  held.keeps_thread = true;
  the_scheduler().pin();
}

void in_wait(parker* me, const char* reason) noexcept {
  held_locks& held = *me->held;
  if (TENON_LIKELY(!held.report_due)) return;
  held.report_due = false;
  std::uint32_t at = 0;
  while (at < held.n && !is_pthread(held.records[at].how)) ++at;
  if (at == held.n) return;
  const char* lock = held.records[at].how == held_as::pthread_mutex ? "std::mutex or its like" : "std::shared_mutex";
  report(
      {name_of_caller() + " waits (" + reason + ") with a " + lock + " locked", &held.sites[at], "locked at",
       "and waits at",
       "Such a lock belongs to the thread: other goroutines that run on it meanwhile get past the lock, or block the thread, and the one that\n"
       "waits may come back on another thread, which cannot unlock it. Until it has unlocked it, this goroutine now keeps its thread, as with\n"
       "tenon::on_this_thread; without checks it does not. A tenon::mutex may be held over a wait."},
      checks.load(std::memory_order_relaxed));
}

}  // namespace tenon::detail
