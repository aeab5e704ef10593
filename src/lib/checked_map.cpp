#include <tenon/checked_map.hpp>

#include "base/fatal.hpp"

namespace tenon::detail {

void use_check::two_writers() noexcept { fatal("concurrent map writes"); }
void use_check::read_and_write() noexcept { fatal("concurrent map read and map write"); }
void use_check::iterate_and_write() noexcept { fatal("concurrent map iteration and map write"); }

}  // namespace tenon::detail
