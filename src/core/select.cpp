#include "core/select.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <type_traits>
#include <vector>

#include <tenon/panic.hpp>
#include <tenon/select.hpp>

#include "base/fatal.hpp"
#include "sched/explorer.hpp"

// Select.
//
//   0. With `otherwise`: look at all without a lock. If none can proceed, and none of them was touched between the first look and the
//      last, that was true of all at once.
//   1. Try each case once, in random order, under its own lock only: a select that need not wait takes one lock.
//   2. None could: lock all channels by address and try again. This is a moment at which "none can proceed" is true of all at once, so
//      `otherwise` is decided here.
//   3. Leave a waiter in each channel, all of one claim group; unlock; wait.
//   4. One has fired. Unlink the others, each under its channel's lock: after that no other thread looks at them (waiter.hpp, invariant 2).
//
// Invariants
//  1. A case fires only with the group's claim, so two never do, and the same channel may stand in several cases, in both directions.
//  2. Uniform choice: the order of the attempts is a fresh random permutation each time.
//  3. Lock order: by address, each channel once.

namespace tenon {

namespace detail {

namespace {

constexpr std::size_t small = 8;  // cases that need no allocation

/// Per-select storage of n elements: on the stack for a few. Only what is asked for is initialised.
template <class T>
class scratch {
 public:
  explicit scratch(std::size_t n) {
    static_assert(std::is_trivially_destructible_v<T>);
    if (n > small) {
      many_ = std::make_unique<T[]>(n);
      data_ = many_.get();
    } else {
      data_ = reinterpret_cast<T*>(few_);
      std::uninitialized_default_construct_n(data_, n);
    }
  }
  T& operator[](std::size_t i) noexcept { return data_[i]; }
  T* data() noexcept { return data_; }

