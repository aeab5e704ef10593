#pragma once

// The channel, seen from within core. See chan.cpp for its invariants.

#include <cstddef>
#include <cstring>
#include <memory>
#include <string>

#include <tenon/detail/atomic.hpp>

#include "core/waiter.hpp"
#include "platform/compiler.hpp"

namespace tenon::detail {

/// Plain ones are copied by a move or two of the processor; for others a function may have to be called.
enum class elements : std::uint8_t { plain, any };

constexpr elements kind_of(const elem_ops& ops) noexcept {
  const bool fits = ops.size == 1 || ops.size == 4 || ops.size == 8 || ops.size == 16;
  return ops.move == nullptr && fits ? elements::plain : elements::any;
}

struct chan_core {
  // Changed under `lock`; `count`, `closed` and the list heads may be peeked at without it, and are therefore stored with release and peeked at with
  // acquire (counting_lock). Who acquires `closed` sees what came before the close. First what every operation touches.
  counting_lock lock;
  detail::atomic<bool> closed{false};
  bool is_timer = false;  // constant: a timer's channel, its one slot of buffer is not the user's to see
  const elements kind;
  detail::atomic<std::size_t> count{0};
  std::size_t first = 0;  // index of the oldest buffered element
  wait_list receivers;
  wait_list senders;

  // Constant after construction.
  const std::size_t capacity;
  std::byte* const buffer;  // follows the core in the same allocation
  const elem_ops ops;
  const std::unique_ptr<const std::string> reason;  // why the capacity is what it is; may be null
  // For the channel of `after`: called when its timer holds the only reference left. Constant once others can see the channel.
  void (*abandoned)(void* owner) noexcept = nullptr;
  void* owner = nullptr;

  detail::atomic<std::uint32_t> refs{1};  // each drop releases, the last one acquires

  inline chan_core(const elem_ops& o, std::size_t c, std::unique_ptr<const std::string> r) noexcept;

  std::byte* cell(std::size_t i) const noexcept { return buffer + (i >= capacity ? i - capacity : i) * ops.size; }

  // What is done to elements, where they are known to be plain, or may be any.

