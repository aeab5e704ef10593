#pragma once

/// How this program starts fibers.

#include <memory>
#include <utility>

#include <boost/fiber/fiber.hpp>
#include <boost/fiber/fixedsize_stack.hpp>
#include <boost/fiber/pooled_fixedsize_stack.hpp>

namespace bench::boost_fiber {

/// True while fibers move between threads.
inline bool several_threads = false;

/// Starts a fiber the cheapest way: on a stack from a pool. The pool is not thread-safe, so fibers that move between
/// threads take theirs from malloc.
template <class F>
boost::fibers::fiber start(F&& f, boost::fibers::launch how = boost::fibers::launch::post) {
  static boost::fibers::fixedsize_stack from_malloc(16 * 1024);
  static boost::fibers::pooled_fixedsize_stack from_pool(16 * 1024);
  if (several_threads) return {how, std::allocator_arg, from_malloc, std::forward<F>(f)};
  return {how, std::allocator_arg, from_pool, std::forward<F>(f)};
}

}  // namespace bench::boost_fiber
