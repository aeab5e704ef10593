#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "base/diagnostics.hpp"
#include "base/fatal.hpp"
#include "diag/dump.hpp"
#include "diag/freeze.hpp"
#include "platform/fork.hpp"
#include "platform/stack.hpp"
#include "sched/kept_failure.hpp"
#include "sched/monitor.hpp"
#include "sched/scheduler.hpp"

// The process-wide handlers: stack overflow, SIGQUIT, the freezer. Each worker gets an alternate signal stack, because
// an overflowing goroutine has none left.

namespace tenon {

namespace {

using namespace detail;

constexpr std::size_t alternate_stack = 128 * 1024;
thread_local void* alternate = nullptr;

/// A worker's, before it runs a goroutine.
void thread_started() noexcept {
  // The thread that called run may have blocked all signals, to take them with sigwait, and its mask is ours.
  sigset_t needed;
  ::sigemptyset(&needed);
  for (const int signal : {SIGSEGV, SIGBUS, diag::freeze_signal}) ::sigaddset(&needed, signal);
  ::pthread_sigmask(SIG_UNBLOCK, &needed, nullptr);
  diag::join_the_world();
  void* p = ::mmap(nullptr, alternate_stack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (p == MAP_FAILED) return;
  stack_t s{};
  s.ss_sp = p;
  s.ss_size = alternate_stack;
  if (::sigaltstack(&s, nullptr) == 0) alternate = p;
}

void thread_stops() noexcept {
  if (alternate == nullptr) return;
  stack_t s{};
  s.ss_flags = SS_DISABLE;
  ::sigaltstack(&s, nullptr);
  ::munmap(alternate, alternate_stack);
  alternate = nullptr;
}

struct sigaction previous_segv;
struct sigaction previous_bus;

[[noreturn]] void report_overflow(const goroutine_core& g) noexcept {
  char text[768];
  std::snprintf(
      text, sizeof text,
      "fatal error: stack overflow\n\ngoroutine %llu%s%s%s, started at %s:%u, has used up its stack of %zu bytes "
      "(%s; docs/stacks.md says what needs much)",
      static_cast<unsigned long long>(g.id.load(std::memory_order_relaxed)), g.name != nullptr ? " \"" : "",
      g.name != nullptr ? g.name : "", g.name != nullptr ? "\"" : "", g.where.file_name(),
      static_cast<unsigned>(g.where.line()), g.slot.size, how_to_get_more_stack(g));
  die_with_dump(text);
}

/// The fault is about to end the process. Allocates nothing, and looks at no more than the goroutine: whatever else is there may be broken.
void report_fault(int sig, const void* address) noexcept {
  const goroutine_core* g = running_goroutine();
  if (g == nullptr) return;
  char who[384];
  describe(failed_goroutine::of(g), who, sizeof who);
  char text[512];
  std::snprintf(text, sizeof text, "tenon: %s at address 0x%llx, in %s\n", sig == SIGSEGV ? "SIGSEGV" : "SIGBUS",
                static_cast<unsigned long long>(reinterpret_cast<std::uintptr_t>(address)), who);
  print_report(text);
}

/// The signal goes where it went before tenon's handler was there.
void pass_on(int sig, siginfo_t* info, void* context) noexcept {
  struct sigaction& previous = sig == SIGSEGV ? previous_segv : previous_bus;
  const bool sent = info->si_code <= 0;  // by a process; the kernel's own, for a fault, are above
  const bool plain = (previous.sa_flags & SA_SIGINFO) == 0;
  if (!plain || (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN)) {
    const struct sigaction handler = previous;
    if ((previous.sa_flags & static_cast<int>(SA_RESETHAND)) != 0) {  // it counts on being called once
      previous.sa_flags = 0;
      previous.sa_handler = SIG_DFL;
    }
    // As the kernel would call it: with the signals blocked that it asked for. Or one that faults itself would be called without end.
    sigset_t mask = handler.sa_mask;
    sigset_t before;
    if ((handler.sa_flags & SA_NODEFER) == 0) ::sigaddset(&mask, sig);
    ::pthread_sigmask(SIG_BLOCK, &mask, &before);
    plain ? handler.sa_handler(sig) : handler.sa_sigaction(sig, info, context);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return;
  }
  if (sent && previous.sa_handler == SIG_IGN) return;
  if (!sent) report_fault(sig, info->si_addr);
  print_last_words(true);
  ::sigaction(sig, &previous, nullptr);
  // After a fault the instruction runs again, and the default ends the process. What was sent has to be sent again,
  // with its sender.
  if (sent) ::syscall(SYS_rt_tgsigqueueinfo, ::getpid(), ::syscall(SYS_gettid), sig, info);
}

/// A fault in a guard, or just below the stack of the goroutine that runs here, is an overflow; any other goes where it
/// went before.
void on_fault(int sig, siginfo_t* info, void* context) {
  if (info->si_code > 0 && end_walk_that_faulted(context)) return;
  const goroutine_core* g = running_goroutine();
  if (g != nullptr && info->si_code > 0) {  // otherwise it was sent, and has no address
    const auto* address = static_cast<const std::byte*>(info->si_addr);
    const bool in_own_guard = address >= g->slot.base && address < g->slot.low();
    if (in_own_guard || stacks::classify(address) == stacks::fault_kind::guard) report_overflow(*g);
  }
  const int saved = errno;
  pass_on(sig, info, context);
  errno = saved;
}

void on_quit(int) {
  const int saved = errno;
  if (monitor::answers(SIGQUIT)) monitor::request([]() noexcept { die_with_dump("SIGQUIT: quit"); });
  errno = saved;
}

void on_dump_signal(int) {
  const int saved = errno;
  monitor::request(&diag::dump_and_go_on);
  errno = saved;
}

/// Where the signal does what it does by default. A handler of the program's own is left alone.
void answer_signal(int signal, void (*handler)(int)) {
  struct sigaction current{};
  if (::sigaction(signal, nullptr, &current) != 0 || (current.sa_flags & SA_SIGINFO) != 0 ||
      current.sa_handler != SIG_DFL)
    return;
  struct sigaction action{};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART | SA_ONSTACK;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(signal, &action, nullptr);
}

/// The default again, where our handler stands.
void leave_signal(int signal, void (*handler)(int)) {
  struct sigaction current{};
  if (::sigaction(signal, nullptr, &current) != 0 || (current.sa_flags & SA_SIGINFO) != 0 ||
      current.sa_handler != handler)
    return;
  current.sa_handler = SIG_DFL;
  ::sigaction(signal, &current, nullptr);
}

constinit os_mutex installing;
bool installed = false;  // guarded by it
const at_load kept_free([] { free_in_child(installing); });

void install_once() {
  const std::lock_guard hold(installing);
  if (std::exchange(installed, true)) return;
  set_dump_hook(&diag::dump_all);
  set_meanwhile_hook(&monitor::serve_requests);
  set_calls_hooks(&diag::calls_text, &diag::place_text);
  set_thread_hooks(&thread_started, &thread_stops);
  diag::install_freezer();
  struct sigaction action{};
  action.sa_sigaction = &on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGSEGV, &action, &previous_segv);
  ::sigaction(SIGBUS, &action, &previous_bus);
}

}  // namespace

void install_diagnostics(bool dump_on_sigquit, int dump_signal) {
  install_once();
  if (dump_on_sigquit) {
    answer_signal(SIGQUIT, &on_quit);
  } else {
    leave_signal(SIGQUIT, &on_quit);  // of an earlier run
  }
  if (dump_signal != 0) answer_signal(dump_signal, &on_dump_signal);
}

}  // namespace tenon
