#include "diag/freeze.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include <tenon/detail/atomic.hpp>

#include "platform/annotate.hpp"
#include "platform/barrier.hpp"
#include "platform/context_switch.hpp"
#include "platform/futex.hpp"
#include "sched/scheduler.hpp"

namespace tenon::diag {

namespace {

using namespace detail;

// Invariant: no worker runs a goroutine from the end of freeze_world to thaw_world. It has answered the signal; or freeze_world found no
// `tid` of it, since it was only starting, and it finds the round that began before (join_the_world).

// Odd: freeze. A change releases, and the handlers, which wait for it, acquire: what they write next comes after the dump has read what they wrote
// before.
detail::atomic<std::uint32_t> frozen_round{0};
// Each answer releases a stack, as its entry below does; acquired before they are looked at.
detail::atomic<std::uint32_t> frozen_workers{0};
stack_ends worker_stacks[most_threads];
detail::atomic<bool> worker_traced[most_threads];  // released with the stack, acquired by who reads it

void await_thaw(std::uint32_t round) noexcept {
  while (frozen_round.load(std::memory_order_acquire) == round) futex::wait(frozen_round, round, 100'000'000);
}

/// Where another handler has been interrupted, or ThreadSanitizer calls ours, everything may be blocked.
class faults_unblocked {
 public:
  faults_unblocked() noexcept {
    sigset_t faults;
    ::sigemptyset(&faults);
    for (const int fault : {SIGSEGV, SIGBUS}) ::sigaddset(&faults, fault);
    ::pthread_sigmask(SIG_UNBLOCK, &faults, &before_);
  }
  ~faults_unblocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  faults_unblocked(const faults_unblocked&) = delete;
  faults_unblocked& operator=(const faults_unblocked&) = delete;

 private:
  sigset_t before_{};
};

struct sigaction previous_of_freeze;

void on_freeze(int signal, siginfo_t* info, void* interrupted) {
  const int saved = errno;
  // Not ours: out-of-band data, say. But the kernel may have put ours together with one that was pending, or had no room for who has sent it.
  if (info->si_code != SI_QUEUE || info->si_value.sival_ptr != &frozen_round) {
    if ((previous_of_freeze.sa_flags & SA_SIGINFO) != 0) {
      previous_of_freeze.sa_sigaction(signal, info, interrupted);
    } else if (previous_of_freeze.sa_handler != SIG_DFL && previous_of_freeze.sa_handler != SIG_IGN) {
      previous_of_freeze.sa_handler(signal);  // by default it is ignored
    }
  }
  const std::uint32_t round = frozen_round.load(std::memory_order_acquire);
  const worker* w = this_worker();
  if ((round & 1U) != 0 && w != nullptr) {
    annotate::happens_after(&frozen_round);              // the dump before: it has read what we write
    annotate::happens_after(&worker_stacks[w->number]);  // its handler on this thread: it had the same alternate stack
    worker_stacks[w->number].depth = 0;
    if (!in_switch(interrupted)) {
      const faults_unblocked meanwhile;
      backtrace_interrupted(worker_stacks[w->number]);
    }
    annotate::happens_before(&worker_stacks[w->number]);
    worker_traced[w->number].store(true, std::memory_order_release);
    frozen_workers.fetch_add(1, std::memory_order_release);
    await_thaw(round);
    annotate::happens_before(&worker_stacks[w->number]);
  }
  errno = saved;
}

}  // namespace

void join_the_world() noexcept {
  barrier::full();  // our tid is stored before we look; pairs with the one of freeze_world
  const std::uint32_t round = frozen_round.load(std::memory_order_acquire);
  if ((round & 1U) != 0) await_thaw(round);
}

void freeze_world() noexcept {
  scheduler& s = the_scheduler();
  frozen_workers.store(0, std::memory_order_relaxed);
  frozen_round.fetch_add(1, std::memory_order_release);
  barrier::full();  // the round has begun before we look for threads; pairs with the one of join_the_world
  siginfo_t ours{};
  ours.si_code = SI_QUEUE;
  ours.si_pid = ::getpid();
  ours.si_uid = ::getuid();
  ours.si_value.sival_ptr = &frozen_round;
  std::uint32_t asked = 0;
  for (unsigned i = 0; i < s.worker_slots(); ++i) {
    worker_traced[i].store(false, std::memory_order_relaxed);
    const pid_t tid = s.worker_at(i)->tid.load(std::memory_order_acquire);
    if (tid != 0 && ::syscall(SYS_rt_tgsigqueueinfo, ::getpid(), tid, freeze_signal, &ours) == 0) ++asked;
  }
  // A thread in uninterruptible sleep must not keep us for ever; its goroutine is then shown without a stack.
  const clock::nanos deadline = clock::real() + 1'000'000'000;
  for (int rounds = 0; frozen_workers.load(std::memory_order_acquire) < asked && clock::real() < deadline; ++rounds) {
    if (rounds < 64) {
      cpu_relax();
    } else {
      let_others_run();  // those we wait for need the processor
    }
  }
  // The world stands still: what a goroutine has done is seen by way of the switch away from it (`busy`), or of its worker's answer.
  for (unsigned i = 0; i < s.worker_slots(); ++i) {
    annotate::happens_after(&s.worker_at(i)->thread);
    annotate::happens_after(&worker_stacks[i]);
  }
}

void thaw_world() noexcept {
  annotate::happens_before(&frozen_round);
  frozen_round.fetch_add(1, std::memory_order_release);
  futex::wake_all(frozen_round);
}

const stack_ends* stack_of_running(const goroutine_core* g) noexcept {
  scheduler& s = the_scheduler();
  for (unsigned i = 0; i < s.worker_slots(); ++i) {
    if (s.worker_at(i)->running.load(std::memory_order_relaxed) == g &&
        worker_traced[i].load(std::memory_order_acquire))
      return &worker_stacks[i];
  }
  return nullptr;
}

bool in_blocking_call(const goroutine_core* g) noexcept {
  scheduler& s = the_scheduler();
  for (unsigned i = 0; i < s.worker_slots(); ++i) {
    const worker& w = *s.worker_at(i);
    if (w.running.load(std::memory_order_relaxed) != g) continue;
    const worker_status now = w.status.load(std::memory_order_relaxed);
    return now == worker_status::blocking || now == worker_status::retaken_blocking;
  }
  return false;
}

void install_freezer() {
  struct sigaction action{};
  action.sa_sigaction = &on_freeze;
  action.sa_flags = SA_RESTART | SA_ONSTACK | SA_SIGINFO;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(freeze_signal, &action, &previous_of_freeze);
}

}  // namespace tenon::diag
