#include <tenon/run.hpp>

#include <signal.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <new>
#include <string_view>
#include <utility>

#include <tenon/detail/atomic.hpp>
#include <tenon/detail/caught.hpp>
#include <tenon/detail/goroutine_frame.hpp>

#include "base/diagnostics.hpp"
#include "base/fatal.hpp"
#include "core/relock_check.hpp"
#include "lib/context.hpp"
#include "lib/keep.hpp"
#include "lib/remaining.hpp"
#include "lib/repeated_main.hpp"
#include "lib/with_signals.hpp"
#include "platform/compiler.hpp"
#include "platform/stack.hpp"
#include "sched/kept_failure.hpp"
#include "sched/monitor.hpp"
#include "sched/scheduler.hpp"
#include "sched/slow_join.hpp"
#include "sched/timer_heap.hpp"

// What surrounds a run: the environment, the signals, the root context.

namespace tenon::detail {

struct group_access {
  struct state {
    bool has_failed;
    bool was_seen;  // a caller who waited has got the failure, and so has it to deal with
  };
  static state look_at(group& g) {
    const std::lock_guard hold(g.mu_);
    return {.has_failed = static_cast<bool>(g.first_), .was_seen = g.seen_};
  }
};

namespace {

/// TENON_PROCS, or 0 if it is not set. Anything but a positive number ends the process: a typo must not silently cost half the
/// machine.
unsigned procs_from_environment() {
  const char* text = std::getenv("TENON_PROCS");
  if (text == nullptr) return 0;
  char* end = nullptr;
  errno = 0;
  const long n = std::strtol(text, &end, 10);
  if (errno != 0 || end == text || *end != '\0' || n < 1 || n > most_max_threads) {
    std::fprintf(stderr, "tenon: TENON_PROCS=%s: want the number of workers, from 1 to %u\n", text, most_max_threads);
    std::exit(2);
  }
  return static_cast<unsigned>(n);
}

/// TENON_CHECK_LOCKS, or `otherwise` if it is not set.
lock_checking lock_checking_from_environment(lock_checking otherwise) {
  const char* text = std::getenv("TENON_CHECK_LOCKS");
  if (text == nullptr) return otherwise;
  if (text[0] < '0' || text[0] > '2' || text[1] != '\0') {
    std::fprintf(stderr, "tenon: TENON_CHECK_LOCKS=%s: want 0 (no checks), 1 (reports) or 2 (fatal)\n", text);
    std::exit(2);
  }
  constexpr lock_checking meant[] = {lock_checking::off, lock_checking::report, lock_checking::fatal};
  return meant[text[0] - '0'];
}

/// TENON_GUARDS: guards as on a kernel that has none but mprotect's, which is to be tried on one that has better.
void guards_from_environment() {
  const char* text = std::getenv("TENON_GUARDS");
  if (text == nullptr) return;
  if (std::string_view(text) != "mprotect") {
    std::fprintf(stderr, "tenon: TENON_GUARDS=%s: want mprotect, or nothing\n", text);
    std::exit(2);
  }
  stacks::force_mprotect_guards();
}

#ifdef NDEBUG
constexpr bool debug_build = false;
#else
constexpr bool debug_build = true;
#endif

struct checks {
  lock_checking locks;
  lock_checking pthread_locks;  // of the program's own, which only some builds see (cmake/TenonPthreadLocks.cmake)
};

checks checks_of(const run_options& options) {
  const auto where_chosen = [&](bool otherwise) {
    if (!options.check_locks.value_or(otherwise)) return lock_checking::off;
    return options.lock_faults_are_fatal ? lock_checking::fatal : lock_checking::report;
  };
  return {.locks = lock_checking_from_environment(where_chosen(debug_build)),
          .pthread_locks = lock_checking_from_environment(where_chosen(true))};
}

/// SIGINT while a run is active: the first cancels the root (the watch), the second dumps and exits (what the watch gives the signal back to).
class interrupts {
 public:
  explicit interrupts(bool wanted) {
    if (!wanted || ::sigaction(SIGINT, nullptr, &before_) != 0) return;
    const bool plain = (before_.sa_flags & SA_SIGINFO) == 0;
    if (plain && before_.sa_handler == SIG_IGN) return;  // a background process of a shell
    active_ = true;
    if (!plain || before_.sa_handler != SIG_DFL) return;  // the program's own comes after ours
    struct sigaction second{};
    second.sa_handler = &dump_and_end;
    second.sa_flags = SA_RESTART | SA_ONSTACK;
    ::sigemptyset(&second.sa_mask);
    replaced_ = ::sigaction(SIGINT, &second, nullptr) == 0;
  }
  interrupts(const interrupts&) = delete;
  interrupts& operator=(const interrupts&) = delete;
  ~interrupts() {
    if (replaced_) replace_signal_handler(SIGINT, &dump_and_end, before_);
  }
  [[nodiscard]] bool active() const noexcept { return active_; }

