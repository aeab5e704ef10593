#include <tenon/context.hpp>

#include <utility>
#include <vector>

#include "harness.hpp"
#include "rows.hpp"

namespace bench {

void context_cancel(std::int64_t n) {
  std::int64_t canceled = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    auto parent_scope = tenon::with_cancel(tenon::background());
    const tenon::context parent = parent_scope.ctx();
    auto child_scope = tenon::with_cancel(parent);
    const tenon::context child = child_scope.ctx();
    const auto done = child.done();
    parent_scope.cancel();
    if (!done.recv() && child.err() == tenon::canceled()) ++canceled;
  }
  expect("the number of contexts seen canceled", canceled, n);
}

template <std::int64_t Width>
void context_tree(std::int64_t n) {
  std::int64_t canceled = 0;
  for (std::int64_t round = 0; round < n / Width; ++round) {
    auto scope = tenon::with_cancel(tenon::background());
    const tenon::context parent = scope.ctx();
    std::vector<tenon::cancel_scope> children;
    children.reserve(static_cast<std::size_t>(Width));
    for (std::int64_t i = 0; i < Width; ++i) children.push_back(tenon::with_cancel(parent));
    scope.cancel();
    for (const auto& child : children) {
      if (child.ctx().err() == tenon::canceled()) ++canceled;
    }
  }
  expect("the number of children seen canceled", canceled, n);
}
template void context_tree<10>(std::int64_t);
template void context_tree<100>(std::int64_t);
template void context_tree<1000>(std::int64_t);
template void context_tree<10'000>(std::int64_t);

void context_depth(std::int64_t n) {
  std::int64_t canceled = 0;
  for (std::int64_t round = 0; round < n / tree_depth; ++round) {
    std::vector<tenon::cancel_scope> chain;
    chain.reserve(static_cast<std::size_t>(tree_depth));
    chain.push_back(tenon::with_cancel(tenon::background()));
    for (std::int64_t i = 1; i < tree_depth; ++i) chain.push_back(tenon::with_cancel(chain.back().ctx()));
    chain.front().cancel();
    for (const auto& one : chain) {
      if (one.ctx().err() == tenon::canceled()) ++canceled;
    }
  }
  expect("the number of descendants seen canceled", canceled, n);
}

void context_poll(std::int64_t n) {
  auto parent_scope = tenon::with_cancel(tenon::background());
  const tenon::context parent = parent_scope.ctx();
  auto scope = tenon::with_cancel(parent);
  const tenon::context ctx = scope.ctx();
  std::int64_t live = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    if (!ctx.err()) ++live;
  }
  expect("the number of polls before the end", live, n);
}

}  // namespace bench
