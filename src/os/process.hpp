#pragma once

// A program that this process has started.
//
// Invariants
//  1. Its number is used, by `send`, only while it cannot be another's: until its status is taken, both under `mu`.
//  2. `ending` is held by the one who waits for the end; the others wait for that one.
//  3. Once there is a `number`, the deleter leaves neither a running program nor a zombie.

#include <sys/types.h>

#include <chrono>
#include <mutex>
#include <optional>
#include <string>

#include <tenon/context.hpp>
#include <tenon/detail/atomic.hpp>
#include <tenon/error.hpp>
#include <tenon/mutex.hpp>
#include <tenon/os/process.hpp>

#include "os/descriptor.hpp"

namespace tenon::os::detail {

struct child {
  std::string name;
  std::chrono::nanoseconds grace{0};
  bool own_group = false;
  pid_t number = 0;  // 0: not started
  descriptor end;    // readable once it has ended; without one (no descriptors left, an old system) a thread waits
  mutex ending;      // before mu
  mutex mu;
  tenon::detail::atomic<bool> told{false};  // to end
  std::optional<exit_status> status;        // guarded by mu, as is the next
  error lost;                               // why there will be no status
  std::optional<cancel_scope> until_kill;   // the grace, once it has begun; by `stop`, as is the next
  after_func_handle on_late;                // SIGKILL
  after_func_handle on_cancel;              // last: it uses the others

  ~child();
  result<exit_status> wait(const context* ctx);
  error send(int signal_number);
  /// As `send`, for a caller that ignores whether it is there still.
  void send_if_there(int signal_number) noexcept;
  /// SIGTERM and, after `grace`, SIGKILL. The first call counts. Waits for neither: a cancel, which calls it outside of a run, never blocks.
  void stop() noexcept;

 private:
  error wait_for_end(const context* ctx) const;
  /// Under `mu`, while its number is its own. -1: as `last_error` says.
  int deliver(int signal_number) const noexcept;
};

}  // namespace tenon::os::detail
