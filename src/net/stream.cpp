#include <tenon/net/stream.hpp>

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

#include "net/sigpipe.hpp"
#include "net/socket.hpp"
#include "platform/annotate.hpp"

// Reading ahead: `read_until` cannot know where its delimiter is, and what it reads beyond is in `ahead`, which every read empties first.

namespace tenon::net {

namespace {

using detail::held_lock;
using detail::operation;
using detail::readiness;
using detail::way;
using detail::without_sigpipe;

/// Why `ctx` has ended, if it has.
error ended(const context* ctx) { return ctx != nullptr && ctx->is_canceled() ? ctx->err() : error(); }

void drop_ahead(detail::socket& s, std::size_t n) noexcept {
  s.taken += n;
  if (s.taken == s.ahead.size()) {
    // Idle connections are many: none keeps what it needs no longer.
    std::string().swap(s.ahead);
    s.taken = 0;
  }
}

std::size_t take_ahead(detail::socket& s, mutable_buffer into) noexcept {
  const std::size_t n = std::min(into.size(), s.ahead.size() - s.taken);
  if (n == 0) return 0;
  std::memcpy(into.data(), s.ahead.data() + s.taken, n);
  drop_ahead(s, n);
  return n;
}

/// Puts back what has been read, to be read again.
void put_back(detail::socket& s, const_buffer what) {
  if (what.empty()) return;
  s.ahead.erase(0, std::exchange(s.taken, 0));
  s.ahead.insert(0, static_cast<const char*>(what.data()), what.size());
}

/// Where a thread's reads of unknown size go first, so that those who wait for one hold no buffer, and small parts of a write. Not kept over a wait: it is the thread's.
constexpr std::size_t scratch_size = 64 * 1024;
thread_local char* own_scratch = nullptr;
thread_local bool scratch_is_gone = false;

/// Null where there is no memory for it, and at the end of the thread, whose other variables may read and write as they go.
[[gnu::noinline]] char* scratch() noexcept {
  if (own_scratch != nullptr || scratch_is_gone) return own_scratch;
  struct last {
    ~last() {
      delete[] std::exchange(own_scratch, nullptr);
      scratch_is_gone = true;
    }
  };
  thread_local const last frees;
  return own_scratch = new (std::nothrow) char[scratch_size];
}

/// Buffers as the system takes them, as many as one call does, without the first `done` bytes.
class message {
 public:
  template <class Buffer>
  explicit message(std::span<const Buffer> all, std::size_t done = 0) noexcept {
    for (const Buffer& b : all) {
      if (done >= b.size()) {
        done -= b.size();
        continue;
      }
      const auto rest = b.after(std::exchange(done, 0));
      parts_[header_.msg_iovlen++] = {const_cast<void*>(static_cast<const void*>(rest.data())), rest.size()};
      size_ += rest.size();
      if (header_.msg_iovlen == parts_.size()) break;
    }
    header_.msg_iov = parts_.data();
  }
  /// The same bytes in fewer parts: small ones that follow each other are copied to `block`, which has to outlive this, since a part takes the system longer than it takes to copy
  /// some hundred bytes. An answer of HTTP has ten and more.
  message(const msghdr& of, char* block) noexcept {
    bool to_block = false;  // the last part is what is there
    for (const iovec& part : std::span(of.msg_iov, of.msg_iovlen)) {
      size_ += part.iov_len;
      if (part.iov_len > small_part) {
        parts_[header_.msg_iovlen++] = part;
        to_block = false;
        continue;
      }
      if (!std::exchange(to_block, true)) parts_[header_.msg_iovlen++] = {block, 0};
      std::memcpy(block, part.iov_base, part.iov_len);
      block += part.iov_len;
      parts_[header_.msg_iovlen - 1].iov_len += part.iov_len;
    }
    header_.msg_iov = parts_.data();
  }
  message(const message&) = delete;
  message& operator=(const message&) = delete;

  [[nodiscard]] bool empty() const noexcept { return header_.msg_iovlen == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] msghdr* get() noexcept { return &header_; }

 private:
  static constexpr std::size_t most_parts = 16;
  static constexpr std::size_t small_part = 512;
  static_assert(most_parts * small_part <= scratch_size);

