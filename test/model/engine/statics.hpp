#pragma once

// What outlives an execution: variables of static storage, and what `new` has given out before. Each execution finds them as the first one
// has left them, or the same decisions would not lead to the same.
//
// Pages are write-protected at first. The first write to one keeps a copy, from which it is put back from then on.

#include <cstddef>

namespace tenon::model {

/// From now on. `also` is memory besides, of whole pages.
void keep_statics(void* also, std::size_t size) noexcept;
void put_back_statics() noexcept;
/// By the handler of SIGSEGV: whether it was such a first write, which can be tried again.
bool is_first_write(void* address) noexcept;

}  // namespace tenon::model
