#pragma once

// A goroutine that waits for what waits for it: its group, its wait group, its own handle. Nothing can end that, so it is fatal at once, while
// both places are known.

namespace tenon::detail {

/// Fatal if the calling goroutine belongs to `owner` (see spawn_options). `as` completes "it is ", as in "a member of the group that it waits for".
void refuse_to_wait_for_own_end(const void* owner, const char* as) noexcept;
[[noreturn]] void fatal_own_end(const char* as) noexcept;

}  // namespace tenon::detail
