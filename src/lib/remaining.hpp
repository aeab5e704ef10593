#pragma once

namespace tenon::detail {

/// At the end of the main goroutine: cancels the contexts of those goroutines with a handle that have not ended. Their handles stand where no
/// scope of the run ends them: in a static variable, or a thread's.
void cancel_remaining() noexcept;

}  // namespace tenon::detail
