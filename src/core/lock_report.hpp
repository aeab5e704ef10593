#pragma once

// What is said about a lock on stderr, at once, by a goroutine that goes on, or fatally.

#include <string>

#include "core/relock_check.hpp"
#include "platform/call_site.hpp"

namespace tenon::detail {

struct lock_fault {
  std::string what;           // "recursive lock of …"
  const call_site* first;     // where it was locked,
  const char* first_heading;  // and the line above that
  const char* here_heading;   // the line above the caller's own place
  const char* advice;
};

/// Once for each place of the caller, in all; each time, and without a return, if it is `fatal`; nothing, if no run that checks such locks is
/// active any more. The caller holds no lock of tenon's own. Blocks the thread until the report is written.
void report(const lock_fault& fault, lock_checking how) noexcept;

/// "goroutine 7", with its name if it has one; "a plain thread".
std::string name_of_caller();

}  // namespace tenon::detail
