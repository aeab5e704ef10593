#pragma once

/// `unit`: the value that carries no information, for channels that only signal.
///
/// Go counterpart: `struct{}`, as in `chan struct{}`.

namespace tenon {

struct unit {
  friend constexpr bool operator==(unit, unit) noexcept { return true; }
};

}  // namespace tenon
