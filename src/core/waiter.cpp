#include "core/waiter.hpp"

#include <tenon/detail/atomic.hpp>

#include "core/chan.hpp"

namespace tenon::detail {

bool wait_in_list(wait_list& l, detail::atomic<std::uint32_t>& list_lock, waiter& w, chan_core* done,
                  wait_reason reason, list_place place, const void* object) noexcept {
  claim_group group;
  waiter cancel;
  if (done != nullptr) {
    w.group = cancel.group = &group;
    done->lock.lock();
    if (done->closed.load(std::memory_order_relaxed)) {
      done->lock.unlock();
      if (place == list_place::already_in) unlink(l, &w);
      spin_release(list_lock);
      return false;
    }
  }
  w.who = cancel.who = begin_wait(reason, object);
  if (done != nullptr) push_back(done->receivers, &cancel);
  if (place != list_place::already_in) (place == list_place::front ? push_front : push_back)(l, &w);
  if (done != nullptr) done->lock.unlock();
  spin_release(list_lock);
  commit_wait(w.who);
  if (done == nullptr) return true;

  const bool fired = group.winner.load(std::memory_order_relaxed) == &w;
  if (fired) {
    done->lock.lock();
    if (cancel.queued) unlink(done->receivers, &cancel);
    done->lock.unlock();
  } else {
    spin_acquire(list_lock);
    if (w.queued) unlink(l, &w);
    spin_release(list_lock);
  }
  return fired;
}

}  // namespace tenon::detail
