#pragma once

// The list of those who wait for a primitive, as a member of the primitive's public type. See src/core/waiter.hpp.

#include <tenon/detail/atomic.hpp>
#include <tenon/detail/requirements.hpp>

namespace tenon::detail {

struct waiter;

struct wait_list {
  detail::atomic<waiter*> head{nullptr};  // changed under the owner's lock, with release: a peek without it acquires
  waiter* tail = nullptr;
};

}  // namespace tenon::detail
