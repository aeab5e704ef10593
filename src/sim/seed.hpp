#pragma once

#include <cstdint>

namespace tenon::detail {

/// `seed`, or what TENON_SEED says. Anything but a number there ends the process.
std::uint64_t seed_in_use(std::uint64_t seed);

}  // namespace tenon::detail
