#pragma once

// A failure that an owner keeps until it is asked for it: a group, a wait group, a goroutine's handle, a run. While it has not been seen, every
// report of the end of the process names it, because what ends a process is often only the consequence: one failed, and the
// others wait for it. Nothing here is for users.

#include <exception>
#include <string>

#include <tenon/detail/requirements.hpp>

namespace tenon::detail {

struct failure_record;

/// Who failed, and with what. Costs a null pointer until then. The owner orders the calls.
class kept_failure {
 public:
  constexpr kept_failure() noexcept = default;
  kept_failure(const kept_failure&) = delete;
  kept_failure& operator=(const kept_failure&) = delete;
  ~kept_failure() {
    if (record_ != nullptr) seen();
  }

  /// The calling goroutine, or thread, has failed. Where there is no memory for the record the failure is kept all the same, unlisted.
  void set(const std::exception_ptr& failure) noexcept;
  void set(const std::string& message) noexcept;
  /// It has been given to one who deals with it.
  void seen() noexcept;
  /// Its owner ends and no caller has seen it: to the unhandled hook, in the name of the one who failed.
  void unhandled(std::exception_ptr failure) noexcept;

 private:
  failure_record* record_ = nullptr;
};

}  // namespace tenon::detail
