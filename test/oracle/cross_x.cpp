// Does with tenon what go/x/main.go does with golang.org/x/sync and golang.org/x/time: `cross_x list`, `cross_x SCENARIO`.
// See cross.cpp.

#include <chrono>
#include <string>

#include <tenon/tenon.hpp>

#include "oracle/scenario.hpp"

using namespace std::chrono_literals;
using namespace tenon;  // NOLINT: side by side with Go

namespace {

using oracle::panics;
using oracle::println;

/// The reservation's delay in ms, -1 for never.
auto ms(const rate_limiter::reservation& r, time_point now) {
  return r.ok() ? std::chrono::duration_cast<std::chrono::milliseconds>(r.delay_from(now)).count() : -1;
}

const oracle::scenario scenarios[] = {
    {"errgroup_first_failure",
     [] {
       group g(background());
       auto next = make_chan<void>();
       g.go([&](const context& ctx) -> error {
         (void)next.recv();
         (void)ctx.done().recv();
         return error("second");
       });
       g.go([&]() -> error {
         next.send();
         return error("first");
       });
       g.go([] {});
       println(g.wait().message());
       println(g.ctx().err().message(), cause(g.ctx()).message());
     }},
    {"errgroup_success_cancels",
     [] {
       group g(background());
       g.go([] {});
       println(!g.ctx().err());
       println(g.wait().message());
       println(g.ctx().err().message(), cause(g.ctx()).message());
     }},
    {"errgroup_of_none",
     [] {
       group g(background());
       println(g.wait().message());
       println(g.ctx().err().message());
       println(g.wait().message());
     }},
    {"errgroup_again",
     [] {
       group g(background());
       g.go([] { return error("first"); });
       println(g.wait().message());
       g.go([](const context& ctx) { return error("second: " + ctx.err().message()); });
       println(g.wait().message());
     }},
    {"errgroup_parent_canceled",
     [] {
       auto parent = with_cancel_cause(background());
       group g(parent.ctx());
       g.go([](const context& ctx) -> error {
         (void)ctx.done().recv();
         return ctx.err();
       });
       parent.cancel(error("why"));
       println(g.wait().message());
       println(cause(g.ctx()).message());
     }},
    {"errgroup_limit",
     [] {
       group g(background());
       g.set_limit(2);
       auto stop = make_chan<void>();
       auto ended = make_chan<void>();
       const auto task = [&] {
         (void)stop.recv();
         ended.send();
       };
       for (int i = 0; i < 3; ++i) println(g.try_go(task));
       println(panics([&] { g.set_limit(3); }));
       stop.send();
       (void)ended.recv();
       g.go(task);
       println(g.try_go(task));
       stop.send();
       stop.send();
       (void)ended.recv();
       (void)ended.recv();
       println(g.wait().message());
       g.set_limit(-1);
       for (int i = 0; i < 3; ++i) println(g.try_go([] {}));
       println(g.wait().message());
     }},
    {"errgroup_limit_zero",
     [] {
       group g(background());
       g.set_limit(0);
       println(g.try_go([] {}));
       println(g.wait().message());
       g.set_limit(1);
       println(g.try_go([] {}));
       println(g.wait().message());
     }},
    {"semaphore_in_order",
     [] {
       semaphore s(3);
       s.acquire(2);
       auto order = make_chan<int>(2, "two arrive");
       group g(background());
       g.go([&] {
         s.acquire(3);
         order.send(3);
         s.release(3);
       });
       sleep_for(20ms);
       println(s.try_acquire(1));
       g.go([&] {
         s.acquire(1);
         order.send(1);
         s.release(1);
       });
       sleep_for(20ms);
       println(order.len());
       s.release(2);
       println(*order.recv());
       println(*order.recv());
       (void)g.wait();
       const bool all = s.try_acquire(3);
       println(all, s.try_acquire(1));
       s.release(3);
     }},
    {"semaphore_gives_up",
     [] {
       semaphore s(3);
       s.acquire(1);
       auto scope = with_cancel(background());
       auto got = make_chan<std::string>();
       group g(background());
       g.go([&] { got.send(s.acquire(scope.ctx(), 3) ? "<nil>" : scope.ctx().err().message()); });
       sleep_for(20ms);
       g.go([&] {
         s.acquire(2);
         got.send("two");
       });
       sleep_for(20ms);
       scope.cancel();
       std::string first = *got.recv();
       std::string second = *got.recv();
       if (first > second) swap(first, second);
       println(first, second, s.try_acquire(1));
       println(!s.acquire(scope.ctx(), 1) ? scope.ctx().err().message() : "<nil>");
       (void)g.wait();
     }},
    {"semaphore_too_much",
     [] {
       semaphore s(2);
       auto limit = with_timeout(background(), 10ms);
       println(s.acquire(limit.ctx(), 3) ? "<nil>" : limit.ctx().err().message());
       println(s.try_acquire(3), s.try_acquire(2), s.try_acquire(0));
       println(panics([&] { s.release(3); }));
       s.release(2);
       println(panics([&] { s.release(1); }));
     }},
    {"singleflight_shared",
     [] {
       singleflight<std::string, int> flights;
       auto began = make_chan<void>();
       auto land = make_chan<void>();
       auto results = make_chan<std::string>(3, "one for each");
       int runs = 0;
       group g(background());
       const auto fly = [&] {
         auto [v, shared] = flights.call("key", [&] {
           ++runs;
           began.send();
           (void)land.recv();
           return 7;
         });
         results.send(std::to_string(v) + (shared ? " true" : " false"));
       };
       g.go(fly);
       (void)began.recv();
       g.go(fly);
       g.go(fly);
       sleep_for(30ms);
       land.send();
       (void)g.wait();
       for (int i = 0; i < 3; ++i) println(*results.recv());
       auto [v, shared] = flights.call("key", [] { return 8; });
       println(v, shared, runs);
     }},
    {"singleflight_fails_and_forgets",
     [] {
       singleflight<std::string, int> flights;
       println(panics([&] { (void)flights.call("key", []() -> int { throw panic("no flight"); }); }));
       auto began = make_chan<void>();
       auto land = make_chan<void>();
       const auto first = flights.call_chan("key", [&] {
         began.send();
         (void)land.recv();
         return 1;
       });
       (void)began.recv();
       flights.forget("key");
       auto [v, shared] = flights.call("key", [] { return 2; });
       println(v, shared);
       land.send();
       const auto landed = *first.recv();
       println(*landed.value, landed.err.message(), landed.shared);
     }},
    {"rate_reservations",
     [] {
       const time_point t{};
       const time_point began = t + 1h;
       rate_limiter limit(rate(10), 2);
       println(limit.allow_at(began), limit.allow_at(began, 3));
       auto a = limit.reserve_at(began);
       auto b = limit.reserve_at(began);
       auto c = limit.reserve_at(began, 2);
       auto d = limit.reserve_at(began, 3);
       println(ms(a, began), ms(b, began), ms(c, began), ms(d, began));
       println(ms(c, began + 150ms), ms(c, began + 1s));
       println(limit.tokens_at(began), limit.tokens_at(began + 100ms), limit.tokens_at(began + 1h));
       c.cancel_at(began + 50ms);
       println(limit.tokens_at(began + 50ms));
       b.cancel_at(began + 50ms);
       println(limit.tokens_at(began + 50ms));
       a.cancel_at(began + 50ms);
       println(limit.tokens_at(began + 50ms));
       const bool two = limit.allow_at(began + 1s, 2);
       println(two, limit.allow_at(began + 1s));
     }},
    {"rate_edges",
     [] {
       const time_point began = time_point{} + 1h;
       rate_limiter none(rate(0), 1);
       const bool first = none.allow_at(began);
       println(first, none.allow_at(began + 24h));
       rate_limiter all(rate::infinite(), 0);
       println(all.allow_at(began, 1000), all.tokens_at(began));
       println(every(0ns) == rate::infinite(), every(-1ns) == rate::infinite(), every(100ms).per_second);
       rate_limiter odd(rate(1), -1);
       const bool negative = odd.allow_at(began);
       println(negative, odd.allow_at(began, -1), odd.tokens_at(began), odd.burst());
       rate_limiter back(rate(1), 4);
       const bool four = back.allow_at(began, 4);
       const bool minus = back.allow_at(began, -3);
       const double three = back.tokens_at(began);
       const bool all_three = back.allow_at(began, 3);
       println(four, minus, three, all_three, back.allow_at(began - 1h));
       back.set_burst_at(began + 1h, 2);
       const double fewer = back.tokens_at(began + 1h);
       back.set_limit_at(began + 2h, rate(100));
       println(fewer, back.tokens_at(began + 2h), back.limit().per_second, back.burst());
     }},
    {"rate_wait",
     [] {
       rate_limiter limit(rate(0.001), 2);
       println(limit.wait(background(), 3).message());
       println(limit.wait(background(), 2).message());
       auto late = with_timeout(background(), 1s);
       println(limit.wait(late.ctx(), 1).message());
       auto scope = with_cancel(background());
       auto said = go([&] { return limit.wait(scope.ctx(), 1).message(); });
       sleep_for(20ms);
       scope.cancel();
       println(said.join());
       println(limit.wait(scope.ctx(), 1).message());
       println(rate_limiter(rate::infinite(), 0).wait(background(), 5).message());
     }},
};

}  // namespace

int main(int argc, char** argv) { return oracle::main_of("cross_x", scenarios, argc, argv); }
