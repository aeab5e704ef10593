#pragma once

/// `os::process`: a program that `os::command` has started, and its owner.
///
/// Go counterpart: `exec.Cmd` after `Start`, with `Process`.
///
///     auto p = tn::os::command(ctx, {"tail", "-F", path}, {.out = tn::os::stdio::pipe}).start();
///     if (!p) return p.err();
///     while (auto line = p->out.read_until(ctx, "\n")) handle(*line);  // until the last that has an end, or one of more than 64 KiB
///     (void)p->out.close();                                            // which it might be about to write for ever
///     auto how = p->wait();
///     return how ? how->err("tail") : how.err();
///
/// **The end.** `wait` blocks the goroutine, never a worker, until the program has ended, and takes its status: no zombie stays. When the command's context ends, the program gets a
/// SIGTERM and, unless it has ended after the command's `grace`, a SIGKILL; so `wait` needs no context of its own. The destructor closes the pipes, ends a program that
/// still runs in the same way, and waits for it. What that one has started itself goes on, unless the command has `own_group` and it was told to end before it did.
///
/// **Pipes.** `in`, `out` and `err` are open where the command's options say `stdio::pipe`. A program that reads to the end of its input waits for `in.close()`; one whose output is not read
/// stops when a pipe is full: read `out` and `err` in a goroutine each if both are pipes. What has been written can be read also after the end. A program that this one has started,
/// and that has inherited an end, keeps it open.
///
/// Thread-safe, but for moves and destruction.

#include <memory>

#include <tenon/context.hpp>
#include <tenon/error.hpp>
#include <tenon/os/exit_status.hpp>
#include <tenon/os/pipe.hpp>
#include <tenon/result.hpp>

namespace tenon::os {

namespace detail {
struct child;
struct child_deleter {
  void operator()(child* c) const noexcept;
};
using child_ptr = std::unique_ptr<child, child_deleter>;
}  // namespace detail

class process {
 public:
  /// None.
  process() noexcept = default;
  process(process&&) noexcept = default;
  process& operator=(process&& other) noexcept;
  process(const process&) = delete;
  process& operator=(const process&) = delete;
  ~process();

  pipe_stream in;   ///< its standard input: to write to
  pipe_stream out;  ///< its standard output: to read from
  pipe_stream err;  ///< its standard error: to read from

  /// How it ended; every time the same. Fails only where the program cannot be waited for: `std::errc::no_child_process` if another part of this process has taken its status
  /// (`waitpid(-1, …)`), or SIGCHLD is ignored. With `own_group`, or where this process had no descriptor left for it, a signal may then reach another that has its number by now.
  result<exit_status> wait();
  /// Or until `ctx` ends, with its error; the program goes on.
  result<exit_status> wait(const context& ctx);
  /// Sends a signal. `std::errc::no_such_process` once `wait` has seen the end. Never blocks.
  error signal(int number);
  /// The system's number for it: another's may be the same once `wait` has seen the end. 0 if there is none.
  [[nodiscard]] int pid() const noexcept;

 private:
  friend class command;
  explicit process(detail::child_ptr c) noexcept : child_(std::move(c)) {}
  void end() noexcept;
  detail::child_ptr child_;
};

}  // namespace tenon::os
