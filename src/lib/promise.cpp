#include <tenon/promise.hpp>

#include <future>

#include <tenon/panic.hpp>

#include "platform/fork.hpp"
#include "sched/scheduler.hpp"

namespace tenon::detail {

void outside_waker(int delta) noexcept { the_scheduler().outside_waker(delta); }

error broken_promise() {
  static const error& e = *new error(std::make_error_code(std::future_errc::broken_promise));
  return e;
}

static const at_load broken_promise_made([] { (void)broken_promise(); });

void promise_misused(const char* how) { throw panic(how); }

}  // namespace tenon::detail
