#pragma once

/// `yield()`: lets the other runnable goroutines go first.
///
/// Go counterpart: `runtime.Gosched`. Never blocks: the caller goes to the end of its worker's queue. On a plain OS thread
/// it is `std::this_thread::yield`. Cancel and close do not concern it.

#include <tenon/detail/requirements.hpp>

namespace tenon {

void yield() noexcept;

}  // namespace tenon
