// One operation that can proceed, among every combination of cases that cannot, in every order of the two kinds of default
// and both forms of select. The channel is buffered, so that no second goroutine is needed: what is tested is that the right
// case runs, and only that one.

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/into.hpp"

namespace {

// The cases that never fire.
enum idle : unsigned { send_idle = 1, recv_idle = 2, send_nil = 4, recv_nil = 8, all_idle = 15 };

// Where `otherwise` stands, as seen from the case that fires.
enum class fallback { none, before, after };

struct shape {
  unsigned idle_before;
  unsigned idle_after;
  fallback otherwise;
};

// Every shape in which each idle case is absent, before or after the live case.
std::vector<shape> every_shape() {
  std::vector<shape> shapes;
  for (unsigned before = 0; before <= all_idle; ++before) {
    for (unsigned after = 0; after <= all_idle; ++after) {
      if ((before & after) != 0) continue;
      for (const fallback f : {fallback::none, fallback::before, fallback::after}) shapes.push_back({before, after, f});
    }
  }
  return shapes;
}

std::string describe(const shape& s) {
  return "idle before " + std::to_string(s.idle_before) + ", after " + std::to_string(s.idle_after) + ", otherwise " +
         std::to_string(static_cast<int>(s.otherwise));
}

// The variadic form for a number of cases known only here.
template <std::size_t... I>
std::size_t select_all(std::span<tenon::select_case> cases, std::index_sequence<I...>) {
  return tenon::select(cases[I]...);
}
std::size_t select_variadic(std::span<tenon::select_case> cases) {
  switch (cases.size()) {
    case 1: return select_all(cases, std::make_index_sequence<1>());
    case 2: return select_all(cases, std::make_index_sequence<2>());
    case 3: return select_all(cases, std::make_index_sequence<3>());
    case 4: return select_all(cases, std::make_index_sequence<4>());
    case 5: return select_all(cases, std::make_index_sequence<5>());
    case 6: return select_all(cases, std::make_index_sequence<6>());
    default: ADD_FAILURE() << cases.size() << " cases"; return cases.size();
  }
}
std::size_t select_span(std::span<tenon::select_case> cases) { return tenon::select(cases); }

template <class T>
struct fixture {
  T n{};  // what is sent next
  tenon::chan<T> live = tenon::make_chan<T>(1);
  tenon::chan<T> dummy = tenon::make_chan<T>();
  tenon::chan<T> nil{};
  T idle_value{};
  std::optional<T> idle_target{};

