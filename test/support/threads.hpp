#pragma once

/// Which OS thread this is.

namespace tenon_test {

/// The kernel's number for the calling thread. Never a remembered one: `std::this_thread::get_id()` may be, because compilers
/// take it for granted that a function stays on its thread.
[[nodiscard]] long os_thread_number() noexcept;

}  // namespace tenon_test
