#include <tenon/os/command.hpp>

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <memory>
#include <new>
#include <string_view>

#include <tenon/blocking.hpp>
#include <tenon/group.hpp>
#include <tenon/last_error.hpp>
#include <tenon/net/errc.hpp>

#include "os/descriptor.hpp"
#include "os/pipe.hpp"
#include "os/process.hpp"

namespace tenon::os {

namespace {

using detail::descriptor;

error invalid(std::string what) { return {std::make_error_code(std::errc::invalid_argument), std::move(what)}; }

bool has_null(const std::string& text) noexcept { return text.find('\0') != std::string::npos; }

/// As the system takes them: pointers, the last one null.
std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> all;
  all.reserve(words.size() + 1);
  for (const std::string& w : words) all.push_back(const_cast<char*>(w.c_str()));
  all.push_back(nullptr);
  return all;
}

/// What the child does before it becomes the program. Descriptors that are to be 0, 1 and 2 are none of these here, so that none is overwritten before it is used.
class actions {
 public:
  actions() {
    if (::posix_spawn_file_actions_init(&actions_) != 0) throw std::bad_alloc();
  }
  actions(const actions&) = delete;
  actions& operator=(const actions&) = delete;
  ~actions() { ::posix_spawn_file_actions_destroy(&actions_); }

  void to_null(int number) { check(::posix_spawn_file_actions_addopen(&actions_, number, "/dev/null", O_RDWR, 0)); }
  void duplicate(int from, int number) { check(::posix_spawn_file_actions_adddup2(&actions_, from, number)); }
  void close_from(int number) { check(::posix_spawn_file_actions_addclosefrom_np(&actions_, number)); }
  void change_directory(const std::string& to) { check(::posix_spawn_file_actions_addchdir_np(&actions_, to.c_str())); }
  [[nodiscard]] const posix_spawn_file_actions_t* get() const noexcept { return &actions_; }

