#include "sched/permits.hpp"

namespace tenon::detail {

void permits::wait(wait_reason reason) noexcept {
  waiting me;
  lock_.lock();
  if (owed_ > 0) {
    --owed_;
    lock_.unlock();
    return;
  }
  me.who = begin_wait(reason, this);
  (last_ != nullptr ? last_->next : first_) = &me;
  last_ = &me;
  lock_.unlock();
  commit_wait(me.who);
}

void permits::serve() noexcept {
  lock_.lock();
  waiting* w = first_;
  if (w == nullptr) {
    ++owed_;
    lock_.unlock();
    return;
  }
  first_ = w->next;
  if (first_ == nullptr) last_ = nullptr;
  parker* who = w->who;  // w is gone once its goroutine runs
  lock_.unlock();
  unpark(who);
}

}  // namespace tenon::detail