  /// Constructs *dst from *src.
  template <elements k>
  void move(void* dst, void* src) const noexcept {
    if constexpr (k == elements::plain) {
      if (TENON_LIKELY(ops.size == 8)) {
        std::memcpy(dst, src, 8);
      } else if (ops.size == 4) {
        std::memcpy(dst, src, 4);
      } else if (ops.size == 16) {
        std::memcpy(dst, src, 16);
      } else {
        std::memcpy(dst, src, 1);
      }
    } else if (ops.move == nullptr) {
      std::memcpy(dst, src, ops.size);
    } else {
      ops.move(dst, src);
    }
  }
  template <elements k>
  void give(void* out, void* src) const noexcept {
    if (out != nullptr) move<k>(out, src);
  }
  template <elements k>
  void destroy(void* p) const noexcept {
    if (k == elements::any && ops.destroy != nullptr) ops.destroy(p);
  }
};

constexpr std::size_t chan_header(std::size_t align) noexcept {
  return (sizeof(chan_core) + align - 1) / align * align;
}
inline chan_core::chan_core(const elem_ops& o, std::size_t c, std::unique_ptr<const std::string> r) noexcept
    : kind(kind_of(o)),
      capacity(c),
      buffer(reinterpret_cast<std::byte*>(this) + chan_header(o.align)),
      ops(o),
      reason(std::move(r)) {}

/// What an attempt leaves to be done once the lock is released.
struct aftermath {
  waiter* woken = nullptr;     // to be unparked
  std::uint32_t progress = 0;  // to be reported
};
TENON_NOINLINE void finish_with_progress(waiter* woken, std::uint32_t progress) noexcept;
TENON_INLINE void finish(const aftermath& a) noexcept {
  if (TENON_UNLIKELY(a.progress != 0)) return finish_with_progress(a.woken, a.progress);
  if (a.woken != nullptr) unpark(a.woken->who);
}

// One attempt under the lock. `done`: it took place.

template <elements kind>
TENON_INLINE try_result try_send_locked(chan_core& c, void* src, aftermath& after) noexcept {
  if (TENON_UNLIKELY(c.closed.load(std::memory_order_relaxed))) return try_result::closed;
  if (waiter* r = take(c.receivers)) {
    c.give<kind>(r->elem, src);
    r->ok = true;
    after.woken = r;
    return try_result::done;
  }
  const std::size_t n = c.count.load(std::memory_order_relaxed);
  if (n == c.capacity) return try_result::would_block;
  c.move<kind>(c.cell(c.first + n), src);
  c.count.store(n + 1, std::memory_order_release);
  return try_result::done;
}

template <elements kind>
TENON_INLINE try_result try_recv_locked(chan_core& c, void* dst, aftermath& after) noexcept {
  const std::size_t n = c.count.load(std::memory_order_relaxed);
  if (n == 0) {
    if (TENON_UNLIKELY(c.closed.load(std::memory_order_relaxed))) return try_result::closed;
    waiter* s = take(c.senders);  // unbuffered: straight from its frame
    if (s == nullptr) return try_result::would_block;
    c.give<kind>(dst, s->elem);
    s->ok = true;
    after.woken = s;
    return try_result::done;
  }
  std::byte* const oldest = c.buffer + c.first * c.ops.size;
  if (++c.first == c.capacity) {
    c.first = 0;
    // Operations that switch nowhere count, too. With a small buffer there are not many between two switches.
    if (c.capacity >= 16) after.progress = static_cast<std::uint32_t>(c.capacity);
  }
  c.give<kind>(dst, oldest);
  c.destroy<kind>(oldest);
  // Invariant 2: the place just freed belongs to the first sender that waits.
  if (waiter* s = take(c.senders)) {
    c.move<kind>(c.cell(c.first + n - 1), s->elem);
    s->ok = true;
    after.woken = s;
  } else {
    c.count.store(n - 1, std::memory_order_release);
  }
  return try_result::done;
}

TENON_INLINE try_result try_send_locked(chan_core& c, void* src, aftermath& after) noexcept {
  return c.kind == elements::plain ? try_send_locked<elements::plain>(c, src, after)
                                   : try_send_locked<elements::any>(c, src, after);
}
TENON_INLINE try_result try_recv_locked(chan_core& c, void* dst, aftermath& after) noexcept {
  return c.kind == elements::plain ? try_recv_locked<elements::plain>(c, dst, after)
                                   : try_recv_locked<elements::any>(c, dst, after);
}

/// What can be told without the lock: true means that an attempt would block now. If it would not, who asks goes on with the lock.
inline bool recv_would_block(const chan_core& c) noexcept {
  return c.count.load(std::memory_order_relaxed) == 0 && empty(c.senders) && !c.closed.load(std::memory_order_relaxed);
}
inline bool send_would_block(const chan_core& c) noexcept {
  return c.count.load(std::memory_order_relaxed) >= c.capacity && empty(c.receivers) &&
         !c.closed.load(std::memory_order_relaxed);
}

/// As above, for a peek between two looks at `lock.turns()`: acquire, so that the second look comes last.
inline bool would_block_now(const chan_core& c, bool is_send) noexcept {
  const bool has_room_or_values =
      is_send ? c.count.load(std::memory_order_acquire) < c.capacity : c.count.load(std::memory_order_acquire) != 0;
  const wait_list& others = is_send ? c.receivers : c.senders;
  return !has_room_or_values && others.head.load(std::memory_order_acquire) == nullptr &&
         !c.closed.load(std::memory_order_relaxed);  // what is open now was open at every moment before
}

/// `chan_close` by the library itself, which may be in the middle of something: no point of an exploration.
void chan_end(chan_core* c);

chan_core* timer_chan_make(const elem_ops& ops);
/// Empties a timer's channel: true if there was an unread tick.
bool timer_chan_drain(chan_core& c) noexcept;

}  // namespace tenon::detail
