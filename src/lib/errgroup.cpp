#include <tenon/errgroup.hpp>

#include <exception>
#include <mutex>
#include <string>

#include <tenon/panic.hpp>

namespace tenon {

errgroup::errgroup(const context& parent) {
  auto derived = with_cancel_cause(parent);
  ctx_ = std::move(derived.ctx);
  cancel_ = std::move(derived.cancel);
}

errgroup::~errgroup() {
  cancel_(canceled());
  tasks_.wait();
  const std::lock_guard hold(mu_);
  if (seen_ || !first_ || std::uncaught_exceptions() != 0) return;
  if (std::exception_ptr failure = first_.exception()) detail::unhandled_in_current(std::move(failure));
}

void errgroup::set_limit(int n) {
  if (room_ && room_.len() != 0) {
    throw panic("errgroup: modify limit while " + std::to_string(room_.len()) +
                " goroutines in the group are still active");
  }
  room_ = n < 0 ? chan<unit>() : make_chan<unit>(n, "one for each task that may be active");
}

void errgroup::enter() {
  if (room_) room_.send({});
  tasks_.add();
}

bool errgroup::try_enter() {
  if (room_ && !room_.try_send({})) return false;
  tasks_.add();
  return true;
}

void errgroup::leave() {
  if (room_) (void)room_.recv();
  tasks_.done();
}

void errgroup::fail(error e) {
  {
    const std::lock_guard hold(mu_);
    if (first_) return;
    first_ = e;
  }
  cancel_(e);
}

error errgroup::wait() { return wait(nullptr); }

error errgroup::wait(const context& until) {
  if (!tasks_.wait(until)) return until.err();
  const std::lock_guard hold(mu_);
  seen_ = true;
  cancel_(first_);
  return first_;
}

}  // namespace tenon
