#include "core/descriptor.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>

#include <tenon/detail/atomic.hpp>

#include "core/chan.hpp"
#include "core/waiter.hpp"
#include "sched/scheduler.hpp"

// One entry for each number of a descriptor that a caller has waited for: immortal, so the kernel may name it at any time.
//
// Invariants
//  1. Goroutines wait in an entry's lists and are woken by the worker that looks at the poller (`fire`); OS threads wait in the kernel, and in the list only
//     to be told of a close.
//  2. Under the lock: while a list has a goroutine in it that was not claimed, the kernel watches the descriptor for that list's direction. A
//     watch delivers once, for all directions: who takes it renews it for those that are left. Unless it is a standing one (`kept_in`), made by the first wait
//     for more: that delivers whenever something comes. What comes while no one waits is noted in `come`, and ends the next wait for more at
//     once. `special` is noted besides what it is noted for, so that an end of the stream, which may have come together with what was read before it, is met.
//  3. Events may be stale: of a wait that was given up, of a file that had this number before. They cause a spurious wake-up of those that wait
//     now, who do not know what the event was for, and try again. That is what non-blocking reads and writes are for.
//     (The watch that such an event used up is renewed by their next wait.)
//  4. While `closing`, no caller enters readers or writers: the number may be this file's or already the next one's. Who comes waits in
//     `pending_close`, and then looks anew.
//
// Lock order: an entry's lock, then a channel's (the context's done channel). The poller is called under the entry's lock.

