#pragma once

// The atomics of tenon: `std::atomic`, or, where its own threads are explored in every order (test/model), one that is told of each
// operation. Nothing here is for users; tools/check_rules keeps the library to it.

#include <tenon/detail/requirements.hpp>

#if defined(TENON_MODEL)
#include <model/engine/atomic.hpp>

namespace tenon::detail {
template <class T>
using atomic = model::atomic<T>;
/// Where the kernel finds its value.
template <class T>
void* address_of(atomic<T>& a) noexcept {
  return a.self().bytes;
}
}  // namespace tenon::detail
#else
#include <atomic>

namespace tenon::detail {
template <class T>
using atomic = std::atomic<T>;
template <class T>
void* address_of(atomic<T>& a) noexcept {
  return &a;
}
}  // namespace tenon::detail
#endif