 private:
  static void check(int number) {
    if (number != 0) throw std::bad_alloc();  // the only reason there is
  }
  posix_spawn_file_actions_t actions_{};
};

class attributes {
 public:
  explicit attributes(bool own_group) {
    if (::posix_spawnattr_init(&attributes_) != 0) throw std::bad_alloc();
    sigset_t signals;
    ::sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes_, &signals);
    ::sigaddset(&signals, SIGPIPE);
    ::posix_spawnattr_setsigdefault(&attributes_, &signals);
    int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    if (own_group) flags |= POSIX_SPAWN_SETPGROUP;  // of which it is the first: 0, as it stands there
    ::posix_spawnattr_setflags(&attributes_, static_cast<short>(flags));
  }
  attributes(const attributes&) = delete;
  attributes& operator=(const attributes&) = delete;
  ~attributes() { ::posix_spawnattr_destroy(&attributes_); }
  [[nodiscard]] const posix_spawnattr_t* get() const noexcept { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

/// A second number for what `fd` leads to, none of the standard three.
result<descriptor> duplicate(int fd) {
  descriptor d(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!d.is_open()) return detail::system_error("descriptor " + std::to_string(fd));
  return d;
}

/// One of the program's three descriptors: what it becomes in the program, and our end if it is a pipe.
struct end_of_program {
  descriptor theirs;
  pipe_stream ours;
};

result<end_of_program> make_pipe(bool they_read) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return detail::system_error("pipe");
  descriptor for_reading(ends[0]);
  descriptor for_writing(ends[1]);
  descriptor& ours = they_read ? for_writing : for_reading;
  descriptor& theirs = they_read ? for_reading : for_writing;
  if (::fcntl(ours.get(), F_SETFL, O_NONBLOCK) != 0) return detail::system_error("pipe");
  end_of_program made;
  if (theirs.get() <= 2) {
    auto other = duplicate(theirs.get());
    if (!other) return other.err();
    theirs = *std::move(other);
  }
  made.theirs = std::move(theirs);
  made.ours = detail::make_pipe_stream(std::move(ours));
  return made;
}

/// The last line of what a program has said.
std::string last_line(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  const auto last = text.find_last_not_of(blank);
  if (last == std::string_view::npos) return {};
  text = text.substr(0, last + 1);
  const auto before = text.find_last_of("\r\n");
  if (before != std::string_view::npos) text = text.substr(before + 1);
  constexpr std::size_t most = 400;
  return std::string(text.substr(0, most));
}

/// Closes our end of a pipe with the transfer that uses it: a program that waits for a failed one would wait for ever, and so would who waits for the program.
struct closer {
  pipe_stream& end;
  ~closer() { (void)end.close(); }
};

/// Of a program that has ended, as nobody waits any more for those who may have its pipe still: what is there. Whether that was all.
bool read_what_is_there(const pipe_stream& from, std::string& to) {
  const int most = ::fcntl(from.native_handle(), F_GETPIPE_SZ);
  char block[16 * 1024];
  for (std::ptrdiff_t there = 0; there <= most;) {
    const ssize_t n = ::read(from.native_handle(), block, sizeof block);
    if (n == 0) return true;
    if (n < 0 && last_error() != EINTR) return false;
    to.append(block, static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    there += std::max<ssize_t>(n, 0);
  }
  return false;
}

error read_to_end(const context& ctx, pipe_stream& from, std::string& to, std::size_t most_kept) {
  for (;;) {
    const auto n = from.append_some(ctx, to, 64 * 1024);
    if (!n && ctx.is_canceled() && read_what_is_there(from, to)) return nullptr;
    if (!n) return n.err() == net::eof() ? error() : n.err();
    if (to.size() > most_kept && to.size() - most_kept >= most_kept) to.erase(0, to.size() - most_kept);
  }
}

}  // namespace

result<process> command::start() { return start(options_); }

result<process> command::start(const command_options& options) {
  if (ctx_.is_canceled()) return ctx_.err();
  if (words_.empty() || words_[0].empty()) return invalid("command: no program");
  const std::string& name = words_[0];
  if (std::any_of(words_.begin(), words_.end(), has_null) || has_null(options.directory)) {
    return invalid("command: a word with a null character");
  }
  if (options.environment) {
    for (const std::string& e : *options.environment) {
      if (has_null(e) || e.find('=') == std::string::npos || e[0] == '=') return invalid("command: environment: " + e);
    }
  }

  actions first;
  process made(detail::child_ptr(new detail::child));
  const std::array<stdio, 3> wanted = {options.in, options.out, options.err};
  const std::array<pipe_stream*, 3> ours = {&made.in, &made.out, &made.err};
  std::array<descriptor, 3> theirs;
  for (int i = 0; i < 3; ++i) {
    const stdio to = wanted[static_cast<std::size_t>(i)];
    descriptor& their_end = theirs[static_cast<std::size_t>(i)];
    if (to == stdio::null) {
      first.to_null(i);
    } else if (to == stdio::inherit) {
      // stays as it is
    } else if (to == stdio::with_out) {
      if (i != 2) return invalid("command: stdio::with_out is for err");
      first.duplicate(1, 2);
    } else if (to == stdio::pipe) {
      auto p = make_pipe(i == 0);
      if (!p) return p.err();
      their_end = std::move(p->theirs);
      *ours[static_cast<std::size_t>(i)] = std::move(p->ours);
      first.duplicate(their_end.get(), i);
    } else {
      auto d = duplicate(to.value_);
      if (!d) return d.err();
      their_end = *std::move(d);
      first.duplicate(their_end.get(), i);
    }
  }
  first.close_from(3);
  if (!options.directory.empty()) first.change_directory(options.directory);

  const attributes how(options.own_group);
  const std::vector<char*> words = pointers(words_);
  const std::vector<char*> environment = options.environment ? pointers(*options.environment) : std::vector<char*>();
  detail::child& c = *made.child_;
  c.name = name;
  c.grace = options.grace;
  c.own_group = options.own_group;
  const int number = blocking([&] {
    return ::posix_spawnp(&c.number, name.c_str(), first.get(), how.get(), words.data(),
                          options.environment ? environment.data() : environ);
  });
  if (number != 0) {
    c.number = 0;
    const std::error_code code(number, std::generic_category());
    struct stat there{};
    // The system does not say which of the two it has not found.
    if (!options.directory.empty() && (::stat(options.directory.c_str(), &there) != 0 || !S_ISDIR(there.st_mode))) {
      return error(code, name + ": in " + options.directory);
    }
    return error(code, name);
  }
  c.end = descriptor(static_cast<int>(::syscall(SYS_pidfd_open, c.number, 0)));
  if (ctx_) c.on_cancel = after_func(ctx_, [&c] { c.stop(); });
  return made;
}

error command::run(command_options options, net::const_buffer input, bool has_input, std::string* out) {
  if (has_input) options.in = stdio::pipe;
  if (out != nullptr) options.out = stdio::pipe;
  const bool reads_err = out != nullptr && (options.err == stdio::null || options.err == stdio::pipe);
  if (out == nullptr && (options.out == stdio::pipe || options.err == stdio::pipe)) {
    return invalid("command: run reads no pipe: take output, or start");
  }
  if (reads_err) options.err = stdio::pipe;
  auto started = start(options);
  if (!started) return started.err();
  process& p = *started;

  // Not ended by `ctx_`, as long as the program runs: what it writes when it has been told to end shall not stop it.
  const cancel_scope transfer = with_cancel(background());
  std::string said;
  std::optional<group> transfers;
  if (has_input || out != nullptr) transfers.emplace(transfer.ctx());
  if (has_input) {
    transfers->go([&p, input](const context& ctx) {
      const closer at_end{p.in};
      const error e = p.in.write_all(ctx, input);
      return e.is(std::errc::broken_pipe) || ctx.is_canceled() ? error() : e;
    });
  } else {
    (void)p.in.close();
  }
  if (out != nullptr) {
    transfers->go([&p, out](const context& ctx) {
      const closer at_end{p.out};
      return read_to_end(ctx, p.out, *out, out->max_size());
    });
  }
  if (reads_err) {
    constexpr std::size_t most_kept = 4096;
    transfers->go([&p, &said](const context& ctx) {
      const closer at_end{p.err};
      return read_to_end(ctx, p.err, said, most_kept);
    });
  }

  const auto how = p.wait();
  error failed;
  if (transfers) {
    after_func_handle cut;
    if (ctx_) cut = after_func(ctx_, [&transfer] { transfer.cancel(); });
    failed = transfers->wait();
  }
  if (!how) return how.err();
  if ((failed || !how->success()) && ctx_.is_canceled()) return ctx_.err();
  if (failed) return failed;  // the program may have ended for that
  if (!how->success()) {
    const std::string line = last_line(said);
    return how->err(line.empty() ? p.child_->name : p.child_->name + ": " + line);
  }
  return nullptr;
}

error command::run() { return run(options_, {}, false, nullptr); }
error command::run(net::const_buffer input) { return run(options_, input, true, nullptr); }

result<std::string> command::output() {
  std::string out;
  if (error e = run(options_, {}, false, &out)) return e;
  return out;
}

result<std::string> command::output(net::const_buffer input) {
  std::string out;
  if (error e = run(options_, input, true, &out)) return e;
  return out;
}

result<std::string> command::combined_output() {
  command_options options = options_;
  options.err = stdio::with_out;
  std::string out;
  if (error e = run(std::move(options), {}, false, &out)) return e;
  return out;
}

result<std::string> command::combined_output(net::const_buffer input) {
  command_options options = options_;
  options.err = stdio::with_out;
  std::string out;
  if (error e = run(std::move(options), input, true, &out)) return e;
  return out;
}

}  // namespace tenon::os