  // The cases of `s` around `live_case`; its index is `at`.
  std::vector<tenon::select_case> cases(const shape& s, const tenon::select_case* live_case, std::size_t& at) {
    std::vector<tenon::select_case> list;
    const auto add_idle = [&](unsigned which) {
      if (which & send_idle) list.push_back(tenon::send(dummy, std::move(idle_value)));
      if (which & recv_idle) list.push_back(tenon_test::into(dummy, idle_target));
      if (which & send_nil) list.push_back(tenon::send(nil, std::move(idle_value)));
      if (which & recv_nil) list.push_back(tenon_test::into(nil, idle_target));
    };
    if (s.otherwise == fallback::before) list.push_back(tenon::otherwise);
    add_idle(s.idle_before);
    at = list.size();
    if (live_case != nullptr) list.push_back(*live_case);
    add_idle(s.idle_after);
    if (s.otherwise == fallback::after) list.push_back(tenon::otherwise);
    return list;
  }
};

using select_form = std::size_t (*)(std::span<tenon::select_case>);

class SelectGenerated : public testing::TestWithParam<select_form> {};
INSTANTIATE_TEST_SUITE_P(Form, SelectGenerated, testing::Values(&select_variadic, &select_span),
                         [](const auto& info) { return info.param == &select_span ? "Span" : "Variadic"; });

// Go: test/chan/select5.go, send
TEST_P(SelectGenerated, TheSendThatCanProceedDoes) {
  fixture<int> f{.n = 1, .idle_value = -1, .idle_target = -2};
  for (const shape& s : every_shape()) {
    int value = f.n;
    const tenon::select_case send = tenon::send(f.live, std::move(value));
    std::size_t at = 0;
    auto cases = f.cases(s, &send, at);
    if (cases.size() > 6) continue;
    ASSERT_EQ(GetParam()(cases), at) << describe(s);
    ASSERT_EQ(f.live.recv(), f.n) << describe(s);
    ASSERT_EQ(f.idle_target, -2) << describe(s);
    ++f.n;
  }
}

// Go: test/chan/select5.go, recv into each kind of target
TEST_P(SelectGenerated, TheReceiveThatCanProceedDoes) {
  fixture<int> f{.n = 1, .idle_value = -1, .idle_target = -2};
  for (const shape& s : every_shape()) {
    for (int target = 0; target < 3; ++target) {
      int plain = 0;
      std::optional<int> maybe;
      const tenon::select_case recv = target == 0   ? tenon_test::into(f.live, plain)
                                      : target == 1 ? tenon_test::into(f.live, maybe)
                                                    : tenon::recv(f.live);
      std::size_t at = 0;
      auto cases = f.cases(s, &recv, at);
      if (cases.size() > 6) continue;
      f.live.send(f.n);
      ASSERT_EQ(GetParam()(cases), at) << describe(s);
      ASSERT_EQ(f.live.len(), 0U) << describe(s);
      ASSERT_EQ(plain, target == 0 ? f.n : 0) << describe(s);
      ASSERT_EQ(maybe, target == 1 ? std::optional(f.n) : std::nullopt) << describe(s);
      ASSERT_EQ(f.idle_target, -2) << describe(s);
      ++f.n;
    }
  }
}

// Go: test/chan/select5.go, nonblock: with nothing ready the default runs, and no target or value is touched
TEST_P(SelectGenerated, OtherwiseRunsWhenNothingElseCan) {
  fixture<std::unique_ptr<int>> f{.n = nullptr, .idle_value = std::make_unique<int>(3), .idle_target = nullptr};
  f.idle_target = std::make_unique<int>(4);
  for (const shape& s : every_shape()) {
    if (s.otherwise == fallback::none) continue;
    std::size_t at = 0;
    auto cases = f.cases(s, nullptr, at);
    if (cases.size() > 6) continue;
    ASSERT_EQ(GetParam()(cases), s.otherwise == fallback::before ? 0 : cases.size() - 1) << describe(s);
    ASSERT_TRUE(f.idle_value) << describe(s);
    ASSERT_EQ(*f.idle_value, 3) << describe(s);
    ASSERT_TRUE(f.idle_target && *f.idle_target) << describe(s);
    ASSERT_EQ(**f.idle_target, 4) << describe(s);
  }
}

// Go: test/chan/select5.go with a value that can only be moved
TEST_P(SelectGenerated, MovesOnlyWhatItSends) {
  fixture<std::unique_ptr<int>> f{.n = nullptr, .idle_value = std::make_unique<int>(3), .idle_target = std::nullopt};
  for (const shape& s : every_shape()) {
    auto value = std::make_unique<int>(5);
    const int* const address = value.get();
    const tenon::select_case send = tenon::send(f.live, std::move(value));
    std::size_t at = 0;
    auto cases = f.cases(s, &send, at);
    if (cases.size() > 6) continue;
    ASSERT_EQ(GetParam()(cases), at) << describe(s);
    ASSERT_EQ(value, nullptr) << describe(s);  // NOLINT: it must have been moved from
    ASSERT_TRUE(f.idle_value) << describe(s);
    ASSERT_EQ(f.live.recv().value().get(), address) << describe(s);
  }
}

// Go: runtime/select.go, as many cases as one likes
TEST(SelectOfMany, FindsTheOneThatIsReady) {
  constexpr std::size_t count = 500;
  std::vector<tenon::chan<std::size_t>> channels;
  for (std::size_t i = 0; i < count; ++i) channels.push_back(tenon::make_chan<std::size_t>(1));
  std::size_t v = 0;
  std::vector<tenon::select_case> cases;
  for (const auto& c : channels) cases.push_back(tenon_test::into(c, v));
  for (std::size_t i = 0; i < count; i += 7) {
    channels[i].send(i);
    EXPECT_EQ(tenon::select(std::span<const tenon::select_case>(cases)), i);
    EXPECT_EQ(v, i);
  }
  tenon::run([&](const tenon::context&) {
    for (std::size_t i = 0; i < count; i += 7) {
      auto g = tenon::go([&, i] { channels[i].send(i + 1); });
      EXPECT_EQ(tenon::select(std::span<const tenon::select_case>(cases)), i);
      EXPECT_EQ(v, i + 1);
      g.join();
    }
  });
}

}  // namespace