 private:
  static void dump_and_end(int) {
    const int saved = errno;
    if (monitor::answers(SIGINT)) monitor::request([]() noexcept { die_with_dump("SIGINT: interrupt", 128 + SIGINT); });
    errno = saved;
  }

  struct sigaction before_{};
  bool active_ = false;
  bool replaced_ = false;  // else the handler is not ours to give back: a watch from before the run may have gone
};

/// Does something once a context is canceled, or at once if it is. It waits for nothing, so it does not count as a waiter that a cancellation
/// would wake: a program in which all others are stuck is stuck.
class on_cancel : ctx_child {
 public:
  on_cancel(const context& ctx, void (*f)(void*) noexcept, void* arg) noexcept
      : ctx_child(references_), node_(node_of(ctx)->canceler()), f_(f), arg_(arg) {
    if (!node_->adopt(this)) f_(arg_);
  }
  on_cancel(const on_cancel&) = delete;
  on_cancel& operator=(const on_cancel&) = delete;
  /// Waits while f is being called.
  ~on_cancel() {
    (void)node_->disown(this);
    while (references_.load(std::memory_order_acquire) != 1) let_others_run();
  }

 private:
  void propagate(const error&, const error&, list<ctx_child>&) noexcept override {}
  bool listens(std::vector<cancel_node*>&) override { return false; }
  void parent_canceled() noexcept override {
    f_(arg_);
    references_.fetch_sub(1, std::memory_order_release);
  }

  detail::atomic<std::uint32_t> references_{1};  // released after f, acquired by the destructor
  cancel_node* node_;
  void (*f_)(void*) noexcept;
  void* arg_;
};

/// The time that a canceled root group has left.
class grace_period : timer_node {
 public:
  explicit grace_period(std::chrono::nanoseconds length) noexcept : length_(length) {
    fire = [](timer_node*, clock::nanos) noexcept {
      die_with_dump("tenon: run: the grace period is over, and goroutines of the root group go on");
    };
  }
  grace_period(const grace_period&) = delete;
  grace_period& operator=(const grace_period&) = delete;
  ~grace_period() { stop_timer(this); }
  void begin() { start_timer(this, clock::after(length_.count())); }

 private:
  const std::chrono::nanoseconds length_;
};

/// The main goroutine, and what becomes of its root group.
struct main_call {
  run_result (*entry)(void*, group&);
  void* arg;
  const context& parent;
  const run_options& options;
  checks checked;
  run_result result;
  std::exception_ptr failure;
  error besides;      // a failure that is neither of these
  kept_failure kept;  // `f` has failed, and the root group's members go on
  context of_root;    // kept until nothing runs under it any more

  void operator()() noexcept {
    check_locks(checked.locks);
    check_pthread_locks(checked.pthread_locks);
    struct last {
      ~last() {
        check_locks(lock_checking::undecided);
        check_pthread_locks(lock_checking::undecided);
      }
    } no_longer;
    group root(parent);
    of_root = root.ctx();
    set_run_context(of_root);
    group_access::state members{};
    try {
      result = entry(arg, root);
      members = group_access::look_at(root);
      if (result.failure) {
        keep(kept, result.failure);
        root.cancel();
      }
    } catch (...) {
      failure = detail::caught();
      members = group_access::look_at(root);
      kept.set(failure);
      root.cancel();
    }
    error of_members = wait(root);
    kept.seen();
    cancel_remaining();
    if (of_members && !members.was_seen) decide(std::move(of_members), members.has_failed);
  }

  /// What the run ends with, where members have failed and perhaps `f` as well.
  ///   1. If `f` has only said that it was canceled, and they had failed before, they are why.
  ///   2. An exception comes before an error, and what `f` has failed with before what its members have.
  /// The other failure is not lost, but for what a cancel leads to.
  void decide(error of_members, bool came_first) {
    const auto is_cancel = [](const error& e) { return e.is(std::errc::operation_canceled); };
    const error of_f = failure ? error(failure) : result.failure;
    const std::exception_ptr thrown = of_members.exception();
    if (came_first && is_cancel(of_f) && !is_cancel(of_members)) {
      const bool has_words = !failure && of_f != canceled();
      failure = thrown;
      result.failure = thrown ? error() : has_words ? error(of_f.message(), of_members) : of_members;
    } else if (!of_f) {
      failure = thrown;
      if (!thrown) result.failure = std::move(of_members);
    } else if (is_cancel(of_members)) {
      // They did what they were told.
    } else if (thrown && !failure) {
      besides = std::exchange(result.failure, {});
      failure = thrown;
    } else if (thrown || came_first) {
      besides = std::move(of_members);
    }
  }

