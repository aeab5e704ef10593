#pragma once

/// Which OS thread this is, and what one does.

namespace tenon_test {

/// The kernel's number for the calling thread. Never a remembered one: `std::this_thread::get_id()` may be, because compilers
/// take it for granted that a function stays on its thread.
[[nodiscard]] long os_thread_number() noexcept;

/// 'R': it computes (or yields); 'S': it sleeps; '?': there is none of that number.
[[nodiscard]] char state_of_thread(long number);

}  // namespace tenon_test
