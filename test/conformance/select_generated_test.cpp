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

struct arranged {
  tenon_test::case_list cases;
  std::size_t at = 0;  // of the live case, `otherwise` counted
  fallback otherwise = fallback::none;
};

// The variadic form for a number of cases known only here.
template <std::size_t... I>
std::size_t select_all(const arranged& a, std::index_sequence<I...>) {
  switch (a.otherwise) {
    case fallback::before: return tenon::select(tenon::otherwise, a.cases[I]...);
    case fallback::after: return tenon::select(a.cases[I]..., tenon::otherwise);
    default: return tenon::select(a.cases[I]...);
  }
}
std::size_t select_variadic(const arranged& a) {
  switch (a.cases.size()) {
    case 0: return select_all(a, std::make_index_sequence<0>());
    case 1: return select_all(a, std::make_index_sequence<1>());
    case 2: return select_all(a, std::make_index_sequence<2>());
    case 3: return select_all(a, std::make_index_sequence<3>());
    case 4: return select_all(a, std::make_index_sequence<4>());
    case 5: return select_all(a, std::make_index_sequence<5>());
    default: ADD_FAILURE() << a.cases.size() << " cases"; return a.cases.size();
  }
}
std::size_t select_span(const arranged& a) {
  if (a.otherwise == fallback::none) return tenon::select(a.cases.span());
  const std::size_t i = tenon::select(a.cases.span(), tenon::otherwise);
  if (a.otherwise == fallback::after) return i;
  return i == a.cases.size() ? 0 : i + 1;
}

template <class T>
struct fixture {
  T n{};  // what is sent next
  tenon::chan<T> live = tenon::make_chan<T>(1);
  tenon::chan<T> dummy = tenon::make_chan<T>();
  tenon::chan<T> nil{};
  T idle_value{};

  T idle() {
    if constexpr (std::is_copy_constructible_v<T>) {
      return idle_value;
    } else {
      return T();
    }
  }
  // The cases of `s` around `live_case`.
  template <class Case>
  arranged cases(const shape& s, Case live_case) {
    arranged list;
    list.otherwise = s.otherwise;
    const auto add_idle = [&](unsigned which) {
      if (which & send_idle) list.cases.add(tenon::send(dummy, idle()));
      if (which & recv_idle) list.cases.add(tenon::recv(dummy));
      if (which & send_nil) list.cases.add(tenon::send(nil, idle()));
      if (which & recv_nil) list.cases.add(tenon::recv(nil));
    };
    add_idle(s.idle_before);
    list.at = list.cases.size() + (s.otherwise == fallback::before ? 1 : 0);
    if constexpr (!std::is_same_v<Case, std::nullptr_t>) list.cases.add(std::move(live_case));
    add_idle(s.idle_after);
    return list;
  }
};

using select_form = std::size_t (*)(const arranged&);

class SelectGenerated : public testing::TestWithParam<select_form> {};
INSTANTIATE_TEST_SUITE_P(Form, SelectGenerated, testing::Values(&select_variadic, &select_span),
                         [](const auto& info) { return info.param == &select_span ? "Span" : "Variadic"; });

// How many of the cases say that they fired, the live one or another.
std::size_t fired(const arranged& a) {
  std::size_t n = 0;
  for (std::size_t i = 0; i < a.cases.size(); ++i) n += a.cases[i] ? 1 : 0;
  return n;
}

// Go: test/chan/select5.go, send
TEST_P(SelectGenerated, TheSendThatCanProceedDoes) {
  fixture<int> f{.n = 1, .idle_value = -1};
  for (const shape& s : every_shape()) {
    arranged a = f.cases(s, tenon::send(f.live, f.n));
    if (a.cases.size() > 5) continue;
    ASSERT_EQ(GetParam()(a), a.at) << describe(s);
    ASSERT_EQ(fired(a), 1U) << describe(s);
    ASSERT_EQ(f.live.recv(), f.n) << describe(s);
    ++f.n;
  }
}

// Go: test/chan/select5.go, recv
TEST_P(SelectGenerated, TheReceiveThatCanProceedDoes) {
  fixture<int> f{.n = 1, .idle_value = -1};
  for (const shape& s : every_shape()) {
    arranged a = f.cases(s, tenon::recv(f.live));
    if (a.cases.size() > 5) continue;
    f.live.send(f.n);
    ASSERT_EQ(GetParam()(a), a.at) << describe(s);
    ASSERT_EQ(fired(a), 1U) << describe(s);
    ASSERT_EQ(f.live.len(), 0U) << describe(s);
    const std::size_t at = a.at - (s.otherwise == fallback::before ? 1 : 0);
    ASSERT_EQ(*static_cast<tenon::recv_case<int>&>(a.cases[at]), f.n) << describe(s);
    ++f.n;
  }
}

// Go: test/chan/select5.go, nonblock. With nothing ready the default runs, and no case does
TEST_P(SelectGenerated, OtherwiseRunsWhenNothingElseCan) {
  fixture<std::unique_ptr<int>> f{.n = nullptr, .idle_value = nullptr};
  for (const shape& s : every_shape()) {
    if (s.otherwise == fallback::none) continue;
    arranged a = f.cases(s, nullptr);
    if (a.cases.size() > 5) continue;
    ASSERT_EQ(GetParam()(a), s.otherwise == fallback::before ? 0 : a.cases.size()) << describe(s);
    ASSERT_EQ(fired(a), 0U) << describe(s);
  }
}

// Go: test/chan/select5.go with a value that can only be moved
TEST_P(SelectGenerated, MovesOnlyWhatItSends) {
  fixture<std::unique_ptr<int>> f{.n = nullptr, .idle_value = nullptr};
  for (const shape& s : every_shape()) {
    auto value = std::make_unique<int>(5);
    const int* const address = value.get();
    arranged a = f.cases(s, tenon::send(f.live, std::move(value)));
    auto idle = tenon::send(f.dummy, std::make_unique<int>(3));
    if (a.cases.size() > 5) continue;
    ASSERT_EQ(GetParam()(a), a.at) << describe(s);
    ASSERT_EQ(f.live.recv().value().get(), address) << describe(s);
    ASSERT_EQ(tenon::select(idle, tenon::otherwise), 1U);
    ASSERT_EQ(*idle.take(), 3);
  }
}

// Go: runtime/select.go, as many cases as one likes
TEST(SelectOfMany, FindsTheOneThatIsReady) {
  constexpr std::size_t count = 500;
  std::vector<tenon::chan<std::size_t>> channels;
  for (std::size_t i = 0; i < count; ++i) channels.push_back(tenon::make_chan<std::size_t>(1));
  std::vector<tenon::recv_case<std::size_t>> cases;
  cases.reserve(count);
  for (const auto& c : channels) cases.push_back(tenon::recv(c));
  std::vector<tenon::select_case*> all;
  for (auto& c : cases) all.push_back(&c);
  for (std::size_t i = 0; i < count; i += 7) {
    channels[i].send(i);
    EXPECT_EQ(tenon::select(all), i);
    EXPECT_EQ(*cases[i], i);
  }
  tenon::run([&](const tenon::context&) {
    for (std::size_t i = 0; i < count; i += 7) {
      auto g = tenon::go([&, i] { channels[i].send(i + 1); });
      EXPECT_EQ(tenon::select(all), i);
      EXPECT_EQ(*cases[i], i + 1);
      g.join();
    }
  });
}

}  // namespace
