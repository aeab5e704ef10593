#pragma once

/// `net::unix_listener`: accepts connections of processes of this machine.
///
/// Go counterpart: `net.Listen("unix", path)`, `net.UnixListener`.
///
/// As a `tcp_listener`. The file at the path is made by `listen`, which fails with `std::errc::address_in_use` where there is one, and removed by `close` and the
/// destructor, as in Go; an adopted listener's is left. Names that begin with '@' leave no file; without a name the
/// system chooses such a one, see `local`.

#include <tenon/net/address.hpp>
#include <tenon/net/tcp_listener.hpp>
#include <tenon/net/unix_stream.hpp>

namespace tenon::net {

class unix_listener {
 public:
  /// Closed.
  unix_listener() noexcept = default;
  unix_listener(unix_listener&&) noexcept = default;
  unix_listener& operator=(unix_listener&&) noexcept = default;
  ~unix_listener() = default;

  static result<unix_listener> listen(std::string_view path, const listen_options& options = {});
  static result<unix_listener> listen(const unix_address& at, const listen_options& options = {});
  static result<unix_listener> adopt(int fd);

  result<unix_stream> accept(const context& ctx);
  result<unix_stream> accept();

  [[nodiscard]] const unix_address& local() const noexcept { return local_; }
  error close();
  error wait_closed(const context& ctx);
  [[nodiscard]] bool is_open() const noexcept;
  [[nodiscard]] int native_handle() const noexcept;
  /// The file stays.
  result<int> release();

 private:
  friend struct detail::access;
  unix_listener(detail::socket_ptr s, unix_address at) noexcept : socket_(std::move(s)), local_(std::move(at)) {}
  detail::socket_ptr socket_;
  unix_address local_;
};

}  // namespace tenon::net
