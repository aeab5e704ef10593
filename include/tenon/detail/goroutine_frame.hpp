#pragma once

// The seam between `go` and the scheduler. A goroutine's callable and its result live at the top of its own stack, below
// the descriptor: spawning allocates nothing else. Nothing here is for users.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <source_location>
#include <tuple>
#include <type_traits>
#include <utility>

#include <tenon/detail/atomic.hpp>
#include <tenon/detail/caught.hpp>
#include <tenon/detail/kept_failure.hpp>

namespace tenon {
class context;
}

namespace tenon::detail {

struct goroutine_core;
struct chan_core;
struct ctx_node;

/// Of small functions without a destructor to speak of: the copy is then in registers.
template <class F>
inline constexpr bool runs_from_a_copy =
    std::is_trivially_copyable_v<F> && std::is_copy_constructible_v<F> && sizeof(F) <= 64;

/// What has started a goroutine, for advice.
enum class started_by : std::uint8_t { go, group, stage, wait_group, run, library };

struct spawn_options {
  const char* name = nullptr;  // a string literal, or null
  std::size_t stack_size = 0;  // 0: the runtime's default
  std::source_location where;
  started_by by = started_by::library;
  // The context it runs under: the spawner's, or this one (null: none), which must outlive it.
  bool inherits = true;
  ctx_node* under = nullptr;
  const void* owner = nullptr;      // what waits for its end: a goroutine that waits for that itself is told so
  bool only_while_running = false;  // outside of a run: null, instead of a fatal error
};

/// A goroutine with room for a frame. Fatal outside a runtime. Throws no_stack.
goroutine_core* goroutine_create(const spawn_options& options, std::size_t frame_size, std::size_t frame_align,
                                 void** frame);
/// Makes it runnable; `entry(frame)` must not throw. An unowned one (no handle) releases itself at its end.
void goroutine_start(goroutine_core* g, void (*entry)(void* frame) noexcept, bool has_handle) noexcept;
/// Undoes goroutine_create, for a frame that could not be constructed.
void goroutine_discard(goroutine_core* g) noexcept;
/// Blocks until it has ended. With `done` (null: never): false when that closes first.
bool goroutine_join(goroutine_core* g, chan_core* done);
/// For an owner at its end: waits, and after a while says for whom.
void goroutine_await_end(goroutine_core* g) noexcept;
void goroutine_release(goroutine_core* g) noexcept;
unsigned long long goroutine_id(const goroutine_core* g) noexcept;

void unhandled_in_current(std::exception_ptr failure) noexcept;
void unhandled_outside(std::exception_ptr failure, std::source_location where) noexcept;
void unhandled_in(const goroutine_core* g, std::exception_ptr failure) noexcept;
[[noreturn]] void go_of_nil() noexcept;

// Contexts as raw pointers, because `context` is a layer above.
ctx_node* child_of(const context& parent);  // counted
ctx_node* child_of_current();               // counted; of the caller's context
context share(ctx_node* node) noexcept;
void cancel_and_drop(ctx_node* node) noexcept;
void cancel_only(ctx_node* node) noexcept;
/// The caller's context, for a goroutine that is being made. Null: none.
ctx_node* inherit_context(bool* counted);
void release_context(ctx_node* node) noexcept;

/// The context of one goroutine with a handle: made when it starts, if its function takes it, or when it is asked for.
class own_context {
 public:
  own_context() noexcept = default;
  own_context(const own_context&) = delete;
  own_context& operator=(const own_context&) = delete;
  ~own_context() {
    ctx_node* n =
        node_.load(std::memory_order_relaxed);  // whoever made it did so before the end, which our caller has seen
    if (n != nullptr && n != canceled_unmade()) cancel_and_drop(n);
  }
  void set(ctx_node* adopted) noexcept { node_.store(adopted, std::memory_order_relaxed); }
  /// By the handle's owner, at any time.
  void cancel() noexcept {
    ctx_node* n = nullptr;
    // Acquire: the node. If there is none yet, the one that makes it finds the mark and cancels it.
    if (node_.compare_exchange_strong(n, canceled_unmade(), std::memory_order_acq_rel, std::memory_order_acquire))
      return;
    if (n != canceled_unmade()) cancel_only(n);
  }
  detail::atomic<ctx_node*>* slot() noexcept { return &node_; }
  static ctx_node* canceled_unmade() noexcept { return reinterpret_cast<ctx_node*>(1); }

