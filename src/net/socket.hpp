#pragma once

// A descriptor in non-blocking mode that several use and one closes.
//
// Invariants
//  1. Whoever uses `fd` holds an `operation`. `close` refuses further ones, ends the waits of those that there are, and closes when the last has let go:
//     a call never meets the number of another file.
//  2. `gone` is done once: by `close`, or by the last operation after it.
//  3. A goroutine whose calls never have to wait lets others run all the same, every `streak` calls.
//  4. `reading` and `writing` are held over the waits of a read and a write, so that each is whole. `close` needs neither.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <tenon/context.hpp>
#include <tenon/detail/atomic.hpp>
#include <tenon/error.hpp>
#include <tenon/fd.hpp>
#include <tenon/last_error.hpp>
#include <tenon/mutex.hpp>
#include <tenon/net/address.hpp>
#include <tenon/net/errc.hpp>
#include <tenon/net/stream.hpp>
#include <tenon/result.hpp>
#include <tenon/wait_group.hpp>

struct sockaddr;

namespace tenon::net::detail {

struct socket {
  explicit socket(int descriptor) : fd(descriptor) { gone.add(); }
  socket(const socket&) = delete;
  socket& operator=(const socket&) = delete;
  ~socket();

  [[nodiscard]] bool is_closed() const noexcept { return (state.load(std::memory_order_acquire) & closed) != 0; }
  /// errc::closed if it is so already.
  error close();
  /// As `close`, but the descriptor stays open. Only while it is in no use: else std::errc::device_or_resource_busy.
  error let_go();

  static constexpr std::uint32_t closed = 1U << 31U;
  const int fd;
  // The number of operations, and `closed`: the end of an operation releases, who closes acquires.
  tenon::detail::atomic<std::uint32_t> state{0};
  mutable tenon::detail::atomic<std::uint32_t> without_wait{0};  // calls in a row; lossy
  wait_group gone;
  mutex reading;
  mutex writing;
  std::string ahead;      // read, but not taken yet; guarded by reading, as is the next
  std::size_t taken = 0;  // of ahead
  bool drained = false;   // the last read has left nothing, so that the next one begins with a wait; guarded by reading
  std::optional<endpoint> peer;
  std::string file;       // of a listener: its name, which goes with it
  bool is_socket = true;  // else a pipe or a terminal, which is read and written, not received from and sent to
};

/// A use of a socket; false if that is closed, or null.
class operation {
 public:
  explicit operation(socket* s) noexcept;
  operation(const operation&) = delete;
  operation& operator=(const operation&) = delete;
  ~operation();
  explicit operator bool() const noexcept { return socket_ != nullptr; }

 private:
  socket* socket_;
};

/// One at a time, over the waits of a whole call. False if `ctx`, which may be null, ended before it was its turn.
class held_lock {
 public:
  held_lock(mutex& mu, const context* ctx) : mu_(mu) {
    if (ctx == nullptr) {
      mu_.lock();
      held_ = true;
    } else {
      held_ = mu_.lock(*ctx);
    }
  }
  held_lock(const held_lock&) = delete;
  held_lock& operator=(const held_lock&) = delete;
  ~held_lock() {
    if (held_) mu_.unlock();
  }
  explicit operator bool() const noexcept { return held_; }

 private:
  mutex& mu_;
  bool held_ = false;
};

enum class way { read, write };

/// Of the next call, by whoever makes it; or, of a stream, that there is more, or room again, since the last call said that there was not: under `reading` or `writing`.
enum class readiness { next_call, since_last };

/// What the system said of `call`, and whom it was about.
error failure(const socket& s, const char* call, int number);
/// After a call that did not have to wait.
void let_others_run(const socket& s) noexcept;
/// After a call has said EAGAIN.
error wait_until_ready(const socket& s, way w, readiness r, const context* ctx);

/// As `attempt` below, of a read of at most `asked` bytes. Under `reading`.
template <class Call>
result<std::size_t> attempt_read(socket& s, const context* ctx, std::size_t asked, Call call) {
  for (;;) {
    if (s.is_closed()) return error(errc::closed);
    if (ctx != nullptr && ctx->is_canceled()) return ctx->err();
    if (s.drained) {
      if (error e = wait_until_ready(s, way::read, readiness::since_last, ctx)) return e;
      s.drained = false;
      continue;
    }
    const auto n = call();
    if (n >= 0) {
      // Of TCP: elsewhere a read may end where a message does.
      s.drained = s.peer.has_value() && n > 0 && static_cast<std::size_t>(n) < asked;
      let_others_run(s);
      return static_cast<std::size_t>(n);
    }
    const int number = last_error();
    if (number == EAGAIN) {
      s.drained = true;
    } else if (number != EINTR) {
      return failure(s, "read", number);
    }
  }
}

/// The result of `call`, which is tried again until the descriptor is ready for it.
template <class Call>
result<std::size_t> attempt(const socket& s, way w, readiness r, const context* ctx, const char* name, Call call) {
  for (;;) {
    if (s.is_closed()) return error(errc::closed);
    if (ctx != nullptr && ctx->is_canceled()) return ctx->err();
    const auto n = call();
    if (n >= 0) {
      let_others_run(s);
      return static_cast<std::size_t>(n);
    }
    const int number = last_error();
    if (number == EINTR) continue;
    if (number != EAGAIN) return failure(s, name, number);
    if (error e = wait_until_ready(s, w, r, ctx)) return e;
  }
}

/// An address as the system has it.
struct system_address {
  alignas(8) unsigned char bytes[128];
  unsigned size = sizeof bytes;
  system_address() noexcept;
  explicit system_address(const endpoint& e) noexcept;
  explicit system_address(const unix_address& a) noexcept;
  [[nodiscard]] sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(bytes); }
  [[nodiscard]] const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(bytes); }
  [[nodiscard]] int family() const noexcept;
  /// Nothing if it is of another kind.
  [[nodiscard]] std::optional<endpoint> to_endpoint() const noexcept;
  [[nodiscard]] std::optional<unix_address> to_unix() const;
};

/// Closes `fd` if there is no memory.
socket_ptr own(int fd);
/// A new one of that family and type.
result<socket_ptr> make_socket(int family, int type);
enum class socket_kind { tcp_stream, tcp_listener, udp, unix_stream, unix_listener };
/// Takes over `fd` if it is of that kind.
result<socket_ptr> adopt_socket(int fd, socket_kind kind);
error connect_socket(socket& s, const context* ctx, const system_address& to);
result<socket_ptr> accept_socket(socket* s, const context* ctx, system_address* from);
/// Of a listener.
error wait_closed(socket* s, const context& ctx);
error bind_socket(socket& s, const system_address& at);
error listen_socket(socket& s, int backlog);
error set_option(socket* s, int level, int name, int value, const char* text);
result<endpoint> local_endpoint(socket* s);
error close_socket(socket* s);
result<int> release_socket(socket* s);
[[nodiscard]] inline bool is_open(const socket* s) noexcept { return s != nullptr && !s->is_closed(); }
[[nodiscard]] inline int handle_of(const socket* s) noexcept { return is_open(s) ? s->fd : -1; }

/// Makes the public types from sockets.
struct access {
  template <class T, class... Args>
  static T make(Args&&... args) {
    return T(std::forward<Args>(args)...);
  }
  static socket* of(const stream& s) noexcept { return s.socket_.get(); }
};

}  // namespace tenon::net::detail
