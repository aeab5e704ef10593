#include "sched/timer_heap.hpp"

#include <mutex>

#include "platform/annotate.hpp"

namespace tenon::detail {

void timer_heap::place(std::size_t i, entry e) noexcept {
  entries_[i] = e;
  e.node->index = static_cast<std::uint32_t>(i);
}

void timer_heap::sift_up(std::size_t i, entry e) noexcept {
  while (i > 0) {
    const std::size_t parent = (i - 1) / 4;
    if (entries_[parent].when <= e.when) break;
    place(i, entries_[parent]);
    i = parent;
  }
  place(i, e);
}

void timer_heap::sift_down(std::size_t i, entry e) noexcept {
  const std::size_t n = entries_.size();
  for (;;) {
    std::size_t least = 4 * i + 1;
    if (least >= n) break;
    const std::size_t end = least + 4 < n ? least + 4 : n;
    for (std::size_t child = least + 1; child < end; ++child) {
      if (entries_[child].when < entries_[least].when) least = child;
    }
    if (e.when <= entries_[least].when) break;
    place(i, entries_[least]);
    i = least;
  }
  place(i, e);
}

void timer_heap::remove(std::size_t i) noexcept {
  const entry last = entries_.back();
  entries_.pop_back();
  if (i == entries_.size()) return;
  if (i > 0 && last.when < entries_[(i - 1) / 4].when) {
    sift_up(i, last);
  } else {
    sift_down(i, last);
  }
}

void timer_heap::update() noexcept {
  next_.store(entries_.empty() ? clock::never : entries_.front().when, std::memory_order_release);
  size_.store(entries_.size(), std::memory_order_relaxed);
}

void timer_heap::start(timer_node* t, clock::nanos when) {
  const std::lock_guard hold(lock_);
  annotate::happens_before(t);
  entries_.push_back({when, t});
  t->heap.store(this,
                std::memory_order_release);  // the canceler of t looks into the heap; pairs with the acquire in stop
  sift_up(entries_.size() - 1, {when, t});
  update();
}

unsigned timer_heap::run_due(clock::nanos now) noexcept {
  unsigned fired = 0;
  while (next() <= now) {
    timer_node* t = nullptr;
    {
      const std::lock_guard hold(lock_);
      if (entries_.empty() || entries_.front().when > now) break;
      t = entries_.front().node;
      remove(0);
      update();
      t->heap.store(nullptr, std::memory_order_release);  // a thread that sees it may start t again, in another heap
    }
    annotate::happens_after(t);
    t->fire(t, now);
    ++fired;
  }
  return fired;
}

bool timer_heap::stop(timer_node* t) noexcept {
  for (;;) {
    timer_heap* h = t->heap.load(std::memory_order_acquire);
    if (h == nullptr) return false;
    const std::lock_guard hold(h->lock_);
    timer_heap* still = t->heap.load(std::memory_order_relaxed);
    if (still == nullptr) return false;
    if (still != h) continue;  // it moved at the end of a run
    h->remove(t->index);
    h->update();
    t->heap.store(nullptr, std::memory_order_release);
    return true;
  }
}

void timer_heap::abandon_after_fork() noexcept {
  for (const entry& e : entries_) e.node->heap.store(nullptr, std::memory_order_release);
  entries_.clear();
  update();
  lock_.unlock();
}

void timer_heap::move_all_to(timer_heap& other) noexcept {
  const std::scoped_lock hold(lock_, other.lock_);
  for (const entry& e : entries_) {
    other.entries_.push_back(e);
    e.node->heap.store(&other, std::memory_order_release);  // as in start
    other.sift_up(other.entries_.size() - 1, e);
  }
  entries_.clear();
  update();
  other.update();
}

}  // namespace tenon::detail