 private:
  alignas(T) std::byte few_[small * sizeof(T)];
  std::unique_ptr<T[]> many_;
  T* data_;
};

/// Puts a channel where it belongs among the n sorted ones; n + 1 unless it is there already.
std::size_t insert_lock(chan_core** sorted, std::size_t n, chan_core* c) noexcept {
  std::size_t at = n;
  while (at > 0 && std::less<>{}(c, sorted[at - 1])) --at;
  if (at > 0 && sorted[at - 1] == c) return n;
  for (std::size_t k = n; k > at; --k) sorted[k] = sorted[k - 1];
  sorted[at] = c;
  return n + 1;
}

/// The distinct channels of the first `live` cases of `order`, by address. Few are inserted; many are sorted.
std::size_t lock_order(chan_core** sorted, const select_op* const* ops, const std::uint32_t* order, std::size_t live) {
  if (live <= small) {
    std::size_t distinct = 0;
    for (std::size_t k = 0; k < live; ++k) distinct = insert_lock(sorted, distinct, ops[order[k]]->chan);
    return distinct;
  }
  for (std::size_t k = 0; k < live; ++k) sorted[k] = ops[order[k]]->chan;
  std::sort(sorted, sorted + live, std::less<>{});
  return static_cast<std::size_t>(std::unique(sorted, sorted + live) - sorted);
}

TENON_INLINE bool would_block(const select_op& op) noexcept {
  return op.is_send ? send_would_block(*op.chan) : recv_would_block(*op.chan);
}

/// The order in which the cases are looked at. Where schedules are explored it is theirs, but for one that can proceed, if any can, which goes
/// first: each of those is a choice, and nothing else is.
TENON_NOINLINE void order_explored(std::uint32_t* order, const select_op* const* ops, std::size_t n) noexcept {
  std::uint32_t ready = 0;
  for (std::uint32_t i = 0; i < n; ++i) {
    order[i] = i;
    if (ops[i]->chan != nullptr && !would_block(*ops[i])) ++ready;
  }
  if (ready < 2) return;
  std::uint32_t left = choose(ready);
  for (std::uint32_t i = 0; i < n; ++i) {
    if (ops[i]->chan == nullptr || would_block(*ops[i]) || left-- != 0) continue;
    std::swap(order[0], order[i]);
    return;
  }
}

void shuffle(std::uint32_t* order, std::size_t n) noexcept {
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t j = i == 0 ? 0 : choose(static_cast<std::uint32_t>(i) + 1);
    order[i] = order[j];
    order[j] = static_cast<std::uint32_t>(i);
  }
}

try_result attempt(const select_op& op, aftermath& after) noexcept {
  return op.is_send ? try_send_locked(*op.chan, op.elem, after) : try_recv_locked(*op.chan, op.elem, after);
}

select_result conclude(const select_op& op, std::size_t index, try_result r, const aftermath& after) {
  finish(after);
  if (op.is_send && r == try_result::closed) throw_panic("send on closed channel");
  return {index, r == try_result::done};
}

/// Whether no case could proceed at some moment: each is looked at, and then none of the channels had been touched meanwhile. False: perhaps.
bool none_can_proceed(const select_op* const* ops, std::size_t n) noexcept {
  if (n > small) return false;
  std::uint64_t turns[small];
  for (std::size_t i = 0; i < n; ++i) {
    const select_op& op = *ops[i];
    if (op.chan == nullptr) continue;
    turns[i] = op.chan->lock.turns();
    if (turns[i] == counting_lock::held || !would_block_now(*op.chan, op.is_send)) return false;
  }
  for (std::size_t i = 0; i < n; ++i) {
    if (ops[i]->chan != nullptr && ops[i]->chan->lock.turns() != turns[i]) return false;
  }
  return true;
}

}  // namespace

select_result select_among(const select_op* const* ops, std::size_t n, bool has_default, wait_reason reason) {
  scratch<std::uint32_t> order(n);
  if (TENON_UNLIKELY(exploring())) {
    order_explored(order.data(), ops, n);
  } else {
    shuffle(order.data(), n);
  }

  std::size_t live = 0;
  for (std::size_t k = 0; k < n; ++k) {
    const std::uint32_t i = order[k];
    const select_op& op = *ops[i];
    if (op.chan == nullptr) continue;
    order[live++] = i;  // from here on `order` holds the cases that can ever fire
    if (would_block(op)) continue;
    aftermath after;
    op.chan->lock.lock();
    const try_result r = attempt(op, after);
    op.chan->lock.unlock();
    if (r != try_result::would_block) return conclude(op, i, r, after);
  }
  if (live == 0) {
    if (has_default) return {n, false};
    wait_for_ever(n == 0 ? wait_reason::select_no_cases : reason);
  }
  if (has_default && live == 1) return {n, false};

  scratch<chan_core*> locks(live);
  const std::size_t distinct = lock_order(locks.data(), ops, order.data(), live);
  const auto unlock_all = [&]() noexcept {
    for (std::size_t k = distinct; k-- > 0;) locks[k]->lock.unlock();
  };
  scratch<waiter> waiters(has_default ? 0 : live);
  for (std::size_t k = 0; k < distinct; ++k) locks[k]->lock.lock();
  for (std::size_t k = 0; k < live; ++k) {
    const select_op& op = *ops[order[k]];
    aftermath after;
    const try_result r = attempt(op, after);
    if (r != try_result::would_block) {
      unlock_all();
      return conclude(op, order[k], r, after);
    }
  }
  if (has_default) {
    unlock_all();
    return {n, false};
  }

  claim_group group;
  parker* me = begin_wait(reason, ops[order[0]]->chan);
  for (std::size_t k = 0; k < live; ++k) {
    const select_op& op = *ops[order[k]];
    waiter& w = waiters[k];
    w.who = me;
    w.group = &group;
    w.elem = op.elem;
    w.index = order[k];
    push_back(op.is_send ? op.chan->senders : op.chan->receivers, &w);
  }
  unlock_all();
  commit_wait(me);

  waiter* fired = group.winner.load(std::memory_order_relaxed);
  for (std::size_t k = 0; k < live; ++k) {
    waiter& w = waiters[k];
    if (&w == fired) continue;
    const select_op& op = *ops[w.index];
    op.chan->lock.lock();
    if (w.queued) unlink(op.is_send ? op.chan->senders : op.chan->receivers, &w);
    op.chan->lock.unlock();
  }
  const select_op& op = *ops[fired->index];
  return conclude(op, fired->index, fired->ok ? try_result::done : try_result::closed, {});
}

/// Apart, so that a look which finds nothing needs no frame for all the rest.
static TENON_NOINLINE select_result select_or_default(const select_op* const* ops, std::size_t n) {
  if (none_can_proceed(ops, n)) return {n, false};
  return select_among(ops, n, true, wait_reason::select);
}

static TENON_INLINE select_result select_any(const select_op* const* ops, std::size_t n, bool has_default) {
  return has_default ? select_or_default(ops, n) : select_among(ops, n, false, wait_reason::select);
}

static TENON_INLINE select_result try_one(const select_op& op) {
  if (op.chan == nullptr || would_block(op)) return {1, false};
  aftermath after;
  op.chan->lock.lock();
  const try_result r = attempt(op, after);
  op.chan->lock.unlock();
  if (r == try_result::would_block) return {1, false};
  return conclude(op, 0, r, after);
}

static TENON_NOINLINE select_result try_op_explored(const select_op& op) {
  at_point(operation::select, op.chan);
  return try_one(op);
}

select_result try_op(const select_op& op) {
  if (TENON_UNLIKELY(exploring())) return try_op_explored(op);
  return try_one(op);
}

static TENON_NOINLINE select_result select_explored(const select_op* const* ops, std::size_t n, bool has_default) {
  at_point(operation::select, n == 0 ? nullptr : ops[0]->chan);
  explorer* const e = explorer_here();
  for (std::size_t i = 1; i < n && e != nullptr; ++i) e->also(ops[i]->chan);
  const select_result r = select_any(ops, n, has_default);
  if (e != nullptr) e->fired(r.index == n ? explorer::otherwise : static_cast<std::uint32_t>(r.index));
  return r;
}

select_result select_ops(const select_op* const* ops, std::size_t n, bool has_default) {
  if (TENON_UNLIKELY(exploring())) return select_explored(ops, n, has_default);
  return select_any(ops, n, has_default);
}

void send_case_is_empty() {
  throw panic("tenon: select: a send case has no value: give it the next one by set() after it has fired");
}
void recv_case_is_empty(bool fired) {
  throw panic(fired ? "tenon: select: the value of a receive case whose channel is closed"
                    : "tenon: select: the value of a receive case that has not fired");
}

}  // namespace detail

std::size_t select(std::span<select_case* const> cases) { return detail::select_span(cases, false); }
std::size_t select(std::span<select_case* const> cases, otherwise_t) { return detail::select_span(cases, true); }

std::size_t detail::select_span(std::span<select_case* const> cases, bool has_default) {
  std::vector<const select_op*> ops;
  ops.reserve(cases.size());
  for (select_case* c : cases) {
    if (c == nullptr) throw panic("tenon: select: a null pointer among the cases");
    ops.push_back(select_access::begin(*c));
  }
  const select_result r = select_ops(ops.data(), ops.size(), has_default);
  if (r.index != cases.size()) select_access::fire(*cases[r.index], r.ok);
  return r.index;
}

}  // namespace tenon
