// The library's types beside what their callers do meanwhile: with keys, containers, contexts and values that use them again.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/subprocess.hpp"
#include "support/virtual_time.hpp"

namespace {

using namespace std::chrono_literals;

TEST(PipelineGenerate, FromAViewAndLeavesWhatItShows) {
  tenon::run([](const tenon::context& ctx) {
    const std::vector<std::string> expected{"a name that is too long to be stored in place", "another such name"};
    std::vector<std::string> names = expected;
    tenon::pipeline p(ctx);
    std::vector<std::string> got;
    const auto take = [&](std::string s) { got.push_back(std::move(s)); };
    p.for_each(p.generate(std::span(names)), take);
    EXPECT_FALSE(p.wait());
    EXPECT_EQ(got, expected);
    EXPECT_EQ(names, expected);

    tenon::pipeline filtered(ctx);
    filtered.for_each(filtered.generate(names | std::views::filter([](const auto& s) { return s.size() > 20; })), take);
    EXPECT_FALSE(filtered.wait());
    EXPECT_EQ(got.size(), 3U);
    EXPECT_EQ(names, expected);
  });
}

TEST(PipelineGenerate, FromWhatItOwnsByMoving) {
  tenon::run([](const tenon::context& ctx) {
    std::vector<std::unique_ptr<int>> numbers;
    numbers.push_back(std::make_unique<int>(7));
    tenon::pipeline p(ctx);
    int got = 0;
    p.for_each(p.generate(std::move(numbers)), [&](const std::unique_ptr<int>& n) { got = *n; });
    EXPECT_FALSE(p.wait());
    EXPECT_EQ(got, 7);
  });
}

TEST(SingleflightKey, IsTheFlightsAlsoWhereItsFunctionChangesTheCallersVariable) {
  tenon::singleflight<std::string, int> flights;
  int n = 0;
  std::string url = "a";
  EXPECT_EQ(flights
                .call(url,
                      [&] {
                        url = "b";
                        return ++n;
                      })
                .value,
            1);
  EXPECT_EQ(flights.call("a", [&] { return ++n; }).value, 2);
  EXPECT_EQ(flights.call("b", [&] { return ++n; }).value, 3);
}

TEST(SingleflightKey, MayReferToWhatItsFunctionChangesOrBeUnequalToItself) {
  char text[] = "a";
  tenon::singleflight<std::string_view, int> of_views;
  EXPECT_EQ(of_views.call(text, [&] { return text[0] = 'b', 1; }).value, 1);
  EXPECT_EQ(of_views.call("c", [] { return 2; }).value, 2);
  tenon::singleflight<double, int> of_numbers;
  EXPECT_EQ(of_numbers.call(std::numeric_limits<double>::quiet_NaN(), [] { return 3; }).value, 3);
}

// A class may be trivially copyable, and not copyable.
TEST(GroupMember, MayHoldWhatCanOnlyBeMovedHoweverTrivialItIs) {
  struct ticket {
    ticket() = default;
    ticket(ticket&&) = default;
    ticket& operator=(ticket&&) = default;
    int number = 7;
  };
  static_assert(std::is_trivially_copyable_v<ticket> && !std::is_copy_constructible_v<ticket>);
  tenon::run([](tenon::group& root) {
    std::atomic<int> sum = 0;
    root.go([&sum, t = ticket()] { sum += t.number; });
    tenon::wait_group wg;
    wg.go([&sum, t = ticket()] { sum += t.number; });
    wg.wait();
    EXPECT_FALSE(root.wait());
    EXPECT_EQ(sum, 14);
  });
}

TEST(PoolBound, IsKeptOverAllThreads) {
  tenon::pool<int> p(1);
  tenon::run([&] { p.put(std::make_unique<int>(1)); }, {.workers = 1});
  std::thread([&] { p.put(std::make_unique<int>(2)); }).join();
  EXPECT_EQ(p.idle(), 1U);
  EXPECT_EQ(*p.get(), 1);
  EXPECT_EQ(p.idle(), 0U);
  std::thread([&] { p.put(std::make_unique<int>(3)); }).join();
  EXPECT_EQ(p.idle(), 1U);
  p.clear();
  EXPECT_EQ(p.idle(), 0U);
}

/// Lets time pass, and others take their events, where a limiter asks for its deadline.
struct slow_deadline : tenon::custom_context {
  tenon::rate_limiter& limit;
  explicit slow_deadline(tenon::rate_limiter& l) : limit(l) {}
  [[nodiscard]] std::optional<tenon::time_point> deadline() const override {
    tenon::sleep_for(1s);
    EXPECT_TRUE(limit.allow());
    return std::nullopt;
  }
};

TEST(RateLimiterTime, IsCreditedOnceAlsoWhereACallerTakesItsTime) {
  tenon_test::in_virtual_time([] {
    tenon::rate_limiter limit(tenon::rate(1), 1);
    EXPECT_TRUE(limit.allow());
    const tenon_test::stopwatch since;
    EXPECT_FALSE(limit.wait(tenon::context(std::make_shared<slow_deadline>(limit))));
    EXPECT_EQ(since(), 2s) << "one event a second, and another caller had the first";
    EXPECT_FALSE(limit.allow());
  });
}

TEST(RateLimiterTime, MayBeBeforeTheClocksBeginning) {
  tenon::rate_limiter limit(tenon::rate(1), 1);
  const tenon::time_point then(-5s);
  EXPECT_EQ(limit.reserve_at(then).delay_from(then), 0s);
  EXPECT_EQ(limit.reserve_at(then).delay_from(then), 1s);
}

TEST(OnceThatIsStatic, IsNotWaitedForWhenItsFunctionEndsTheProcess) {
  const tenon_test::ending e = tenon_test::run_program("misuse", {"exit_within_a_static_once"});
  EXPECT_EQ(e.status, 3) << e.describe();
  EXPECT_EQ(e.out, "") << e.describe();
}

/// A type whose namespace has functions of tenon's names, that take anything.
namespace protocol {
struct message {
  int n = 0;
};
template <class S>
message recv(S&) = delete;
template <class S, class V>
void send(S&, V&&) = delete;
template <class... C>
void select(C&...) = delete;
template <class T>
bool is_nil(const T&) = delete;
template <class F>
void blocking(F) = delete;
struct task {
  int* done;
  void operator()() const { ++*done; }
};
}  // namespace protocol

TEST(NamesOfTheUsers, AreNotCalledForTenons) {
  tenon::run([](const tenon::context& ctx) {
    tenon::pipeline p(ctx);
    const auto batches = p.batch(p.generate(std::vector<protocol::message>{{1}, {2}, {3}}), 2);
    int seen = 0;
    p.for_each(batches, [&](const std::vector<protocol::message>& b) { seen += static_cast<int>(b.size()); });
    EXPECT_FALSE(p.wait());
    EXPECT_EQ(seen, 3);
    int done = 0;
    tenon::go(protocol::task{&done}).join();
    EXPECT_FALSE(tenon::blocking(ctx, protocol::task{&done}));
    EXPECT_EQ(done, 2);
  });
}

struct handle {
  int n = 0;
  int operator&() const { return 0; }  // NOLINT: as handles of COM have it
};

TEST(ResultOfAHandle, IsPointedAtByItsAddress) {
  const tenon::result<handle> r = handle{7};
  EXPECT_EQ(r->n, 7);
}

TEST(ConcurrentMapRange, StopsForABoolOnly) {
  tenon::concurrent_map<int, int> m;
  for (int i = 0; i < 10; ++i) m.store(i, i);
  int visited = 0;
  m.range([&](int, int) {
    ++visited;
    return 0;
  });
  EXPECT_EQ(visited, 10);
  visited = 0;
  m.range([&](int, int) { return ++visited < 3; });
  EXPECT_EQ(visited, 3);
}

TEST(GuardedFunction, MayReturnAnOptional) {
  const auto ctx = tenon::background();
  tenon::guarded<std::map<int, int>> numbers;
  const auto with = numbers.with(ctx, [](auto&) { return std::optional<int>(1); });
  static_assert(std::is_same_v<decltype(with), const std::optional<std::optional<int>>>);
  EXPECT_EQ(with, std::optional(std::optional(1)));

  const tenon::guarded<std::optional<int>> maybe;
  const std::optional<std::optional<int>> copy = maybe.snapshot(ctx);
  EXPECT_TRUE(copy);
  EXPECT_FALSE(*copy);
}

/// Looks into the map as it goes.
struct looks_back {
  const tenon::concurrent_map<int, std::shared_ptr<looks_back>>& map;
  int* went;
  ~looks_back() {
    EXPECT_FALSE(map.load(1) == nullptr && map.size() > 1);
    ++*went;
  }
};

TEST(ConcurrentMapValue, ThatGoesMayUseTheMap) {
  tenon::run([] {
    tenon::concurrent_map<int, std::shared_ptr<looks_back>> map;
    int went = 0;
    const auto fresh = [&] { return std::shared_ptr<looks_back>(new looks_back{map, &went}); };
    map.store(1, fresh());
    map.store(1, fresh());
    EXPECT_EQ(went, 1);
    EXPECT_FALSE(map.load_or_store(1, fresh()).first == nullptr);
    EXPECT_EQ(went, 2);
    (void)map.swap(1, fresh());
    EXPECT_EQ(went, 3);
    const looks_back* there = map.load(1)->get();
    const auto alias = std::shared_ptr<looks_back>(std::shared_ptr<void>(), const_cast<looks_back*>(there));
    EXPECT_TRUE(map.compare_and_swap(1, alias, fresh()));
    EXPECT_EQ(went, 4);
    there = map.load(1)->get();
    EXPECT_TRUE(
        map.compare_and_erase(1, std::shared_ptr<looks_back>(std::shared_ptr<void>(), const_cast<looks_back*>(there))));
    EXPECT_EQ(went, 5);
    map.store(1, fresh());
    EXPECT_TRUE(map.erase(1));
    EXPECT_EQ(went, 6);
    EXPECT_FALSE(map.erase(1));
    map.store(1, fresh());
    EXPECT_TRUE(map.load_and_erase(1));
    EXPECT_EQ(went, 7);
    map.store(1, fresh());
    map.clear();
    EXPECT_EQ(went, 8);
  });
}

/// Whose move may be made to throw.
struct hard_to_move {
  static inline bool throws = false;
  int n = 0;
  explicit hard_to_move(int i) : n(i) {}
  hard_to_move(hard_to_move&& other) : n(other.n) {
    if (throws) throw std::runtime_error("moved");
  }
  hard_to_move(const hard_to_move&) = default;
  hard_to_move& operator=(const hard_to_move&) = default;
  ~hard_to_move() = default;
};

TEST(ConcurrentMapValue, ThatCannotBeMovedOutStays) {
  tenon::concurrent_map<int, hard_to_move> map;
  map.store(1, hard_to_move(5));
  hard_to_move::throws = true;
  EXPECT_THROW((void)map.load_and_erase(1), std::runtime_error);
  hard_to_move::throws = false;
  EXPECT_EQ(map.load_and_erase(1)->n, 5);
}

TEST(PromiseThatIsBroken, SaysSo) {
  tenon::promise<int> p;
  (void)p.setter();
  EXPECT_EQ(p.wait().err(), std::make_error_code(std::future_errc::broken_promise));
}

}  // namespace
