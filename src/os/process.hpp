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
  after_func_handle on_cancel;              // last: it uses the others

  ~child();
  result<exit_status> wait(const context* ctx);
  error send(int signal_number);
  /// As `send`, for a caller that ignores whether it is there still.
  void send_if_there(int signal_number) noexcept;
  /// SIGTERM and, unless it ends within `grace`, SIGKILL. Does not take the status.
  void stop() noexcept;

 private:
  error wait_for_end(const context* ctx) const;
};

}  // namespace tenon::os::detail
