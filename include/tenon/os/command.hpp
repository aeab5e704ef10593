#pragma once

/// `os::command`: runs another program, which ends with the context, and never holds up a thread.
///
/// Go counterpart: `os/exec`: `CommandContext` with `Cancel` and `WaitDelay`, `Run`, `Output`, `CombinedOutput`, `Start`.
///
///     auto head = tn::os::command(ctx, {"git", "rev-parse", "HEAD"}, {.directory = repository}).output();
///     if (!head) return head.err();                        // git: fatal: not a git repository: exit status 128
///
///     auto sorted = tn::os::command(ctx, {"sort", "-u"}).output(names);   // with an input
///
/// The words go to the program as they are: no shell reads them. A program without a slash is looked for in this process's PATH; a relative one with a slash, from `directory`.
///
/// **What it inherits.** Of the descriptors the three standard ones, as the options say, and no other, whatever this process has open. No blocked
/// signals, SIGPIPE's default action (another signal that this process ignores stays ignored), the environment unless the options have one.
///
/// **Cancel.** When `ctx` ends, the program gets a SIGTERM and, unless it has ended after `grace`, a SIGKILL. `run` and `output` then return the context's error, unless it has
/// succeeded all the same. With `own_group` both go to all that it has started, too, unless they have left its process group; when the program has ended, the rest of them get
/// the SIGKILL. Whom it has left behind when it ended by itself, before `ctx` did, no signal reaches any more.
///
/// **The end.** `run` and `output` wait until the program has ended and, if they read what it writes, until that is at its end: a program that it has
/// left in the background, and that has kept its output, is waited for until `ctx` ends, which is the error then. With an input they wait, too, until all of it
/// is written, or no reader is left; for one in the background that keeps the pipe, and does not read, until `ctx` ends. When a transfer fails, its
/// pipe is closed, and what failed is the error.
///
/// **Errors.** That it could not be started, with its name: `nosuch: No such file or directory`. Other than exit status 0: the name, the last line of what it wrote to its standard error where `output` reads that, and how it
/// ended; `exit_status::of(err)` has the number.
///
/// May be used again, one call at a time. Blocks the goroutine, never a worker. `start` may be called from a plain thread; `run` and `output` are fatal outside of a run where they have something to write or read.

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <tenon/context.hpp>
#include <tenon/error.hpp>
#include <tenon/net/buffer.hpp>
#include <tenon/os/process.hpp>
#include <tenon/result.hpp>
#include <tenon/time_span.hpp>

namespace tenon::os {

/// Where one of a program's three standard descriptors leads.
class stdio {
 public:
  static const stdio null;      ///< nowhere: /dev/null
  static const stdio inherit;   ///< where this process's does
  static const stdio pipe;      ///< to `process::in`, `out` or `err`
  static const stdio with_out;  ///< for `err`: where `out` leads
  /// To a descriptor of this process, which keeps it; it has to be open until the program has been started. Many programs do not stand one in non-blocking mode, as
  /// those of this library's streams are.
  static constexpr stdio descriptor(int fd) noexcept { return stdio(fd < 0 ? -1 : fd); }

  friend constexpr bool operator==(stdio, stdio) noexcept = default;

 private:
  friend class command;
  constexpr explicit stdio(int value) noexcept : value_(value) {}
  int value_;
};
inline constexpr stdio stdio::null{-2};
inline constexpr stdio stdio::inherit{-3};
inline constexpr stdio stdio::pipe{-4};
inline constexpr stdio stdio::with_out{-5};

struct command_options {
  /// Where it starts. Empty: where this process is.
  std::string directory = {};
  /// "NAME=value" each. Without: this process's.
  std::optional<std::vector<std::string>> environment = std::nullopt;
  stdio in = stdio::null;
  stdio out = stdio::null;
  stdio err = stdio::null;
  /// Between SIGTERM and SIGKILL; 0: SIGKILL at once.
  time_span grace = std::chrono::seconds(5);
  /// It becomes the leader of a process group, and signals go to all of that. Not for programs that use the terminal.
  bool own_group = false;
};

class command {
 public:
  /// `words`: the program and its arguments.
  command(context ctx, std::vector<std::string> words, command_options options = {})
      : ctx_(std::move(ctx)), words_(std::move(words)), options_(std::move(options)) {}

  /// Runs it to its end.
  error run();
  /// With `input` as its standard input; a program that does not read all of it has not failed.
  error run(net::const_buffer input);

  /// Runs it to its end and returns what it wrote to its standard output.
  result<std::string> output();
  result<std::string> output(net::const_buffer input);
  /// And to its standard error, as it came.
  result<std::string> combined_output();
  result<std::string> combined_output(net::const_buffer input);

  /// Starts it. Blocks until the system has loaded the program.
  result<process> start();

 private:
  result<process> start(const command_options& options);
  error run(command_options options, net::const_buffer input, bool has_input, std::string* out);
  context ctx_;
  std::vector<std::string> words_;
  command_options options_;
};

}  // namespace tenon::os
