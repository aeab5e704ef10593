#include <tenon/fd.hpp>

#include <cerrno>
#include <string>

#include <tenon/blocking.hpp>

#include "core/descriptor.hpp"

namespace tenon {

namespace {

using detail::direction;
using detail::wait_goal;

error bad(const char* call, int fd, int number) {
  return {std::error_code(number, std::generic_category()), std::string(call) + ": descriptor " + std::to_string(fd)};
}

error wait(const char* call, direction d, int fd, const context* ctx, wait_goal what = wait_goal::readiness) {
  const detail::wait_result r =
      detail::wait_descriptor(fd, d, what, ctx == nullptr ? nullptr : detail::done_core(*ctx));
  if (r.how == detail::wait_result::ready) return nullptr;
  if (r.how == detail::wait_result::canceled && ctx != nullptr) return ctx->err();
  return bad(call, fd, r.number);
}

}  // namespace

error wait_readable(const context& ctx, int fd) { return wait("wait_readable", direction::read, fd, &ctx); }
error wait_readable(int fd) { return wait("wait_readable", direction::read, fd, nullptr); }
error wait_writable(const context& ctx, int fd) { return wait("wait_writable", direction::write, fd, &ctx); }
error wait_writable(int fd) { return wait("wait_writable", direction::write, fd, nullptr); }

error wait_for_more(const context& ctx, int fd) {
  return wait("wait_for_more", direction::read, fd, &ctx, wait_goal::more);
}
error wait_for_more(int fd) { return wait("wait_for_more", direction::read, fd, nullptr, wait_goal::more); }
error wait_for_room(const context& ctx, int fd) {
  return wait("wait_for_room", direction::write, fd, &ctx, wait_goal::more);
}
error wait_for_room(int fd) { return wait("wait_for_room", direction::write, fd, nullptr, wait_goal::more); }

void end_watch(int fd) noexcept { detail::end_watch(fd); }

void end_waits(int fd) noexcept { detail::refuse_waits(fd); }

error close_fd(int fd) {
  // The system gives the number away before it lingers, and whoever has it then must not wait for us: what lingers is a copy.
  const int copy = descriptor::lingers(fd) ? descriptor::copy(fd) : -1;
  int number = 0;
  {
    const detail::closing_descriptor closing(fd);
    number = blocking([fd] { return descriptor::close(fd); });
  }
  if (copy >= 0) {
    const int late = blocking([copy] { return descriptor::close(copy); });
    if (number == 0) number = late;
  }
  return number == 0 ? error() : bad("close_fd", fd, number);
}

}  // namespace tenon