  std::size_t size_ = 0;
  msghdr header_{};
  std::array<iovec, most_parts> parts_;  // NOLINT: as many of them as are used
};

ssize_t receive_into(const detail::socket& s, void* to, std::size_t size) noexcept {
  return s.is_socket ? ::recv(s.fd, to, size, 0) : ::read(s.fd, to, size);
}

ssize_t receive_there(const detail::socket& s, std::string& to, std::size_t most) {
  const std::size_t before = to.size();
  to.resize(before + most);
  const ssize_t n = receive_into(s, to.data() + before, most);
  to.resize(before + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  return n;
}

/// Adds to `to` what the system has, at most `most` bytes. 0 is the end of the stream.
result<std::size_t> receive_more(detail::socket& s, const context* ctx, std::string& to, std::size_t most) {
  return detail::attempt_read(s, ctx, std::min(most, scratch_size), [&] {
    char* const block = scratch();
    if (block == nullptr) return receive_there(s, to, std::min(most, scratch_size));
    // To ThreadSanitizer goroutines are threads, and that two of them are on this one, one after the other, is no order.
    annotate::happens_after(block);
    const auto n = receive_into(s, block, std::min(most, scratch_size));
    if (n > 0) to.append(block, static_cast<std::size_t>(n));
    annotate::happens_before(block);
    return n;
  });
}

/// From the system. 0 is the end of the stream.
result<std::size_t> receive(detail::socket& s, const context* ctx, mutable_buffer into) {
  return detail::attempt_read(s, ctx, into.size(), [&] { return receive_into(s, into.data(), into.size()); });
}

result<std::size_t> read_some(detail::socket* s, const context* ctx, std::span<const mutable_buffer> into) {
  const operation in(s);
  if (!in) return error(errc::closed);
  if (error e = ended(ctx)) return e;
  const held_lock mine(s->reading, ctx);
  if (!mine) return ended(ctx);
  std::size_t there = 0;
  for (const mutable_buffer& b : into) there += take_ahead(*s, b);
  if (there != 0) return there;
  message m(into);
  if (m.empty()) return std::size_t(0);
  auto n = detail::attempt_read(*s, ctx, m.size(), [&] {
    const msghdr& h = *m.get();
    if (h.msg_iovlen == 1) return receive_into(*s, h.msg_iov->iov_base, h.msg_iov->iov_len);
    return s->is_socket ? ::recvmsg(s->fd, m.get(), 0) : ::readv(s->fd, h.msg_iov, static_cast<int>(h.msg_iovlen));
  });
  if (n && *n == 0) return eof();
  return n;
}

result<std::size_t> append_some(detail::socket* s, const context* ctx, std::string& to, std::size_t most) {
  const operation in(s);
  if (!in) return error(errc::closed);
  if (error e = ended(ctx)) return e;
  const held_lock mine(s->reading, ctx);
  if (!mine) return ended(ctx);
  if (most == 0) return most;
  if (const std::size_t there = std::min(most, s->ahead.size() - s->taken); there != 0) {
    to.append(s->ahead, s->taken, there);
    drop_ahead(*s, there);
    return there;
  }
  auto n = receive_more(*s, ctx, to, most);
  if (n && *n == 0) return eof();
  return n;
}

error read_exactly(detail::socket* s, const context* ctx, mutable_buffer into) {
  const operation in(s);
  if (!in) return errc::closed;
  if (error e = ended(ctx)) return e;
  const held_lock mine(s->reading, ctx);
  if (!mine) return ended(ctx);
  std::size_t there = take_ahead(*s, into);
  while (there < into.size()) {
    const auto n = receive(*s, ctx, into.after(there));
    if (!n || *n == 0) {
      put_back(*s, {into.data(), there});
      return n ? eof() : n.err();
    }
    there += *n;
  }
  return nullptr;
}

result<std::string> read_until(detail::socket* s, const context* ctx, std::string_view delimiter, std::size_t most) {
  const operation in(s);
  if (!in) return error(errc::closed);
  if (delimiter.empty())
    return error(std::make_error_code(std::errc::invalid_argument), "read_until: an empty delimiter");
  if (error e = ended(ctx)) return e;
  const held_lock mine(s->reading, ctx);
  if (!mine) return ended(ctx);
  std::size_t looked = 0;  // so many bytes from `taken` on hold no delimiter
  for (;;) {
    const std::string_view there = std::string_view(s->ahead).substr(s->taken);
    const std::size_t from = looked < delimiter.size() ? 0 : looked - (delimiter.size() - 1);
    if (const auto at = there.find(delimiter, from); at != std::string_view::npos && at + delimiter.size() <= most) {
      std::string found(there.substr(0, at + delimiter.size()));
      (void)take_ahead(*s, {found.data(), found.size()});
      return found;
    }
    if (there.size() >= most) {
      return error(std::make_error_code(std::errc::message_size),
                   "read_until: no delimiter within " + std::to_string(most) + " bytes");
    }
    looked = there.size();
    s->ahead.erase(
        0, std::exchange(s->taken,
                         0));  // or a peer that is never done with its last line would have us keep all before it
    const auto n = receive_more(*s, ctx, s->ahead, scratch_size);
    if (!n) return n.err();
    if (*n == 0) return eof();
  }
}

ssize_t send_message(const detail::socket& s, const msghdr& h) noexcept {
  if (!s.is_socket) {
    return without_sigpipe([&] { return ::writev(s.fd, h.msg_iov, static_cast<int>(h.msg_iovlen)); });
  }
  // Most writes are of one buffer, and sendmsg has to fetch a description of them first.
  if (h.msg_iovlen == 1) return ::send(s.fd, h.msg_iov->iov_base, h.msg_iov->iov_len, MSG_NOSIGNAL);
  return ::sendmsg(s.fd, &h, MSG_NOSIGNAL);
}

/// Not inline: most writes do without what it needs of the stack.
[[gnu::noinline]] ssize_t send_parts(const detail::socket& s, const msghdr& h) noexcept {
  char* const block = scratch();
  if (block == nullptr) return send_message(s, h);
  annotate::happens_after(block);  // as where it is read into
  message fewer(h, block);
  const ssize_t n = send_message(s, *fewer.get());
  annotate::happens_before(block);
  return n;
}

result<std::size_t> send(detail::socket& s, const context* ctx, message& m) {
  return detail::attempt(s, way::write, readiness::since_last, ctx, "write", [&] {
    return m.get()->msg_iovlen == 1 ? send_message(s, *m.get()) : send_parts(s, *m.get());
  });
}

result<std::size_t> write_some(detail::socket* s, const context* ctx, std::span<const const_buffer> from) {
  const operation out(s);
  if (!out) return error(errc::closed);
  if (error e = ended(ctx)) return e;
  const held_lock mine(s->writing, ctx);
  if (!mine) return ended(ctx);
  message m(from);
  if (m.empty()) return std::size_t(0);
  return send(*s, ctx, m);
}

error write_all(detail::socket* s, const context* ctx, std::span<const const_buffer> from, std::size_t* written) {
  std::size_t here = 0;
  std::size_t& done = written != nullptr ? *written : here;
  done = 0;
  const operation out(s);
  if (!out) return errc::closed;
  if (error e = ended(ctx)) return e;
  const held_lock mine(s->writing, ctx);
  if (!mine) return ended(ctx);
  std::size_t before = 0;  // bytes of the parts in front of `from`
  for (;;) {
    while (!from.empty() && done - before >= from.front().size()) {
      before += from.front().size();
      from = from.subspan(1);
    }
    message m(from, done - before);
    if (m.empty()) return nullptr;
    const auto sent = send(*s, ctx, m);
    if (!sent) return sent.err();
    done += *sent;
  }
}

error send_file(detail::socket* s, const context* ctx, int fd, std::uint64_t offset, std::uint64_t size,
                std::uint64_t* written) {
  std::uint64_t here = 0;
  std::uint64_t& done = written != nullptr ? *written : here;
  done = 0;
  const operation out(s);
  if (!out) return errc::closed;
  if (error e = ended(ctx)) return e;
  const held_lock mine(s->writing, ctx);
  if (!mine) return ended(ctx);
  while (done < size) {
    const auto at = static_cast<off_t>(offset + done);
    // In pieces: others get their turn, and a context that ends does not wait for the whole file.
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(size - done, 1 << 20U));
    const auto sent = detail::attempt(*s, way::write, readiness::since_last, ctx, "sendfile", [&] {
      return without_sigpipe([&] {
        off_t from = at;
        return ::sendfile(s->fd, fd, &from, n);
      });
    });
    if (!sent) return sent.err();
    if (*sent == 0) return eof();
    done += *sent;
  }
  return nullptr;
}

}  // namespace

stream::stream(detail::socket_ptr s) noexcept : socket_(std::move(s)) {}
stream::stream(stream&&) noexcept = default;
stream& stream::operator=(stream&&) noexcept = default;
stream::~stream() = default;

result<std::size_t> stream::read_some(const context& ctx, mutable_buffer into) {
  return net::read_some(socket_.get(), &ctx, {&into, 1});
}
result<std::size_t> stream::read_some(mutable_buffer into) {
  return net::read_some(socket_.get(), nullptr, {&into, 1});
}
result<std::size_t> stream::read_some(const context& ctx, std::span<const mutable_buffer> into) {
  return net::read_some(socket_.get(), &ctx, into);
}
result<std::size_t> stream::read_some(std::span<const mutable_buffer> into) {
  return net::read_some(socket_.get(), nullptr, into);
}
result<std::size_t> stream::append_some(const context& ctx, std::string& to, std::size_t most) {
  return net::append_some(socket_.get(), &ctx, to, most);
}
result<std::size_t> stream::append_some(std::string& to, std::size_t most) {
  return net::append_some(socket_.get(), nullptr, to, most);
}

error stream::read_exactly(const context& ctx, mutable_buffer into) {
  return net::read_exactly(socket_.get(), &ctx, into);
}
error stream::read_exactly(mutable_buffer into) { return net::read_exactly(socket_.get(), nullptr, into); }

result<std::string> stream::read_until(const context& ctx, std::string_view delimiter, std::size_t most) {
  return net::read_until(socket_.get(), &ctx, delimiter, most);
}
result<std::string> stream::read_until(std::string_view delimiter, std::size_t most) {
  return net::read_until(socket_.get(), nullptr, delimiter, most);
}

result<std::size_t> stream::write_some(const context& ctx, const_buffer from) {
  return net::write_some(socket_.get(), &ctx, {&from, 1});
}
result<std::size_t> stream::write_some(const_buffer from) {
  return net::write_some(socket_.get(), nullptr, {&from, 1});
}
result<std::size_t> stream::write_some(const context& ctx, std::span<const const_buffer> from) {
  return net::write_some(socket_.get(), &ctx, from);
}
result<std::size_t> stream::write_some(std::span<const const_buffer> from) {
  return net::write_some(socket_.get(), nullptr, from);
}

error stream::write_all(const context& ctx, const_buffer from, std::size_t* written) {
  return net::write_all(socket_.get(), &ctx, {&from, 1}, written);
}
error stream::write_all(const_buffer from, std::size_t* written) {
  return net::write_all(socket_.get(), nullptr, {&from, 1}, written);
}
error stream::write_all(const context& ctx, std::span<const const_buffer> from, std::size_t* written) {
  return net::write_all(socket_.get(), &ctx, from, written);
}
error stream::write_all(std::span<const const_buffer> from, std::size_t* written) {
  return net::write_all(socket_.get(), nullptr, from, written);
}

error stream::send_file(const context& ctx, int fd, std::uint64_t offset, std::uint64_t size, std::uint64_t* written) {
  return net::send_file(socket_.get(), &ctx, fd, offset, size, written);
}
error stream::send_file(int fd, std::uint64_t offset, std::uint64_t size, std::uint64_t* written) {
  return net::send_file(socket_.get(), nullptr, fd, offset, size, written);
}

error stream::shutdown(shut how) {
  const operation in(socket_.get());
  if (!in) return errc::closed;
  const int kind = how == shut::read ? SHUT_RD : how == shut::write ? SHUT_WR : SHUT_RDWR;
  return ::shutdown(socket_->fd, kind) == 0 ? error() : detail::failure(*socket_, "shutdown", last_error());
}

error stream::close() { return detail::close_socket(socket_.get()); }
bool stream::is_open() const noexcept { return detail::is_open(socket_.get()); }

error stream::set_receive_buffer(int bytes) {
  return detail::set_option(socket_.get(), SOL_SOCKET, SO_RCVBUF, bytes, "set_receive_buffer");
}
error stream::set_send_buffer(int bytes) {
  return detail::set_option(socket_.get(), SOL_SOCKET, SO_SNDBUF, bytes, "set_send_buffer");
}

int stream::native_handle() const noexcept { return detail::handle_of(socket_.get()); }
result<int> stream::release() { return detail::release_socket(socket_.get()); }

std::size_t stream::buffered() const {
  const operation in(socket_.get());
  if (!in) return 0;
  const std::lock_guard hold(socket_->reading);
  return socket_->ahead.size() - socket_->taken;
}

}  // namespace tenon::net