  /// The members may go on as long as they like, until the root is canceled.
  error wait(group& root) const {
    if (options.grace.count() > 0) {
      grace_period grace(options.grace);
      const on_cancel begin(root.ctx(), [](void* g) noexcept { static_cast<grace_period*>(g)->begin(); }, &grace);
      return root.wait();
    }
    slow_join_watch watch({.group = node_of(root.ctx())}, slow_join_watch::begins::later);
    const on_cancel begin(root.ctx(), [](void* w) noexcept { static_cast<slow_join_watch*>(w)->begin(); }, &watch);
    return root.wait();
  }
};

}  // namespace

int run_main(const run_options& options, run_result (*entry)(void*, group&), void* arg, std::source_location where) {
  const only_run taken(where);  // first: nothing below is another run's
  run_options effective = options;
  if (const unsigned procs = procs_from_environment(); procs != 0) effective.workers = procs;
  guards_from_environment();
  const checks checked = checks_of(options);
  install_diagnostics(effective.dump_on_sigquit, effective.dump_on_signal);

  const interrupts on_interrupt(effective.cancel_on_interrupt);
  signal_scope root =
      on_interrupt.active() ? with_signals_quietly(background(), {SIGINT}) : with_signals_quietly(background(), {});
  main_call call{entry, arg, root.ctx(), effective, checked, {}, nullptr, {}, {}, {}};
  {
    struct last {
      ~last() {
        the_scheduler().set_interrupt_check(nullptr);
        set_run_context(nullptr);
      }
    } no_longer;
    if (on_interrupt.active()) the_scheduler().set_interrupt_check(&run_context_is_listened_to);
    the_scheduler().run(effective, [](void* p) noexcept { (*static_cast<main_call*>(p))(); }, &call, where);
  }
  if (std::exception_ptr besides = call.besides.exception()) {
    report_unhandled_beside(std::move(besides), "a member of the root group", where);
  } else if (call.besides) {
    std::fprintf(stderr, "%s\n", call.besides.message().c_str());
  }
  if (call.failure) std::rethrow_exception(std::move(call.failure));
  const error& failure = call.result.failure;
  if (!failure) return call.result.status;
  const bool interrupted = root.ctx().is_canceled() && failure.is(std::errc::operation_canceled);
  const error why = !interrupted            ? failure
                    : failure == canceled() ? cause(root.ctx())
                                            : error(failure.message(), cause(root.ctx()));
  std::fprintf(stderr, "%s\n", why.message().c_str());
  return interrupted ? 128 + SIGINT : 1;
}

namespace {

struct repetition {
  repeated_main& what;
  const run_options& options;
  run_result (*entry)(void*, group&);
  void* arg;
  std::source_location where;

  void operator()() const noexcept {
    const checks checked = checks_of(options);
    const context none = background();
    while (what.begins()) {
      the_scheduler().begin_again();
      main_call call{entry, arg, none, options, checked, {}, nullptr, {}, {}, {}};
      void* frame = nullptr;
      goroutine_core* g = goroutine_create(
          {.stack_size = options.main_stack_size, .where = where, .by = started_by::run, .inherits = false},
          sizeof(main_call*), alignof(main_call*), &frame);
      ::new (frame) main_call*(&call);
      goroutine_start(g, [](void* p) noexcept { (**static_cast<main_call**>(p))(); }, false);
      what.started();
      the_scheduler().await_end_of_others();
      set_run_context(nullptr);
      what.ended(call.result, call.failure);
    }
  }
};

}  // namespace

void run_repeatedly(repeated_main& what, const run_options& options, run_result (*entry)(void* arg, group& root),
                    void* arg, std::source_location where) {
  const only_run taken(where);
  install_diagnostics(options.dump_on_sigquit, options.dump_on_signal);
  const repetition all{what, options, entry, arg, where};
  the_scheduler().run(
      options, [](void* p) noexcept { (*static_cast<const repetition*>(p))(); }, const_cast<repetition*>(&all), where);
}

}  // namespace tenon::detail
