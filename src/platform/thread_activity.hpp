#pragma once

#include <sys/types.h>

#include <cstddef>

namespace tenon {

/// What a thread of this process is doing in the kernel: "in the system call read", "in the system call futex (a lock, or a condition)",
/// "on a processor, or waiting for one"; as far as /proc tells.
void describe_activity(pid_t tid, char* out, std::size_t size) noexcept;

}  // namespace tenon
