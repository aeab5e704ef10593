#include "core/chan.hpp"

#include <mutex>
#include <new>

#include <tenon/panic.hpp>

#include "base/fatal.hpp"
#include "core/select.hpp"
#include "sched/explorer.hpp"

// The channel.
//
// Invariants, whenever the lock is free
//  1. At most one of `receivers` and `senders` holds waiters that can still fire, except that one select may wait in both.
//  2. Receivers wait only while the buffer is empty, senders only while it is full (capacity 0 is both, always).
//  3. A closed channel has no waiters.
//  4. Elements count, first … first+count-1 (modulo capacity) of the buffer are alive, the others raw memory.
//
// A value goes straight from the sender's frame to the receiver's when one of them already waits: the waiter's frame stands
// still until it is unparked. Unparking happens after the lock is released.
//
// Lock order: channel locks by address (select); a primitive's list lock before the lock of a context's done channel.

namespace tenon::detail {

namespace {

/// What an allocation must be asked for; 0 if any will do.
std::size_t special_align(const elem_ops& ops) noexcept {
  return ops.align > __STDCPP_DEFAULT_NEW_ALIGNMENT__ ? ops.align : 0;
}

chan_core* allocate(const elem_ops& ops, std::size_t capacity, std::unique_ptr<const std::string> reason) {
  static_assert(alignof(chan_core) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
  const std::size_t bytes = chan_header(ops.align) + capacity * ops.size;
  const std::size_t align = special_align(ops);
  void* p = align == 0 ? ::operator new(bytes) : ::operator new(bytes, std::align_val_t(align));
  return ::new (p) chan_core(ops, capacity, std::move(reason));
}

}  // namespace

void finish_with_progress(waiter* woken, std::uint32_t progress) noexcept {
  made_progress(progress);
  if (woken != nullptr) unpark(woken->who);
}

chan_core* chan_make(const elem_ops& ops, std::int64_t capacity, const std::string_view* reason) {
  const std::size_t most = (std::size_t{1} << 47U) / ops.size;  // no process has more address space than that
  if (capacity < 0 || static_cast<std::size_t>(capacity) > most) throw_panic("makechan: size out of range");
  return allocate(ops, static_cast<std::size_t>(capacity),
                  reason == nullptr ? nullptr : std::make_unique<const std::string>(*reason));
}

chan_core* timer_chan_make(const elem_ops& ops) {
  chan_core* c = allocate(ops, 1, nullptr);
  c->is_timer = true;
  return c;
}

void chan_retain(chan_core* c) noexcept { c->refs.fetch_add(1, std::memory_order_relaxed); }

void chan_release(chan_core* c) noexcept {
  const auto abandoned = c->abandoned;
  void* owner = c->owner;
  // Release: our use of the channel; acquire: everybody else's, before it is destroyed.
  const std::uint32_t before = c->refs.fetch_sub(1, std::memory_order_acq_rel);
  if (before == 2 && abandoned != nullptr) abandoned(owner);
  if (before != 1) return;
  if (c->ops.destroy != nullptr) {
    const std::size_t n = c->count.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < n; ++i) c->ops.destroy(c->cell(c->first + i));
  }
  const std::size_t align = special_align(c->ops);
  c->~chan_core();
  if (align == 0) {
    ::operator delete(static_cast<void*>(c));
  } else {
    ::operator delete(static_cast<void*>(c), std::align_val_t(align));
  }
}

// Waiting has functions of its own, entered with the lock held, so that those who need not wait do not pay for their frames.

/// Throws if the channel was closed.
TENON_NOINLINE static bool wait_to_send(chan_core& c, void* src) {
  waiter w;
  w.elem = src;
  w.who = begin_wait(wait_reason::chan_send, &c);
  push_back(c.senders, &w);
  c.lock.unlock();
  commit_wait(w.who);
  if (TENON_UNLIKELY(!w.ok)) throw_panic("send on closed channel");
  return true;
}

TENON_NOINLINE static bool wait_to_recv(chan_core& c, void* dst) {
  waiter w;
  w.elem = dst;
  w.who = begin_wait(wait_reason::chan_receive, &c);
  push_back(c.receivers, &w);
  c.lock.unlock();
  commit_wait(w.who);
  return w.ok;
}

enum class wait_end : std::uint8_t { ok, closed, canceled };

/// Waits in both channels, with the place in `done` taken when the lock on `c` is released: whoever fires the first meanwhile is the one to wake us.
/// (A select locks channels by address; `done` may come before `c` or behind it.)
static TENON_INLINE wait_end wait_or_done(chan_core& c, wait_list& l, void* elem, wait_reason reason,
                                          chan_core& done) noexcept {
  claim_group group;
  waiter w;
  waiter cancel;
  w.group = cancel.group = &group;
  w.elem = elem;
  w.who = cancel.who = begin_wait(reason, &c);
  push_back(l, &w);
  c.lock.unlock();
  done.lock.lock();
  const bool over = done.closed.load(std::memory_order_relaxed);
  if (!over) push_back(done.receivers, &cancel);
  done.lock.unlock();
  if (over && claim(&cancel)) {
    end_wait(w.who);
  } else {
    commit_wait(w.who);
    if (group.winner.load(std::memory_order_relaxed) == &w) {
      done.lock.lock();
      if (cancel.queued) unlink(done.receivers, &cancel);
      done.lock.unlock();
      return w.ok ? wait_end::ok : wait_end::closed;
    }
  }
  c.lock.lock();
  if (w.queued) unlink(l, &w);
  c.lock.unlock();
  return wait_end::canceled;
}

TENON_NOINLINE static bool wait_to_send_or_done(chan_core& c, void* src, chan_core& done) {
  const wait_end end = wait_or_done(c, c.senders, src, wait_reason::chan_send, done);
  if (TENON_UNLIKELY(end == wait_end::closed)) throw_panic("send on closed channel");
  return end == wait_end::ok;
}

TENON_NOINLINE static bool wait_to_recv_or_done(chan_core& c, void* dst, chan_core& done) {
  return wait_or_done(c, c.receivers, dst, wait_reason::chan_receive, done) == wait_end::ok;
}

/// On the nil channel, which never fires. False: canceled.
TENON_NOINLINE static bool wait_on_nil(wait_reason reason, chan_core* done) {
  if (done == nullptr) wait_for_ever(reason);
  const select_op cancel{done, nullptr, false};
  const select_op* const only = &cancel;
  (void)select_among(&only, 1, false, reason);
  return false;
}

// Each operation is written once, and compiled for plain elements and for any. The function for plain ones calls nothing but as the last thing it
// does, and so saves no registers: whatever is rare or needs a call in the middle has a function of its own, which it ends by a jump to. It is also
// inlined into the one for an explored run.
//
// `done`, if not null, is a core that is closed on cancellation. True if it took place; false: canceled or, for a receive, closed.

template <elements kind>
static TENON_INLINE bool send_and_unlock(chan_core& c, void* src, chan_core* done) {
  aftermath after;
  const try_result r = try_send_locked<kind>(c, src, after);
  if (r == try_result::would_block) {
    return done == nullptr ? wait_to_send(c, src) : wait_to_send_or_done(c, src, *done);
  }
  c.lock.unlock();
  if (TENON_UNLIKELY(r == try_result::closed)) throw_panic("send on closed channel");
  finish(after);
  return true;
}

TENON_NOINLINE static bool send_any(chan_core& c, void* src, chan_core* done) {
  return send_and_unlock<elements::any>(c, src, done);
}
TENON_NOINLINE static bool send_contended(chan_core& c, void* src, chan_core* done) {
  c.lock.lock_waiting();
  return send_any(c, src, done);
}

static TENON_INLINE bool send(chan_core* c, void* src, chan_core* done) {
  if (done != nullptr && done->closed.load(std::memory_order_acquire)) return false;
  if (TENON_UNLIKELY(c == nullptr)) return wait_on_nil(wait_reason::chan_send_nil, done);
  if (!c->lock.try_lock()) return send_contended(*c, src, done);
  if (TENON_UNLIKELY(c->kind != elements::plain)) return send_any(*c, src, done);
  return send_and_unlock<elements::plain>(*c, src, done);
}

template <elements kind>
static TENON_INLINE bool recv_and_unlock(chan_core& c, void* dst, chan_core* done) {
  aftermath after;
  const try_result r = try_recv_locked<kind>(c, dst, after);
  if (r == try_result::would_block) {
    return done == nullptr ? wait_to_recv(c, dst) : wait_to_recv_or_done(c, dst, *done);
  }
  c.lock.unlock();
  if (TENON_UNLIKELY(r == try_result::closed)) return false;
  finish(after);
  return true;
}

TENON_NOINLINE static bool recv_any(chan_core& c, void* dst, chan_core* done) {
  return recv_and_unlock<elements::any>(c, dst, done);
}
TENON_NOINLINE static bool recv_contended(chan_core& c, void* dst, chan_core* done) {
  c.lock.lock_waiting();
  return recv_any(c, dst, done);
}

static TENON_INLINE bool recv(chan_core* c, void* dst, chan_core* done) {
  if (done != nullptr && done->closed.load(std::memory_order_acquire)) return false;
  if (TENON_UNLIKELY(c == nullptr)) return wait_on_nil(wait_reason::chan_receive_nil, done);
  if (!c->lock.try_lock()) return recv_contended(*c, dst, done);
  if (TENON_UNLIKELY(c->kind != elements::plain)) return recv_any(*c, dst, done);
  return recv_and_unlock<elements::plain>(*c, dst, done);
}

static TENON_INLINE try_result try_send(chan_core* c, void* src) {
  if (c == nullptr || send_would_block(*c)) return try_result::would_block;
  aftermath after;
  c->lock.lock();
  const try_result r = try_send_locked(*c, src, after);
  c->lock.unlock();
  if (r == try_result::closed) throw_panic("send on closed channel");
  finish(after);
  return r;
}

static TENON_INLINE try_result try_recv(chan_core* c, void* dst) {
  if (c == nullptr || recv_would_block(*c)) return try_result::would_block;
  aftermath after;
  c->lock.lock();
  const try_result r = try_recv_locked(*c, dst, after);
  c->lock.unlock();
  finish(after);
  return r;
}

static TENON_INLINE void at_point_with_done(operation op, chan_core* c, chan_core* done) noexcept {
  done == nullptr ? at_point(op, c) : at_point_with(op, c, done);
}

TENON_NOINLINE static bool send_explored(chan_core* c, void* src, chan_core* done) {
  at_point_with_done(operation::send, c, done);
  return send(c, src, done);
}

void chan_send(chan_core* c, void* src) {
  if (TENON_UNLIKELY(exploring())) return static_cast<void>(send_explored(c, src, nullptr));
  send(c, src, nullptr);
}

bool chan_send_or_done(chan_core* c, void* src, chan_core* done) {
  if (TENON_UNLIKELY(exploring())) return send_explored(c, src, done);
  return send(c, src, done);
}

TENON_NOINLINE static bool recv_explored(chan_core* c, void* dst, chan_core* done) {
  at_point_with_done(operation::recv, c, done);
  return recv(c, dst, done);
}

bool chan_recv(chan_core* c, void* dst) {
  if (TENON_UNLIKELY(exploring())) return recv_explored(c, dst, nullptr);
  return recv(c, dst, nullptr);
}

bool chan_recv_or_done(chan_core* c, void* dst, chan_core* done) {
  if (TENON_UNLIKELY(exploring())) return recv_explored(c, dst, done);
  return recv(c, dst, done);
}

TENON_NOINLINE static try_result try_send_explored(chan_core* c, void* src) {
  at_point(operation::try_send, c);
  return try_send(c, src);
}

try_result chan_try_send(chan_core* c, void* src) {
  if (TENON_UNLIKELY(exploring())) return try_send_explored(c, src);
  return try_send(c, src);
}

TENON_NOINLINE static try_result try_recv_explored(chan_core* c, void* dst) {
  at_point(operation::try_recv, c);
  return try_recv(c, dst);
}

try_result chan_try_recv(chan_core* c, void* dst) {
  if (TENON_UNLIKELY(exploring())) return try_recv_explored(c, dst);
  return try_recv(c, dst);
}

void chan_close(chan_core* c) {
  point(operation::close, c);
  chan_end(c);
}

void chan_close_last(chan_core* c) noexcept {
  try {
    chan_close(c);
  } catch (const panic&) {
    fatal("close of closed channel: it has senders, whose last one closes it");
  }
}

void chan_end(chan_core* c) {
  if (c == nullptr) throw_panic("close of nil channel");
  waiter* chain = nullptr;
  waiter** last = &chain;
  {
    const std::lock_guard hold(c->lock);
    if (c->closed.load(std::memory_order_relaxed)) throw_panic("close of closed channel");
    // Release: what was done before the close is seen by those who learn of it without the lock.
    c->closed.store(true, std::memory_order_release);
    while (waiter* r = take(c->receivers)) {
      *last = r;
      last = &r->next;
    }
    while (waiter* s = take(c->senders)) {
      *last = s;
      last = &s->next;
    }
    *last = nullptr;
  }
  unpark_all(chain);
}

std::size_t chan_len(const chan_core* c) noexcept {
  return c == nullptr || c->is_timer ? 0 : c->count.load(std::memory_order_relaxed);
}
std::size_t chan_cap(const chan_core* c) noexcept { return c == nullptr || c->is_timer ? 0 : c->capacity; }

bool timer_chan_drain(chan_core& c) noexcept {
  // Ticks come under the timer's lock, which our caller holds: an empty channel stays so.
  if (c.count.load(std::memory_order_relaxed) == 0) return false;
  const std::lock_guard hold(c.lock);
  return c.count.exchange(0, std::memory_order_release) != 0;
}

}  // namespace tenon::detail
