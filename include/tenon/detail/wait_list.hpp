#pragma once

// The list of those who wait for a primitive, as a member of the primitive's public type. See src/core/waiter.hpp.

#include <tenon/detail/atomic.hpp>
#include <tenon/detail/requirements.hpp>

namespace tenon::detail {

struct waiter;

struct wait_list {
  // Changed under the owner's lock; null is released, and acquired by a peek without the lock.
  detail::atomic<waiter*> head{nullptr};
  waiter* tail = nullptr;
};

}  // namespace tenon::detail
