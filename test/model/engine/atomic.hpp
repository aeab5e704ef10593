#pragma once

// `std::atomic` as the model build has it: every operation of a modelled thread is a point at which another may go on, and what it reads is
// what the memory model allows (memory.hpp). Of any other thread, and outside an execution, it is the `std::atomic` inside.
//
// tenon/detail/atomic.hpp takes it where TENON_MODEL is defined, and with it all of tenon.

#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <source_location>
#include <type_traits>

namespace tenon::model {

using place = std::source_location;

/// Whether the calling thread is one of an execution's. Never inlined: a goroutine goes on with another thread.
bool modelled() noexcept;

/// What the model keeps with a variable: where its history is, in this execution.
struct cell {
  static constexpr std::uint32_t alive = 0x7e000a11;
  std::uint32_t state = alive;
  mutable std::uint32_t execution = 0;
  mutable std::uint32_t location = 0;
};

/// A variable as the model sees it: its cell, and the bytes that hold its newest value.
struct variable {
  const cell* its;
  void* bytes;
  std::uint32_t size;
};

// ---- Operations of a modelled thread. Each is one point.
std::uint64_t load(variable v, std::memory_order order, const place& where) noexcept;
void store(variable v, std::uint64_t value, std::memory_order order, const place& where) noexcept;
/// A read-modify-write: `begin` returns the newest value, `end` writes. No point lies between them.
std::uint64_t begin_rmw(variable v, std::memory_order order, const place& where) noexcept;
void end_rmw(variable v, std::uint64_t value, std::memory_order order, const place& where) noexcept;
/// As `begin_rmw`, to be ended if it returns true. False: `expected` is another value that the variable has, or had.
bool begin_exchange(variable v, std::uint64_t& expected, std::memory_order order, std::memory_order failure,
                    const place& where) noexcept;
void fence(std::memory_order order, const place& where = place::current()) noexcept;
/// Every thread runs a fence, as membarrier has it.
void fence_everywhere(const place& where = place::current()) noexcept;
/// Nothing more to do for this thread until another has written something.
void pause(const place& where = place::current()) noexcept;
void futex_wait(variable v, std::uint32_t expected, std::int64_t timeout_ns,
                const place& where = place::current()) noexcept;
void futex_wake(variable v, bool all, const place& where = place::current()) noexcept;

/// The end of a variable, as its destructor has it.
void ends(const cell& its) noexcept;

/// Nanoseconds.
std::int64_t now() noexcept;

template <class T>
class atomic {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(std::uint64_t));
  using order = std::memory_order;
  static constexpr order strongest = std::memory_order_seq_cst;
  static constexpr bool counts = (std::is_integral_v<T> && !std::is_same_v<T, bool>) || std::is_pointer_v<T>;
  template <class U, bool is_pointer>
  struct step_of {
    using type = U;
  };
  template <class U>
  struct step_of<U, true> {
    using type = std::ptrdiff_t;
  };
  using step = typename step_of<T, std::is_pointer_v<T>>::type;

 public:
  using value_type = T;
  static constexpr bool is_always_lock_free = std::atomic<T>::is_always_lock_free;

  constexpr atomic() noexcept = default;
  constexpr atomic(T v) noexcept : raw_(v) {}  // NOLINT: as std::atomic's
  ~atomic() {
    if (modelled()) ends(cell_);
    cell_.state = 0;
    asm volatile("" : : "r"(&cell_) : "memory");  // no store to what has ended is kept otherwise
  }
  atomic(const atomic&) = delete;
  atomic& operator=(const atomic&) = delete;

