#include "core/chan.hpp"

#include <mutex>
#include <new>

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

TENON_NOINLINE static void wait_to_send(chan_core& c, void* src) {
  waiter w;
  w.elem = src;
  w.who = begin_wait(wait_reason::chan_send, &c);
  push_back(c.senders, &w);
  c.lock.unlock();
  commit_wait(w.who);
  if (TENON_UNLIKELY(!w.ok)) throw_panic("send on closed channel");
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

// Each operation is written once, and compiled for plain elements and for any. The function for plain ones calls nothing but as the last thing it
// does, and so saves no registers: whatever is rare or needs a call in the middle has a function of its own, which it ends by a jump to. It is also
// inlined into the one for an explored run.

template <elements kind>
static TENON_INLINE void send_and_unlock(chan_core& c, void* src) {
  aftermath after;
  const try_result r = try_send_locked<kind>(c, src, after);
  if (r == try_result::would_block) return wait_to_send(c, src);
  c.lock.unlock();
  if (TENON_UNLIKELY(r == try_result::closed)) throw_panic("send on closed channel");
  finish(after);
}

TENON_NOINLINE static void send_any(chan_core& c, void* src) { send_and_unlock<elements::any>(c, src); }
TENON_NOINLINE static void send_contended(chan_core& c, void* src) {
  c.lock.lock_waiting();
  send_any(c, src);
}

static TENON_INLINE void send(chan_core* c, void* src) {
  if (TENON_UNLIKELY(c == nullptr)) wait_for_ever(wait_reason::chan_send_nil);
  if (!c->lock.try_lock()) return send_contended(*c, src);
  if (c->kind != elements::plain) return send_any(*c, src);
  send_and_unlock<elements::plain>(*c, src);
}

template <elements kind>
static TENON_INLINE bool recv_and_unlock(chan_core& c, void* dst) {
  aftermath after;
  const try_result r = try_recv_locked<kind>(c, dst, after);
  if (r == try_result::would_block) return wait_to_recv(c, dst);
  c.lock.unlock();
  if (TENON_UNLIKELY(r == try_result::closed)) return false;
  finish(after);
  return true;
}

TENON_NOINLINE static bool recv_any(chan_core& c, void* dst) { return recv_and_unlock<elements::any>(c, dst); }
TENON_NOINLINE static bool recv_contended(chan_core& c, void* dst) {
  c.lock.lock_waiting();
  return recv_any(c, dst);
}

static TENON_INLINE bool recv(chan_core* c, void* dst) {
  if (TENON_UNLIKELY(c == nullptr)) wait_for_ever(wait_reason::chan_receive_nil);
  if (!c->lock.try_lock()) return recv_contended(*c, dst);
  if (c->kind != elements::plain) return recv_any(*c, dst);
  return recv_and_unlock<elements::plain>(*c, dst);
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

TENON_NOINLINE static void send_explored(chan_core* c, void* src) {
  at_point(operation::send, c);
  send(c, src);
}

void chan_send(chan_core* c, void* src) {
  if (TENON_UNLIKELY(exploring())) return send_explored(c, src);
  send(c, src);
}

TENON_NOINLINE static bool recv_explored(chan_core* c, void* dst) {
  at_point(operation::recv, c);
  return recv(c, dst);
}

bool chan_recv(chan_core* c, void* dst) {
  if (TENON_UNLIKELY(exploring())) return recv_explored(c, dst);
  return recv(c, dst);
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

// With a context: one attempt on the channel itself, then a select of the two.

bool chan_send_or_done(chan_core* c, void* src, chan_core* done) {
  if (done == nullptr) {
    chan_send(c, src);
    return true;
  }
  if (TENON_UNLIKELY(exploring())) at_point_with(operation::send, c, done);
  if (done->closed.load(std::memory_order_acquire)) return false;
  if (c != nullptr && try_send(c, src) == try_result::done) return true;
  const select_op send{c, src, true};
  const select_op cancel{done, nullptr, false};
  const select_op* const ops[] = {&send, &cancel};
  return select_among(ops, 2, false, wait_reason::chan_send).index == 0;
}

bool chan_recv_or_done(chan_core* c, void* dst, chan_core* done) {
  if (done == nullptr) return chan_recv(c, dst);
  if (TENON_UNLIKELY(exploring())) at_point_with(operation::recv, c, done);
  if (done->closed.load(std::memory_order_acquire)) return false;
  if (c != nullptr) {
    const try_result r = try_recv(c, dst);
    if (r != try_result::would_block) return r == try_result::done;
  }
  const select_op recv{c, dst, false};
  const select_op cancel{done, nullptr, false};
  const select_op* const ops[] = {&recv, &cancel};
  const select_result r = select_among(ops, 2, false, wait_reason::chan_receive);
  return r.index == 0 && r.ok;
}

void chan_close(chan_core* c) {
  point(operation::close, c);
  chan_end(c);
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
