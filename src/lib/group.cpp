#include <tenon/group.hpp>

#include <exception>
#include <mutex>
#include <string>
#include <utility>

#include <tenon/detail/caught.hpp>
#include <tenon/panic.hpp>

#include "lib/keep.hpp"
#include "sched/kept_failure.hpp"
#include "sched/own_end.hpp"
#include "sched/scheduler.hpp"
#include "sched/slow_join.hpp"

namespace tenon {

namespace {

std::function<void(const group_member&, const error&)> without_member(std::function<void(const error&)> f) {
  if (!f) return {};
  return [f = std::move(f)](const group_member&, const error& e) { f(e); };
}

group_member running_member() noexcept {
  const auto who = detail::failed_goroutine::of(detail::running_goroutine());
  return {who.id, who.name != nullptr ? std::string_view(who.name) : std::string_view(), who.where};
}

}  // namespace

group::group(const context& parent, std::function<void(const error&)> on_failure)
    : group(parent, without_member(std::move(on_failure))) {}

group::~group() {
  cancel();
  if (!tasks_.is_done()) {
    detail::refuse_to_wait_for_own_end(this, "a member of the group that it destroys");
    const detail::slow_join_watch watch({.group = detail::node_of(ctx())});
    (void)tasks_.wait_or_done(nullptr, wait_group::reuse::is_fine);
  }
  const std::lock_guard hold(mu_);
  if (seen_ || !first_) return;
  if (std::exception_ptr failure = first_.exception()) kept_.unhandled(std::move(failure));
}

void group::set_limit(int n) {
  if (limit_ && limit_.len() != 0) {
    throw panic("errgroup: modify limit while " + std::to_string(limit_.len()) +
                " goroutines in the group are still active");
  }
  if (const int callers = waiting_for_room_.load(std::memory_order_relaxed); callers != 0) {  // under a limit of 0
    throw panic("tenon: group: modify limit while " + std::to_string(callers) + " callers of go wait for room");
  }
  limit_ = n < 0 ? chan<void>() : make_chan<void>(n, "one for each member that may be active");
}

group::permit group::enter() {
  const bool limited = static_cast<bool>(limit_);
  if (limited && !limit_.try_send()) {
    waiting_for_room_.fetch_add(1, std::memory_order_relaxed);
    limit_.send();
    waiting_for_room_.fetch_sub(1, std::memory_order_relaxed);
  }
  tasks_.add();
  return {this, limited};
}

std::optional<group::permit> group::try_enter() {
  const bool limited = static_cast<bool>(limit_);
  if (limited && !limit_.try_send()) return std::nullopt;
  tasks_.add();
  return permit(this, limited);
}

void group::leave(bool limited) {
  if (limited) (void)limit_.recv();
  tasks_.done();
}

void group::fail(error e) {
  if (told_to_stop_.load(std::memory_order_relaxed) && e == canceled()) return;
  if (on_failure_) {
    try {
      return on_failure_(running_member(), e);
    } catch (...) {
      e = error(detail::caught());
    }
  }
  {
    const std::lock_guard hold(mu_);
    if (first_) return;
    first_ = e;
    detail::keep(kept_, e);
  }
  scope_.cancel(e);
}

error group::wait() { return wait(nullptr); }

error group::wait(const context& until) {
  detail::chan_core* const done = detail::done_core(until);
  if (done == nullptr) detail::refuse_to_wait_for_own_end(this, "a member of the group that it waits for");
  if (!tasks_.wait_or_done(done, wait_group::reuse::is_fine)) return until.err();
  error first;
  {
    const std::lock_guard hold(mu_);
    first = first_;
    if (first) {  // without one: a later member may fail yet
      seen_ = true;
      kept_.seen();
    }
  }
  scope_.cancel(first);  // without the lock: it runs stop callbacks, which may use the group
  return first;
}

error group::finish(time_span grace) {
  detail::refuse_to_wait_for_own_end(this, "a member of the group that it finishes");
  const auto patience = with_timeout(without_cancel(ctx()), grace);
  if (error e = wait(patience.ctx()); !patience.ctx().is_canceled()) return e;
  cancel();
  return wait();
}

}  // namespace tenon
