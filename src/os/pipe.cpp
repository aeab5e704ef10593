#include <tenon/os/pipe.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "net/socket.hpp"
#include "os/descriptor.hpp"
#include "os/pipe.hpp"

namespace tenon::os {

namespace detail {

pipe_stream make_pipe_stream(descriptor d) {
  auto s = net::detail::own(d.give());
  s->is_socket = false;
  return net::detail::access::make<pipe_stream>(std::move(s));
}

}  // namespace detail

result<pipe_stream> pipe_stream::adopt(int fd) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return detail::system_error("adopt");
  if (!S_ISFIFO(info.st_mode) && !S_ISCHR(info.st_mode)) {
    return error(std::make_error_code(std::errc::invalid_argument), "adopt: neither a pipe nor a terminal");
  }
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return detail::system_error("adopt");
  return detail::make_pipe_stream(detail::descriptor(fd));
}

result<std::pair<pipe_stream, pipe_stream>> pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return detail::system_error("pipe");
  detail::descriptor out(ends[0]);
  detail::descriptor in(ends[1]);
  auto reader = detail::make_pipe_stream(std::move(out));
  auto writer = detail::make_pipe_stream(std::move(in));
  return std::pair(std::move(reader), std::move(writer));
}

}  // namespace tenon::os