namespace tenon::detail {

struct alignas(cache_line) descriptor_entry : watched_descriptor {
  detail::atomic<std::uint32_t> lock{0};
  int fd = -1;           // constant
  bool watched = false;  // guarded by lock, as is the rest: the kernel may have it in its list
  bool closing = false;
  bool refused = false;      // will be closed by those who use it: no wait may begin
  std::uint8_t come = 0;     // directions, as bits, in which something has come that nobody has waited for
  std::uint8_t special = 0;  // likewise, of the ends
  std::uint32_t kept_in =
      0;  // the id of the poller where it has a standing watch: not the one that there is, after a fork; 0: none
  wait_list readers;
  wait_list writers;
  wait_list pending_close;
};

namespace {

constexpr unsigned page = 64;
constexpr unsigned pages = 1U << 16U;            // four million numbers; the kernel's default limit is one
detail::atomic<descriptor_entry*> table[pages];  // released with the entries, acquired by who finds them

void fire(watched_descriptor* w, bool readable, bool writable, bool special) noexcept;

descriptor_entry* find(int fd) noexcept {
  const auto n = static_cast<unsigned>(fd);
  if (fd < 0 || n / page >= pages) return nullptr;
  descriptor_entry* entries = table[n / page].load(std::memory_order_acquire);
  return entries == nullptr ? nullptr : &entries[n % page];
}

/// Null for a number beyond the table.
descriptor_entry* make(int fd) {
  if (descriptor_entry* e = find(fd)) return e;
  const auto n = static_cast<unsigned>(fd);
  if (n / page >= pages) return nullptr;
  auto* fresh = new descriptor_entry[page];
  for (unsigned i = 0; i < page; ++i) {
    fresh[i].fd = static_cast<int>(n / page * page + i);
    fresh[i].ready = &fire;
  }
  descriptor_entry* none = nullptr;
  if (!table[n / page].compare_exchange_strong(none, fresh, std::memory_order_acq_rel)) delete[] fresh;
  return find(fd);
}

/// Also if no caller has waited yet: one may be about to. Null without memory: nor can they wait, then.
descriptor_entry* make_if_possible(int fd) noexcept {
  try {
    return fd >= 0 ? make(fd) : nullptr;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

constexpr std::uint8_t bit_of(direction d) noexcept { return d == direction::read ? 1 : 2; }

/// Takes a bit out of `bits`. Whether it was there.
bool take_bit(std::uint8_t& bits, direction d) noexcept {
  const bool was = (bits & bit_of(d)) != 0;
  bits &= static_cast<std::uint8_t>(~bit_of(d));
  return was;
}

wait_list& list_of(descriptor_entry& e, direction d) noexcept { return d == direction::read ? e.readers : e.writers; }

/// For dumps: the entry, and the direction in a bit that its alignment leaves free.
const void* object_of(const descriptor_entry& e, direction d) noexcept {
  return reinterpret_cast<const std::byte*>(&e) + (d == direction::write ? 1 : 0);
}

/// Invariant 2. Under the lock. 0, or errno.
int watch(descriptor_entry& e, bool for_reading, bool for_writing) noexcept {
  const int number = the_scheduler().poll()->arm(e.fd, for_reading, for_writing, &e);
  if (number == 0) e.watched = true;
  return number;
}

/// Takes everybody out of `l`, in front of `chain`.
waiter* take_all(wait_list& l, bool ok, waiter* chain) noexcept {
  waiter* first = nullptr;
  waiter** last = &first;
  while (waiter* w = take(l)) {
    w->ok = ok;
    *last = w;
    last = &w->next;
  }
  *last = chain;
  return first;
}

constexpr char wants_more = 0;  // what the waiters for more have for an element: its address

/// Wakes those who wait in that direction, in front of `chain`. What none of them waits for as more has to be told to who comes: also if one has been there, and gave up
/// just now.
waiter* tell(descriptor_entry& e, direction d, waiter* chain) noexcept {
  waiter* const woken = take_all(list_of(e, d), true, chain);
  bool told = false;
  for (const waiter* w = woken; w != chain; w = w->next) told |= w->elem == &wants_more;
  if (e.kept_in != 0 && !told) e.come |= bit_of(d);
  return woken;
}

/// From the poller, on a worker's own stack or the monitor thread's.
void fire(watched_descriptor* w, bool readable, bool writable, bool special) noexcept {
  auto& e = *static_cast<descriptor_entry*>(w);
  waiter* woken = nullptr;
  {
    const spin_guard hold(e.lock);
    if (special && e.kept_in != 0) e.special = bit_of(direction::read) | bit_of(direction::write);
    if (writable) woken = tell(e, direction::write, woken);
    if (readable) woken = tell(e, direction::read, woken);
    const bool reading = !empty(e.readers);
    const bool writing = !empty(e.writers);
    if (e.kept_in == 0 && (reading || writing) && watch(e, reading, writing) != 0) {
      // Closed behind our back: let them see for themselves.
      woken = take_all(e.readers, true, take_all(e.writers, true, woken));
    }
  }
  unpark_all(woken);
}

/// A plain thread sleeps in the kernel, on the descriptor and on an event that close_fd and the context signal.
struct thread_wait : callback_parker {
  wakeup_event wakeup;
  thread_wait() noexcept
      : callback_parker([](callback_parker* self) noexcept { static_cast<thread_wait*>(self)->wakeup.signal(); }) {}
};

/// Called with the entry's lock held, returns with it released.
wait_result wait_thread(descriptor_entry& e, direction d, chan_core* done) noexcept {
  thread_wait me;
  claim_group group;
  waiter closed;
  waiter cancel;
  waiter ready;  // in no list: what this thread claims for itself
  for (waiter* w : {&closed, &cancel, &ready}) {
    w->who = &me;
    w->group = &group;
  }
  if (const int number = me.wakeup.make(); number != 0) {
    spin_release(e.lock);
    return {wait_result::failed, number};
  }
  if (done != nullptr) {
    done->lock.lock();
    const bool over = done->closed.load(std::memory_order_relaxed);
    if (!over) push_back(done->receivers, &cancel);
    done->lock.unlock();
    if (over) {
      spin_release(e.lock);
      return {wait_result::canceled};
    }
  }
  wait_list& l = list_of(e, d);
  push_back(l, &closed);
  spin_release(e.lock);

  const int number = me.wakeup.wait_with(e.fd, d == direction::write);
  if (!claim(&ready)) me.wakeup.wait();  // the canceler was faster, and is through with us once it has signaled
  spin_acquire(e.lock);
  if (closed.queued) unlink(l, &closed);
  spin_release(e.lock);
  if (done != nullptr) {
    done->lock.lock();
    if (cancel.queued) unlink(done->receivers, &cancel);
    done->lock.unlock();
  }
  const waiter* winner = group.winner.load(std::memory_order_relaxed);
  if (winner == &cancel) return {wait_result::canceled};
  if (winner == &closed) return closed.ok ? wait_result{wait_result::ready} : wait_result{wait_result::failed, EBADF};
  return number == 0 ? wait_result{wait_result::ready} : wait_result{wait_result::failed, number};
}

}  // namespace

descriptor_wait descriptor_waited_for(const void* object) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(object);
  const auto* e = reinterpret_cast<const descriptor_entry*>(address & ~std::uintptr_t{1});
  return {e->fd, (address & 1U) != 0 ? direction::write : direction::read};
}

namespace {

/// Sees to it that the kernel watches for a goroutine that is about to wait. Under the lock. What there is to say already, if there is.
std::optional<wait_result> prepare(descriptor_entry& e, direction d, wait_goal what) noexcept {
  poller* const here = the_scheduler().poll();
  if (what == wait_goal::more && e.kept_in != here->id()) {
    // Made for all waits to come. It delivers at once what there is already, as it may since the caller last looked.
    const int number = here->keep(e.fd, &e);
    if (number == EPERM) return wait_result{wait_result::ready};
    if (number != 0) return wait_result{wait_result::failed, number};
    e.watched = true;
    e.kept_in = here->id();
    e.come = 0;
    e.special = 0;
    return {};
  }
  if (e.kept_in == here->id()) {
    if (what == wait_goal::more) {
      return take_bit(e.come, d) || take_bit(e.special, d) ? std::optional(wait_result{wait_result::ready})
                                                           : std::nullopt;
    }
    // What is there has come before, and will not be told again. Its note stays for the next wait for more: this caller may leave it there.
    return descriptor::is_ready(e.fd, d == direction::write) ? std::optional(wait_result{wait_result::ready})
                                                             : std::nullopt;
  }
  e.kept_in = 0;
  const int number = watch(e, d == direction::read || !empty(e.readers), d == direction::write || !empty(e.writers));
  if (number == 0) return {};
  return number == EPERM ? wait_result{wait_result::ready} : wait_result{wait_result::failed, number};
}

}  // namespace

wait_result wait_descriptor(int fd, direction d, wait_goal what, chan_core* done) {
  if (done != nullptr && done->closed.load(std::memory_order_acquire)) return {wait_result::canceled};
  if (fd < 0) return {wait_result::failed, EBADF};
  descriptor_entry* const found = make(fd);
  if (found == nullptr) return {wait_result::failed, EMFILE};
  descriptor_entry& e = *found;
  spin_acquire(e.lock);
  while (e.closing) {  // invariant 4
    waiter w;
    if (!wait_in_list(e.pending_close, e.lock, w, done, wait_reason::io_wait)) return {wait_result::canceled};
    spin_acquire(e.lock);
  }
  if (e.refused) {
    spin_release(e.lock);
    return {wait_result::failed, EBADF};
  }
  if (this_parker()->what != parker::kind::goroutine) return wait_thread(e, d, done);

  if (const auto already = prepare(e, d, what)) {
    spin_release(e.lock);
    return *already;
  }
  the_scheduler().descriptor_wait(+1);
  waiter w;
  if (what == wait_goal::more) w.elem = const_cast<char*>(&wants_more);
  const bool fired =
      wait_in_list(list_of(e, d), e.lock, w, done, wait_reason::io_wait, list_place::back, object_of(e, d));
  the_scheduler().descriptor_wait(-1);
  if (!fired) return {wait_result::canceled};
  return w.ok ? wait_result{wait_result::ready} : wait_result{wait_result::failed, EBADF};
}

namespace {
/// The kernel forgets a closed file by itself only when no copy of the descriptor is left. Under the lock.
void forget(descriptor_entry& e) noexcept {
  if (poller* p = e.watched ? the_scheduler().poll() : nullptr) p->disarm(e.fd);
  e.watched = false;
  e.kept_in = 0;
  e.come = 0;
  e.special = 0;
}
}  // namespace

void end_watch(int fd) noexcept {
  descriptor_entry* const e = fd >= 0 ? find(fd) : nullptr;
  if (e == nullptr) return;
  const spin_guard hold(e->lock);
  // A watch of a wait that was given up, too: else it would tell of this file when another has its number.
  if (e->kept_in != 0 || (empty(e->readers) && empty(e->writers))) forget(*e);
}

void refuse_waits(int fd) noexcept {
  descriptor_entry* const e = make_if_possible(fd);
  if (e == nullptr) return;
  spin_acquire(e->lock);
  e->refused = true;
  waiter* const woken = take_all(e->readers, false, take_all(e->writers, false, nullptr));
  spin_release(e->lock);
  unpark_all(woken);
}

closing_descriptor::closing_descriptor(int fd) noexcept : entry_(make_if_possible(fd)) {
  if (entry_ == nullptr) return;
  waiter* woken = nullptr;
  spin_acquire(entry_->lock);
  while (entry_->closing) {  // two close the same number: one after the other, and the second finds it closed
    waiter w;
    (void)wait_in_list(entry_->pending_close, entry_->lock, w, nullptr, wait_reason::io_wait);
    spin_acquire(entry_->lock);
  }
  entry_->closing = true;
  // Now: at the end it may be what the owner of the next file of this number has said.
  entry_->refused = false;
  woken = take_all(entry_->readers, false, take_all(entry_->writers, false, nullptr));
  forget(*entry_);
  spin_release(entry_->lock);
  unpark_all(woken);
}

closing_descriptor::~closing_descriptor() {
  if (entry_ == nullptr) return;
  spin_acquire(entry_->lock);
  entry_->closing = false;
  waiter* woken = take_all(entry_->pending_close, true, nullptr);
  spin_release(entry_->lock);
  unpark_all(woken);
}

}  // namespace tenon::detail