 private:
  detail::atomic<ctx_node*> node_{nullptr};  // released with what it points to, acquired by who cancels or drops that
};
/// Before its start: the goroutine has a context of its own.
void goroutine_has_context(goroutine_core* g, own_context& c) noexcept;

template <class R>
class result_slot {
 public:
  template <class F, class... A>
  void fill(F&& f, A&&... a) noexcept {
    try {
      if constexpr (std::is_void_v<R>) {
        std::forward<F>(f)(std::forward<A>(a)...);
        value_.emplace();
      } else if constexpr (std::is_reference_v<R>) {
        value_.emplace(std::addressof(std::forward<F>(f)(std::forward<A>(a)...)));
      } else {
        value_.emplace(std::forward<F>(f)(std::forward<A>(a)...));
      }
    } catch (...) {
      failure_ = caught();
      kept_.set(failure_);
    }
  }
  R take() {
    if (failure_) std::rethrow_exception(failure());
    if constexpr (std::is_reference_v<R>) {
      return static_cast<R>(**value_);
    } else if constexpr (!std::is_void_v<R>) {
      return std::move(*value_);
    }
  }
  std::exception_ptr failure() noexcept {
    if (failure_) kept_.seen();
    return std::exchange(failure_, nullptr);
  }

 private:
  struct nothing {};
  using stored = std::conditional_t<std::is_void_v<R>, nothing,
                                    std::conditional_t<std::is_reference_v<R>, std::remove_reference_t<R>*, R>>;
  std::optional<stored> value_;
  std::exception_ptr failure_;
  kept_failure kept_;
};

/// What a handle can reach of a goroutine's frame.
template <class R>
struct frame_head {
  result_slot<R> result;
  own_context child;

  frame_head() = default;
  frame_head(const frame_head&) = delete;
  frame_head& operator=(const frame_head&) = delete;
  ~frame_head() = default;
};

/// The whole frame. The call is destroyed when it ends, not when it is joined: captured handles go at once.
template <class R, class Call>
struct joined_frame : frame_head<R> {
  union {
    Call call;
  };
  explicit joined_frame(Call&& c) : call(std::move(c)) {}
  joined_frame(const joined_frame&) = delete;
  joined_frame& operator=(const joined_frame&) = delete;
  ~joined_frame() {}  // NOLINT: `call` has ended
};

// The outermost functions of goroutines. Templates at namespace scope: GCC describes a lambda's conversion to a pointer inside of the function
// around it, where some readers of debug information do not find what has been inlined into it, such as all of the user's frames.

template <class R, class Call>
void run_joined(void* frame) noexcept {
  auto* self = static_cast<joined_frame<R, Call>*>(static_cast<frame_head<R>*>(frame));
  self->result.fill(self->call);
  self->call.~Call();
}

template <class F>
bool is_nil(const F& f) noexcept {
  if constexpr (std::is_function_v<F>) {
    return false;
  } else if constexpr (std::is_constructible_v<F, std::nullptr_t> &&
                       requires { static_cast<bool>(f == nullptr); }) {  // a pointer, a std::function; not a lambda
    return static_cast<bool>(f == nullptr);
  } else {
    return false;
  }
}

/// Calls `f` where no caller will join: an exception goes to the unhandled hook.
template <class F>
void call_unowned(F& f) noexcept {
  try {
    f();
  } catch (...) {
    unhandled_in_current(caught());
  }
}

template <class F>
void run_owned(void* frame) noexcept {
  F& call = *static_cast<F*>(frame);
  call_unowned(call);
  call.~F();
}

/// Starts `f()` in a goroutine without a handle; the caller's own bookkeeping (a wait group's count) owns it. False: there is no run, and
/// `only_while_running` says that this is no error.
template <class F>
bool spawn_owned(const spawn_options& options, F f) {
  void* frame = nullptr;
  goroutine_core* g = goroutine_create(options, sizeof(F), alignof(F), &frame);
  if (g == nullptr) return false;
  try {
    ::new (frame) F(std::move(f));
  } catch (...) {
    goroutine_discard(g);
    throw;
  }
  goroutine_start(g, &run_owned<F>, false);
  return true;
}

struct owned_scope {
  void* owner;
  void (*finished)(void* owner);
  owned_scope(void* o, void (*f)(void*)) noexcept : owner(o), finished(f) {}
  owned_scope(const owned_scope&) = delete;
  owned_scope& operator=(const owned_scope&) = delete;
  ~owned_scope() { finished(owner); }
};

}  // namespace tenon::detail
