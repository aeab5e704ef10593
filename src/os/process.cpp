#include "os/process.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include <tenon/blocking.hpp>
#include <tenon/context.hpp>
#include <tenon/fd.hpp>
#include <tenon/last_error.hpp>
#include <tenon/sleep_for.hpp>

#include "net/socket.hpp"

namespace tenon::os {

namespace detail {

namespace {

/// Whether it has ended; leaves its status. Blocks the thread until then, unless WNOHANG is among the `options`.
bool has_ended(pid_t number, int options) noexcept {
  siginfo_t info{};
  int done = 0;
  do {
    info.si_pid = 0;
    done = ::waitid(P_PID, static_cast<id_t>(number), &info, WEXITED | WNOWAIT | options);
  } while (done != 0 && last_error() == EINTR);
  return done != 0 || info.si_pid != 0;
}

bool is_readable(int fd) noexcept {
  pollfd p{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&p, 1, 0) > 0;
}

}  // namespace

error child::wait_for_end(const context* ctx) const {
  error failed;
  while (end.is_open() && !failed) {
    failed = ctx != nullptr ? wait_readable(*ctx, end.get()) : wait_readable(end.get());
    if (failed && ctx != nullptr && ctx->is_canceled()) return ctx->err();
    // A wait may end with nothing there, by an event of the file that had this number before.
    if (!failed && is_readable(end.get())) return nullptr;
  }
  // There is no descriptor, or none to be had for the wait.
  if (ctx == nullptr) {
    blocking([this] { return has_ended(number, 0); });
    return nullptr;
  }
  while (!has_ended(number, WNOHANG)) {
    if (!sleep_for(*ctx, std::chrono::milliseconds(5))) return ctx->err();
  }
  return nullptr;
}

error child::send(int signal_number) {
  const std::lock_guard hold(mu);
  if (status || lost || number == 0) {
    return {std::make_error_code(std::errc::no_such_process), name + ": has ended already"};
  }
  return deliver(signal_number) == 0 ? error() : system_error("signal " + name);
}

int child::deliver(int signal_number) const noexcept {
  if (own_group) return ::kill(-number, signal_number);
  if (!end.is_open()) return ::kill(number, signal_number);
  return static_cast<int>(::syscall(SYS_pidfd_send_signal, end.get(), signal_number, nullptr, 0));
}

result<exit_status> child::wait(const context* ctx) {
  const net::detail::held_lock one(ending, ctx);
  if (!one) return ctx->err();
  if (lost) return lost;
  if (status) return *status;
  if (error e = wait_for_end(ctx)) return e;
  // Those whom it has left behind, if they were to end with it.
  if (own_group && told.load(std::memory_order_relaxed)) send_if_there(SIGKILL);
  const std::lock_guard hold(mu);
  int value = 0;
  pid_t done = 0;
  do {
    done = ::waitpid(number, &value, 0);
  } while (done < 0 && last_error() == EINTR);
  if (done < 0) {
    lost = system_error("wait " + name);
    return lost;
  }
  status = exit_status(value);
  return *status;
}

void child::send_if_there(int signal_number) noexcept {
  const std::lock_guard hold(mu);
  if (!status && !lost) (void)deliver(signal_number);
}

void child::stop() noexcept {
  if (told.exchange(true, std::memory_order_relaxed)) return;
  if (grace > std::chrono::nanoseconds(0)) {
    send_if_there(SIGTERM);
    try {
      until_kill.emplace(with_timeout(background(), grace));
      on_late = after_func(until_kill->ctx(), [this] { send_if_there(SIGKILL); });
      return;
    } catch (...) {  // no memory for a timer: no grace
    }
  }
  send_if_there(SIGKILL);
}

child::~child() {
  on_cancel = {};
  if (number == 0 || status || lost) return;
  stop();
  try {
    (void)wait(nullptr);
  } catch (...) {  // no memory to wait with
    send_if_there(SIGKILL);
    int value = 0;
    while (::waitpid(number, &value, 0) < 0 && last_error() == EINTR) {
    }
  }
}

void child_deleter::operator()(child* c) const noexcept { delete c; }

}  // namespace detail

process::~process() { end(); }

process& process::operator=(process&& other) noexcept {
  if (this == &other) return *this;
  end();
  in = std::move(other.in);
  out = std::move(other.out);
  err = std::move(other.err);
  child_ = std::move(other.child_);
  return *this;
}

void process::end() noexcept {
  // First: a program that has to write something yet, or waits for the end of its input, shall not wait for us.
  in = {};
  out = {};
  err = {};
  child_.reset();
}

result<exit_status> process::wait() {
  if (!child_) return error(std::make_error_code(std::errc::no_child_process), "wait");
  return child_->wait(nullptr);
}

result<exit_status> process::wait(const context& ctx) {
  if (!child_) return error(std::make_error_code(std::errc::no_child_process), "wait");
  return child_->wait(&ctx);
}

error process::signal(int number) {
  return child_ ? child_->send(number) : error(std::make_error_code(std::errc::no_such_process), "signal");
}

int process::pid() const noexcept { return child_ ? child_->number : 0; }

}  // namespace tenon::os