  T load(order o = strongest, const place& where = place::current()) const noexcept {
    if (!modelled()) return raw_.load(o);
    return of(model::load(self(), o, where));
  }
  void store(T v, order o = strongest, const place& where = place::current()) noexcept {
    if (!modelled()) return raw_.store(v, o);
    model::store(self(), bits(v), o, where);
  }
  T exchange(T v, order o = strongest, const place& where = place::current()) noexcept {
    if (!modelled()) return raw_.exchange(v, o);
    return modify([v](T) { return v; }, o, where);
  }
  bool compare_exchange_strong(T& expected, T wanted, order success, order failure,
                               const place& where = place::current()) noexcept {
    if (!modelled()) return raw_.compare_exchange_strong(expected, wanted, success, failure);
    std::uint64_t seen = bits(expected);
    const bool ok = begin_exchange(self(), seen, success, failure, where);
    if (ok) {
      end_rmw(self(), bits(wanted), success, where);
    } else {
      expected = of(seen);
    }
    return ok;
  }
  bool compare_exchange_strong(T& expected, T wanted, order o = strongest,
                               const place& where = place::current()) noexcept {
    return compare_exchange_strong(expected, wanted, o, on_failure(o), where);
  }
  bool compare_exchange_weak(T& expected, T wanted, order success, order failure,
                             const place& where = place::current()) noexcept {
    if (!modelled()) return raw_.compare_exchange_weak(expected, wanted, success, failure);
    return compare_exchange_strong(expected, wanted, success, failure, where);
  }
  bool compare_exchange_weak(T& expected, T wanted, order o = strongest,
                             const place& where = place::current()) noexcept {
    return compare_exchange_weak(expected, wanted, o, on_failure(o), where);
  }
  T fetch_add(step d, order o = strongest, const place& where = place::current()) noexcept
    requires counts
  {
    if (!modelled()) return raw_.fetch_add(d, o);
    return modify([d](T v) { return static_cast<T>(v + d); }, o, where);
  }
  T fetch_sub(step d, order o = strongest, const place& where = place::current()) noexcept
    requires counts
  {
    if (!modelled()) return raw_.fetch_sub(d, o);
    return modify([d](T v) { return static_cast<T>(v - d); }, o, where);
  }
  T fetch_and(T m, order o = strongest, const place& where = place::current()) noexcept
    requires std::is_integral_v<T>
  {
    if (!modelled()) return raw_.fetch_and(m, o);
    return modify([m](T v) { return static_cast<T>(v & m); }, o, where);
  }
  T fetch_or(T m, order o = strongest, const place& where = place::current()) noexcept
    requires std::is_integral_v<T>
  {
    if (!modelled()) return raw_.fetch_or(m, o);
    return modify([m](T v) { return static_cast<T>(v | m); }, o, where);
  }

  operator T() const noexcept { return load(); }  // NOLINT: as std::atomic's
  T operator=(T v) noexcept {                     // NOLINT
    store(v);
    return v;
  }
  T operator++() noexcept
    requires counts
  {
    return fetch_add(1) + 1;
  }
  T operator++(int) noexcept
    requires counts
  {
    return fetch_add(1);
  }

  /// For what takes the address of a word: a futex.
  [[nodiscard]] variable self() const noexcept { return {&cell_, const_cast<std::atomic<T>*>(&raw_), sizeof(T)}; }
  [[nodiscard]] const std::atomic<T>& inside() const noexcept { return raw_; }

 private:
  static constexpr order on_failure(order o) noexcept {
    return o == std::memory_order_acq_rel   ? std::memory_order_acquire
           : o == std::memory_order_release ? std::memory_order_relaxed
                                            : o;
  }
  static std::uint64_t bits(T v) noexcept {
    std::uint64_t b = 0;
    std::memcpy(&b, &v, sizeof v);
    return b;
  }
  static T of(std::uint64_t b) noexcept {
    alignas(T) unsigned char raw[sizeof(T)];
    std::memcpy(raw, &b, sizeof(T));
    return std::bit_cast<T>(raw);
  }
  template <class F>
  T modify(F f, order o, const place& where) noexcept {
    const T before = of(begin_rmw(self(), o, where));
    end_rmw(self(), bits(f(before)), o, where);
    return before;
  }

  std::atomic<T> raw_{};
  cell cell_;
};

}  // namespace tenon::model
