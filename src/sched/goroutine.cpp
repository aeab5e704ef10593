#include "sched/goroutine.hpp"

#include <cxxabi.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <new>

#include <tenon/detail/atomic.hpp>
#include <tenon/detail/goroutine_frame.hpp>
#include <tenon/go.hpp>
#include <tenon/panic.hpp>
#include <tenon/yield.hpp>

#include "base/fatal.hpp"
#include "platform/annotate.hpp"
#include "platform/compiler.hpp"
#include "sched/explorer.hpp"
#include "sched/kept_failure.hpp"
#include "sched/scheduler.hpp"

// The life of a goroutine: created, started, switched, ended, joined, recycled.

namespace tenon::detail {

namespace {
constexpr unsigned pool_limit = 256;  // stacks of the default size that a worker keeps to itself

detail::atomic<unhandled_hook> hook{nullptr};  // released when it is set, acquired where it is called

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"  // of a class with a base, which no compiler of ours minds

// What a debugger reads, as in platform/stack.cpp.
struct debugger_view {
  char kind[4] = {'T', 'G', 'O', 1};
  std::uint32_t size =
      sizeof(goroutine_core);  // below a slot's top, rounded down to a multiple of `align`: descriptor_of
  std::uint32_t align = 64;
  std::uint32_t id = offsetof(goroutine_core, id);
  std::uint32_t state = offsetof(goroutine_core, state);
  std::uint32_t reason = offsetof(goroutine_core, reason);
  std::uint32_t reasons = wait_reasons;
  std::uint32_t sp = offsetof(goroutine_core, ctx) + offsetof(machine_context, sp);
  std::uint32_t fp = offsetof(goroutine_core, ctx) + offsetof(machine_context, fp);
  std::uint32_t pc = offsetof(goroutine_core, ctx) + offsetof(machine_context, pc);
  std::uint32_t busy = offsetof(goroutine_core, ctx) + offsetof(machine_context, busy);
  std::uint32_t system = offsetof(goroutine_core, system);
  std::uint32_t has_run = offsetof(goroutine_core, has_run);
  std::uint32_t name = offsetof(goroutine_core, name);
  std::uint32_t where = offsetof(goroutine_core, where);
  const void* texts = wait_reason_texts;
};

#pragma GCC diagnostic pop
}  // namespace

[[gnu::used, gnu::section("tenon_debugger")]] static constinit const debugger_view for_debuggers{};

static stack_slot allocate_stack(std::size_t size) {
  try {
    return stacks::allocate(size);
  } catch (const stacks::exhausted& e) {
    char limit[160];
    stacks::name_limit(size, e.number, limit, sizeof limit);
    char text[320];
    std::snprintf(text, sizeof text,
                  "tenon: no stack for another goroutine: there are %llu, each with %zu KiB of address space: %s",
                  static_cast<unsigned long long>(the_scheduler().live()), stacks::stride(size) / 1024, limit);
    throw no_stack(text);
  }
}

goroutine_core* scheduler::create(const spawn_options& options) {
  worker* w = this_worker();
  const std::size_t size = options.stack_size == 0 ? stack_size_ : stacks::round_size(options.stack_size);
  goroutine_core* g = nullptr;
  if (w != nullptr && size == stack_size_) {
    if (w->dead_goroutine != nullptr) {
      g = w->dead_goroutine;
      w->dead_goroutine = nullptr;
      if (g->slot.size != size) {
        recycle(g);
        g = nullptr;
      }
    } else if (w->pool != nullptr) {
      g = w->pool;
      w->pool = g->next;
      --w->pooled;
    }
  }
  if (g == nullptr) {
    const stack_slot slot = allocate_stack(size);
    g = ::new (descriptor_of(slot)) goroutine_core;
    g->slot = slot;
    g->low = slot.low();
  }
  annotate::happens_after(g);
  forget_context(g->ctx);
  g->next = nullptr;
  g->caught_exceptions = nullptr;
  g->uncaught_exceptions = 0;
  g->pin_depth = 0;
  g->name = options.name;
  g->where = options.where;
  g->owner = options.owner;
  g->by = options.by;
  g->system.store(false, std::memory_order_relaxed);
  g->own.store(nullptr, std::memory_order_relaxed);
  g->join.store(join_state::running, std::memory_order_release);  // after `own`: see lib/remaining.cpp
  g->under = nullptr;
  g->under_counted = false;
  if (w != nullptr) {
    if (w->next_id == w->last_id) {
      w->next_id = ids_.fetch_add(16, std::memory_order_relaxed);
      w->last_id = w->next_id + 16;
    }
    g->id.store(++w->next_id, std::memory_order_relaxed);
  } else {
    g->id.store(ids_.fetch_add(1, std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  g->state.store(goroutine_state::created, std::memory_order_release);
  return g;
}

void scheduler::recycle(goroutine_core* g) noexcept {
  await_off_cpu(g->ctx);
  annotate::happens_before(g);
  forget_context(g->ctx);
  g->state.store(goroutine_state::free, std::memory_order_relaxed);
  worker* w = this_worker();
  if (w == nullptr || g->slot.size != stack_size_) {
    const stack_slot slot = g->slot;
    stacks::deallocate(&slot, 1);
    return;
  }
  g->next = w->pool;
  w->pool = g;
  if (++w->pooled < pool_limit) return;
  // Half of them go to the depot, where other workers find them and where they can be trimmed.
  stack_slot batch[pool_limit / 2];
  for (stack_slot& slot : batch) {
    slot = w->pool->slot;
    w->pool = w->pool->next;
  }
  w->pooled -= pool_limit / 2;
  stacks::deallocate(batch, pool_limit / 2);
}

void scheduler::discard(goroutine_core* g) noexcept {
  if (g->under_counted) release_context(std::exchange(g->under, nullptr));
  recycle(g);
  dismiss();
}

/// From a plain thread, or a worker's own stack (a timer): nothing but this count keeps the run from ending meanwhile.
bool scheduler::admit_from_outside() noexcept {
  if (intake_.load(std::memory_order_relaxed) == intake::closed) return false;
  being_created_.fetch_add(1, std::memory_order_seq_cst);    // before it counts as living: that would be a deadlock
  created_outside_.fetch_add(1, std::memory_order_seq_cst);  // then look: close_intake does the opposite
  for (;;) {
    switch (intake_.load(std::memory_order_seq_cst)) {
      case intake::open: return true;
      case intake::closing: let_others_run(); continue;  // it is being decided: a look at some counters
      case intake::closed: break;
    }
    created_outside_.fetch_sub(1, std::memory_order_seq_cst);
    being_created_.fetch_sub(1, std::memory_order_seq_cst);
    return false;
  }
}

void scheduler::dismiss() noexcept {
  worker* w = this_worker();
  if (w != nullptr && w->current != nullptr) {
    w->ended.store(w->ended.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  } else {
    created_outside_.fetch_sub(1, std::memory_order_seq_cst);
    being_created_.fetch_sub(1, std::memory_order_seq_cst);
    maybe_finished();
    look_again();
  }
}

void scheduler::goroutine_main(machine_context* c) noexcept {
  context_entered(*c);
  goroutine_core* g = this_worker()->current;
  annotate::happens_after(g);
  g->has_run = true;
  g->entry(g->frame);
  the_scheduler().end_goroutine(g);
}

void scheduler::end_goroutine(goroutine_core* g) noexcept {
  if (TENON_UNLIKELY(g->pin_depth != 0)) {  // a pinned goroutine that ends gives the thread back
    g->pin_depth = 0;
    release_pin(*this_worker(), g);
  }
  if (g->under_counted) release_context(std::exchange(g->under, nullptr));
  worker& w = *this_worker();  // only now: destructors of the context's values may have waited, and moved us
  if (TENON_UNLIKELY(g->held != nullptr)) forget_held_locks(g);
  annotate::happens_before(g);
  if (g->has_handle) {
    g->state.store(goroutine_state::ended, std::memory_order_relaxed);
    if (TENON_UNLIKELY(exploring())) at_end(*g);
    announce_end(g);  // from here on the handle's owner may recycle g as soon as we have left its stack
  } else {
    if (w.dead_goroutine != nullptr) recycle(w.dead_goroutine);
    g->state.store(goroutine_state::free, std::memory_order_relaxed);
    w.dead_goroutine = g;
  }
  w.ended.store(w.ended.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  maybe_finished();
  switch_away(g, true);
  __builtin_unreachable();
}

std::uint64_t scheduler::live() const noexcept {
  // Ends first: one that ended by then had been created before, so equality means that at that moment none lived.
  std::uint64_t ended = 0;
  for (unsigned i = 0; i < worker_slots(); ++i) ended += worker_at(i)->ended.load(std::memory_order_acquire);
  return created() - ended;
}

std::uint64_t scheduler::created() const noexcept {
  std::uint64_t n = 0;
  for (unsigned i = 0; i < worker_slots(); ++i) n += worker_at(i)->created.load(std::memory_order_acquire);
  return n + created_outside_.load(std::memory_order_seq_cst);
}

// ---------------------------------------------------------------- the seam to go.hpp

goroutine_core* goroutine_create(const spawn_options& options, std::size_t frame_size, std::size_t frame_align,
                                 void** frame) {
  scheduler& s = the_scheduler();
  if (TENON_UNLIKELY(!s.admit())) {
    if (options.only_while_running) return nullptr;
    char text[512];
    std::snprintf(
        text, sizeof text,
        "tenon: go outside of run: at %s:%u, before run has started or after it has returned, there is no runtime to "
        "own the goroutine",
        options.where.file_name(), static_cast<unsigned>(options.where.line()));
    fatal(text);
  }
  goroutine_core* g = nullptr;
  try {
    g = s.create(options);
  } catch (...) {
    s.dismiss();
    throw;
  }
  auto at = reinterpret_cast<std::uintptr_t>(g) - frame_size;
  at &= ~(std::uintptr_t{frame_align < 16 ? 16 : frame_align} - 1);
  if (TENON_UNLIKELY(at < reinterpret_cast<std::uintptr_t>(g->low) + stacks::smallest / 4)) {
    goroutine_discard(g);
    char text[160];
    std::snprintf(text, sizeof text,
                  "tenon: no stack for another goroutine: what its function captures takes %zu bytes of its %zu",
                  frame_size, options.stack_size == 0 ? s.default_stack_size() : options.stack_size);
    throw no_stack(text);
  }
  *frame = reinterpret_cast<void*>(at);
  g->frame = *frame;
  try {
    g->under = options.inherits ? inherit_context(&g->under_counted) : options.under;
  } catch (...) {  // no memory for a context of the caller's own, which it has not asked for yet
    goroutine_discard(g);
    throw;
  }
  prepare_context(g->ctx, g->low, *frame, scheduler::entry_point());
  return g;
}

static TENON_INLINE void start(goroutine_core* g, void (*entry)(void* frame) noexcept, bool has_handle) noexcept {
  g->entry = entry;
  g->has_handle = has_handle;
  g->has_run = false;
  annotate::happens_before(g);
  the_scheduler().enqueue_fresh(g);
  the_scheduler().created();
}

// Apart, so that no other start saves registers for the call.
static TENON_NOINLINE void start_explored(goroutine_core* g, void (*entry)(void* frame) noexcept,
                                          bool has_handle) noexcept {
  at_point(operation::go, g);
  start(g, entry, has_handle);
}

void goroutine_start(goroutine_core* g, void (*entry)(void* frame) noexcept, bool has_handle) noexcept {
  if (TENON_UNLIKELY(exploring())) return start_explored(g, entry, has_handle);
  start(g, entry, has_handle);
}

void goroutine_discard(goroutine_core* g) noexcept { the_scheduler().discard(g); }

void goroutine_has_context(goroutine_core* g, own_context& c) noexcept {
  annotate::happens_before(&g->own);
  g->own.store(c.slot(), std::memory_order_release);
}

unsigned long long goroutine_id(const goroutine_core* g) noexcept { return g->id.load(std::memory_order_relaxed); }

const char* how_to_get_more_stack(const goroutine_core& g) noexcept {
  switch (g.by) {
    case started_by::go: return "go({.stack_size = …}, f) gives it more";
    case started_by::group:
      return "g.go({.stack_size = …}, f), or the same option of a pipeline's stage, gives it more";
    case started_by::stage: return "g.produce<T>({.stack_size = …}, f) gives it more";
    case started_by::wait_group: return "wg.go({.stack_size = …}, f) gives it more";
    case started_by::run: return "run(f, {.main_stack_size = …}) gives it more";
    case started_by::library: break;
  }
  return "run(f, {.stack_size = …}) gives all more";
}

// ---------------------------------------------------------------- failures

void report_unhandled(std::exception_ptr failure, const failed_goroutine& who) noexcept {
  char name[128] = "a plain thread";
  if (who.id != 0) {
    std::snprintf(name, sizeof name, who.name != nullptr ? "goroutine %llu [%s]" : "goroutine %llu",
                  static_cast<unsigned long long>(who.id), who.name);
  }
  report_unhandled(std::move(failure), name, who.where);
}

namespace {

/// `goes_on`: there is another exception, which may be caught, and so this one is no reason to end the process.
void report(std::exception_ptr failure, const char* who, std::source_location created, bool goes_on) noexcept {
  char where[512];
  std::snprintf(where, sizeof where, "%s:%u", created.file_name(), static_cast<unsigned>(created.line()));
  if (unhandled_hook h = hook.load(std::memory_order_acquire)) {
    h(failure, who, where);
    return;
  }
  const char* what = "an exception of unknown type";
  std::exception_ptr hold = failure;
  report_is_about(hold);
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& e) {
    what = e.what();
  } catch (const char* s) {
    what = s;
  } catch (...) {  // NOLINT: said so above
  }
  char text[1024];
  if (goes_on) {
    const int n =
        std::snprintf(text, sizeof text, "tenon: unhandled beside an exception on its way: %s, started at %s: %s\n",
                      who, where, what);
    (void)!::write(STDERR_FILENO, text, std::min(static_cast<std::size_t>(n), sizeof text - 1));
    return;
  }
  std::snprintf(text, sizeof text, "panic: %s\n\n%s [unhandled exception]:\ncreated at %s", what, who, where);
  die_with_dump(text);
}

}  // namespace

void report_unhandled(std::exception_ptr failure, const char* who, std::source_location created) noexcept {
  report(std::move(failure), who, created, std::uncaught_exceptions() > 0);
}

void report_unhandled_beside(std::exception_ptr failure, const char* who, std::source_location created) noexcept {
  report(std::move(failure), who, created, true);
}

void unhandled_in(const goroutine_core* g, std::exception_ptr failure) noexcept {
  report_unhandled(std::move(failure), failed_goroutine::of(g));
}

void unhandled_outside(std::exception_ptr failure, std::source_location where) noexcept {
  report_unhandled(std::move(failure), "a function outside of run", where);
}

void unhandled_in_current(std::exception_ptr failure) noexcept {
  report_unhandled(std::move(failure), failed_goroutine::of(running_goroutine()));
}

void go_of_nil() noexcept { fatal("go of nil func value"); }
void join_of_nothing() { throw_panic("tenon: join of a goroutine handle that owns nothing"); }

}  // namespace tenon::detail

namespace tenon {

no_stack::no_stack(const char* text) noexcept {
  const std::size_t length = std::min(std::strlen(text), sizeof text_ - 1);
  std::memcpy(text_, text, length);
  text_[length] = '\0';
}

const char* no_stack::what() const noexcept { return text_; }

unhandled_hook set_unhandled_hook(unhandled_hook h) noexcept {
  return detail::hook.exchange(h, std::memory_order_acq_rel);
}

// Apart, as in parker.cpp.
static TENON_NOINLINE void yield_with_locks(detail::goroutine_core* g) noexcept {
  detail::before_wait(g);
  detail::in_wait(g, "yield");
  detail::the_scheduler().yield();
}

// Apart, too: no other yield saves registers for the call.
static TENON_NOINLINE void yield_explored(detail::goroutine_core* g) noexcept {
  detail::at_point(detail::operation::yield, nullptr);
  g->held != nullptr ? yield_with_locks(g) : detail::the_scheduler().yield();
}

void yield() noexcept {
  if (detail::goroutine_core* g = detail::running_goroutine(); g != nullptr) {
    if (TENON_UNLIKELY(detail::exploring())) return yield_explored(g);
    if (TENON_UNLIKELY(g->held != nullptr)) return yield_with_locks(g);
    detail::the_scheduler().yield();
  } else {
    let_others_run();
  }
}

std::size_t goroutine_count() noexcept { return detail::the_scheduler().live(); }
unsigned worker_count() noexcept { return detail::the_scheduler().started() ? detail::the_scheduler().procs() : 0; }

}  // namespace tenon
