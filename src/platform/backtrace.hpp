#pragma once

// The calls that the caller stands in: return addresses, innermost first. Async-signal-safe once it has been used (the first use loads the
// unwinder's tables).

namespace tenon {

/// Fills `pcs` from its beginning and returns how many there are. An interrupted instruction is given as the address after it, so that every
/// address is one past the call or the instruction that is meant.
unsigned backtrace(const void** pcs, unsigned room) noexcept;

}  // namespace tenon
