#pragma once

/// The program itself: walk, digest, print.

#include <tenon/context.hpp>

#include "digest.hpp"
#include "options.hpp"
#include "status.hpp"

namespace md5all {

/// Prints the digest of every file that was asked for, and says on standard error what went wrong. Ends soon once `ctx` is
/// canceled.
[[nodiscard]] exit_status digest_all(const tn::context& ctx, const options& chosen, const algorithm& how);

}  // namespace md5all
