// long: one scenario after the other, each beside its counterpart in go/main.go
// Does with tenon what go/main.go does in Go, scenario by scenario: `cross list`, `cross SCENARIO`. What they print, and how they
// end, has to be the same; cross_test.cpp compares it. What is in golang.org/x stands in cross_x.cpp.

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <iostream>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <vector>

#include <tenon/tenon.hpp>

#include "oracle/scenario.hpp"
#include "support/into.hpp"

using namespace std::chrono_literals;
using namespace tenon;  // NOLINT: side by side with Go

namespace {

using oracle::main_of;
using oracle::panics;
using oracle::println;

/// What Go's `v, ok := <-c` gives.
void print_received(std::optional<int> v) { println(v.value_or(0), v.has_value()); }

// Misuse on purpose, out of sight of clang's analysis.
template <class Mutex>
void lock(Mutex& mu) TENON_TSA(no_thread_safety_analysis) {
  mu.lock();
}
template <class Mutex>
void unlock(Mutex& mu) TENON_TSA(no_thread_safety_analysis) {
  mu.unlock();
}
template <class Mutex>
bool try_lock(Mutex& mu) TENON_TSA(no_thread_safety_analysis) {
  return mu.try_lock();
}
void lock_shared(shared_mutex& mu) TENON_TSA(no_thread_safety_analysis) { mu.lock_shared(); }
void unlock_shared(shared_mutex& mu) TENON_TSA(no_thread_safety_analysis) { mu.unlock_shared(); }
bool try_lock_shared(shared_mutex& mu) TENON_TSA(no_thread_safety_analysis) { return mu.try_lock_shared(); }

recv_chan<int> gen(wait_group& wg, int n) {
  auto out = make_chan<int>();
  wg.go([out, n] {
    for (int i = 1; i <= n; ++i) out.send(i);
    out.close();
  });
  return out;
}

recv_chan<int> sq(wait_group& wg, const recv_chan<int>& in) {
  auto out = make_chan<int>();
  wg.go([out, in] {
    for (const int v : in) out.send(v * v);
    out.close();
  });
  return out;
}

const oracle::scenario scenarios[] = {
    {"unbuffered_order",
     [] {
       auto c = make_chan<int>();
       auto sends = go([c] {
         for (int i = 0; i < 10; ++i) c.send(i);
         c.close();
       });
       for (const int v : c) println(v);
       sends.join();
     }},
    {"buffered_order",
     [] {
       auto c = make_chan<int>(3, "three are sent");
       for (int i = 0; i < 3; ++i) {
         println(c.len(), c.cap());
         c.send(i);
       }
       println(c.len(), c.cap());
       for (int i = 0; i < 3; ++i) println(*c.recv());
     }},
    {"nil_len_cap",
     [] {
       chan<int> c;
       println(c.len(), c.cap());
     }},
    {"close_drains",
     [] {
       auto c = make_chan<int>(2, "two are sent");
       c.send(1);
       c.send(2);
       c.close();
       for (int i = 0; i < 4; ++i) print_received(c.recv());
     }},
    {"senders_in_order",
     [] {
       auto c = make_chan<int>();
       auto ready = make_chan<void>();
       std::vector<goroutine<>> senders;
       for (int i = 0; i < 4; ++i) {
         senders.push_back(go([c, ready, i] {
           ready.send();
           c.send(i);
         }));
         (void)ready.recv();
         sleep_for(20ms);
       }
       for (int i = 0; i < 4; ++i) println(*c.recv());
     }},
    {"ping_pong",
     [] {
       auto ping = make_chan<int>();
       auto pong = make_chan<int>();
       auto other = go([ping, pong] {
         for (const int v : ping) pong.send(v + 1);
         pong.close();
       });
       int v = 0;
       for (int i = 0; i < 1000; ++i) {
         ping.send(v);
         v = *pong.recv();
       }
       ping.close();
       println(v, pong.recv().has_value());
       other.join();
     }},
    {"sieve",
     [] {
       wait_group wg;
       const auto numbers = make_chan<int>();
       wg.go([numbers] {
         for (int i = 2; i < 72; ++i) numbers.send(i);
         numbers.close();
       });
       recv_chan<int> c = numbers;
       for (int i = 0; i < 20; ++i) {
         const int prime = *c.recv();
         println(prime);
         auto next = make_chan<int>();
         wg.go([in = c, next, prime] {
           for (const int v : in) {
             if (v % prime != 0) next.send(v);
           }
           next.close();
         });
         c = next;
       }
       println(c.recv().has_value());
       wg.wait();
     }},
    {"pipeline",
     [] {
       wait_group wg;
       for (const int v : sq(wg, sq(wg, gen(wg, 6)))) println(v);
       wg.wait();
     }},
    {"fan_in",
     [] {
       auto out = make_chan<int>();
       wait_group wg;
       for (int worker = 0; worker < 4; ++worker) {
         wg.go([out, worker] {
           for (int i = 0; i < 5; ++i) out.send(worker * 10 + i);
         });
       }
       auto closes = go([&wg, out] {
         wg.wait();
         out.close();
       });
       std::vector<int> all;
       for (const int v : out) all.push_back(v);
       std::ranges::sort(all);
       println(all.size(), all.front(), all.back());
       closes.join();
     }},
    {"select_the_ready_one",
     [] {
       auto a = make_chan<int>(1);
       auto b = make_chan<int>(1);
       b.send(7);
       auto from_a = recv(a);
       auto from_b = recv(b);
       if (select(from_a, from_b) == 0) {
         println("a", *from_a);
       } else {
         println("b", *from_b);
       }
     }},
    {"select_otherwise",
     [] {
       auto c = make_chan<int>();
       println(select(recv(c), otherwise) == 0 ? "received" : "otherwise");
     }},
    {"select_nil",
     [] {
       chan<int> never;
       auto c = make_chan<int>(1);
       for (int i = 0; i < 3; ++i) {
         if (select(send(never, 1), send(c, 2)) == 0) {
           println("never");
         } else {
           println("sent", *c.recv());
         }
       }
     }},
    {"select_closed",
     [] {
       auto c = make_chan<int>();
       c.close();
       std::optional<int> v;
       if (select(tenon_test::into(c, v), otherwise) == 0) {
         print_received(v);
       } else {
         println("otherwise");
       }
     }},
    {"select_all_values",
     [] {
       auto a = make_chan<int>();
       auto b = make_chan<int>();
       wait_group wg;
       for (const auto& c : {a, b}) {
         wg.go([c] {
           for (int i = 0; i < 100; ++i) c.send(i);
           c.close();
         });
       }
       int sum = 0;
       while (a || b) {
         std::optional<int> v;
         const std::size_t fired = select(tenon_test::into(a, v), tenon_test::into(b, v));
         sum += v.value_or(0);
         if (!v) (fired == 0 ? a : b) = nullptr;
       }
       println(sum);
       wg.wait();
     }},
    {"send_on_closed",
     [] {
       auto c = make_chan<int>(1);
       c.close();
       println(panics([&] { c.send(1); }));
     }},
    {"select_send_on_closed",
     [] {
       auto c = make_chan<int>();
       c.close();
       println(panics([&] { select(send(c, 1), otherwise); }));
     }},
    {"close_wakes_a_sender",
     [] {
       auto c = make_chan<int>();
       auto said = go([c] { return panics([&] { c.send(1); }); });
       sleep_for(20ms);
       c.close();
       println(said.join());
     }},
    {"close_of_closed",
     [] {
       auto c = make_chan<int>();
       c.close();
       println(panics([&] { c.close(); }));
     }},
    {"close_of_nil",
     [] {
       chan<int> c;
       println(panics([&] { c.close(); }));
     }},
    {"negative_capacity",
     [] {
       const int n = -1;
       println(panics([&] { (void)make_chan<int>(n, "none"); }));
     }},
    {"wait_group",
     [] {
       wait_group wg;
       std::array<int, 10> results{};
       for (int i = 0; i < 10; ++i) wg.go([&results, i] { results[static_cast<std::size_t>(i)] = i * i; });
       wg.wait();
       for (const int r : results) println(r);
     }},
    {"wait_group_negative",
     [] {
       wait_group wg;
       println(panics([&] { wg.done(); }));
       wg.add();
     }},
    {"mutex",
     [] {
       mutex mu;
       wait_group wg;
       int count = 0;
       for (int i = 0; i < 8; ++i) {
         wg.go([&] {
           for (int k = 0; k < 1000; ++k) {
             const std::lock_guard hold(mu);
             ++count;
           }
         });
       }
       wg.wait();
       const bool first = try_lock(mu);
       println(count, first, try_lock(mu));
     }},
    {"rwmutex",
     [] {
       shared_mutex mu;
       lock_shared(mu);
       const bool reads = try_lock_shared(mu);
       println(reads, try_lock(mu));
       unlock_shared(mu);
       unlock_shared(mu);
       const bool writes = try_lock(mu);
       println(writes, try_lock_shared(mu));
     }},
    {"unlock_of_unlocked",
     [] {
       mutex mu;
       unlock(mu);
     }},
    {"rwmutex_unlock_of_unlocked",
     [] {
       shared_mutex mu;
       unlock(mu);
     }},
    {"rwmutex_runlock_of_unlocked",
     [] {
       shared_mutex mu;
       unlock_shared(mu);
     }},
    {"once_after_a_panic",
     [] {
       once first;
       println(panics([&] { first.call([] { throw panic("failed"); }); }));
       first.call([] { println("again"); });
       println("done");
     }},
    {"cond_order",
     [] {
       mutex mu;
       cond changed;
       auto order = make_chan<int>();
       std::vector<goroutine<>> waiters;
       for (int i = 0; i < 4; ++i) {
         waiters.push_back(go([&, i] {
           {
             std::unique_lock hold(mu);
             changed.wait(hold);
           }
           order.send(i);
         }));
         sleep_for(20ms);
       }
       for (int i = 0; i < 4; ++i) {
         changed.signal();
         println(*order.recv());
       }
       for (auto& w : waiters) w.join();
     }},
    {"cond_broadcast",
     [] {
       mutex mu;
       cond changed;
       auto woken = make_chan<int>(4, "one for each");
       wait_group wg;
       for (int i = 0; i < 4; ++i) {
         wg.go([&] {
           {
             std::unique_lock hold(mu);
             changed.wait(hold);
           }
           woken.send(1);
         });
       }
       sleep_for(40ms);
       changed.broadcast();
       int sum = 0;
       for (int i = 0; i < 4; ++i) sum += *woken.recv();
       println(sum);
       wg.wait();
     }},
    {"map",
     [] {
       concurrent_map<std::string, int> m;
       m.store("a", 1);
       print_received(m.load("a"));
       auto [first, there] = m.load_or_store("a", 2);
       println(first, there);
       auto [second, there_too] = m.load_or_store("b", 2);
       println(second, there_too);
       const bool wrong = m.compare_and_swap("a", 2, 3);
       const bool right = m.compare_and_swap("a", 1, 3);
       println(wrong, right, m.compare_and_erase("a", 1));
       print_received(m.load_and_erase("a"));
       println(m.load("a").has_value());
     }},
    {"context_cancel",
     [] {
       auto scope = with_cancel(background());
       const tenon::context ctx = scope.ctx();
       println(!ctx.err());
       scope.cancel();
       (void)ctx.done().recv();
       println(ctx.err().message());
       println(cause(ctx).message());
     }},
    {"context_deadline",
     [] {
       auto scope = with_timeout(background(), 1ms);
       const tenon::context ctx = scope.ctx();
       (void)ctx.done().recv();
       println(ctx.err().message());
       println(cause(ctx).message());
     }},
    {"context_timeout_cause",
     [] {
       auto scope = with_timeout(background(), 1ms, error("too slow"));
       const tenon::context ctx = scope.ctx();
       (void)ctx.done().recv();
       println(ctx.err().message());
       println(cause(ctx).message());
     }},
    {"context_cause",
     [] {
       auto scope = with_cancel_cause(background());
       const tenon::context parent = scope.ctx();
       auto child_scope = with_cancel_cause(parent);
       const tenon::context child = child_scope.ctx();
       scope.cancel(error("first"));
       scope.cancel(error("second"));
       child_scope.cancel(error("third"));
       println(child.err().message());
       println(cause(parent).message());
       println(cause(child).message());
     }},
    {"context_child_first",
     [] {
       auto scope = with_cancel_cause(background());
       const tenon::context parent = scope.ctx();
       auto child_scope = with_cancel_cause(parent);
       const tenon::context child = child_scope.ctx();
       child_scope.cancel(error("child"));
       println(!parent.err());
       scope.cancel(error("parent"));
       println(cause(child).message());
       println(cause(parent).message());
     }},
    {"context_value",
     [] {
       static constexpr context_key<std::string> name{"name"};
       static constexpr context_key<std::string> other{"other"};
       const context root = with_value(background(), name, std::string("outer"));
       const context inner = with_value(root, name, std::string("inner"));
       auto scope = with_cancel(inner);
       const tenon::context child = scope.ctx();
       println(*root.value(name), *child.value(name), child.value(other) == nullptr);
     }},
    {"context_without_cancel",
     [] {
       auto scope = with_timeout(background(), 1h);
       const tenon::context parent = scope.ctx();
       const context detached = without_cancel(parent);
       scope.cancel();
       println(parent.err().message(), !detached.err(), !detached.done(), detached.deadline().has_value());
     }},
    {"context_earlier_deadline",
     [] {
       auto scope = with_timeout(background(), 1h);
       const tenon::context parent = scope.ctx();
       auto child_scope = with_timeout(parent, 2h);
       const tenon::context child = child_scope.ctx();
       println(parent.deadline() == child.deadline());
     }},
    {"context_names",
     [] {
       println(to_string(background()));
       println(to_string(todo()));
       auto scope = with_cancel(background());
       const tenon::context ctx = scope.ctx();
       println(to_string(ctx));
       println(to_string(without_cancel(ctx)));
     }},
    {"after_func_stopped",
     [] {
       auto scope = with_cancel(background());
       const tenon::context ctx = scope.ctx();
       auto registered = after_func(ctx, [] { println("ran"); });
       const bool first = registered.stop();
       println(first, registered.stop());
       scope.cancel();
     }},
    {"after_func_runs",
     [] {
       auto scope = with_cancel(background());
       const tenon::context ctx = scope.ctx();
       auto ran = make_chan<std::string>();
       auto registered = after_func(ctx, [ran] { ran.send("ran"); });
       scope.cancel();
       println(*ran.recv());
       println(registered.stop());
     }},
    {"timer_stop",
     [] {
       timer t(1h);
       const bool first = t.stop();
       const bool second = t.stop();
       println(first, second, t.reset(1ms));
       (void)t.c().recv();
       println(t.stop());
     }},
    {"timer_without_a_stale_tick",
     [] {
       timer t(1ms);
       sleep_for(20ms);
       println(t.reset(1h));
       println(select(recv(t.c()), otherwise) == 0 ? "stale" : "none");
       const std::size_t length = t.c().len();
       println(length, t.c().cap(), t.stop());
     }},
    {"ticker",
     [] {
       ticker t(1ms);
       for (int i = 0; i < 3; ++i) {
         (void)t.c().recv();
         println("tick");
       }
       t.stop();
       println(panics([] { const ticker never(0ms); }));
     }},
    {"full_buffer_and_senders",
     [] {
       auto c = make_chan<int>(2, "more are sent: they wait");
       wait_group wg;
       for (int i = 0; i < 5; ++i) {
         wg.go([c, i] { c.send(i); });
         sleep_for(20ms);
       }
       println(c.len(), c.cap());
       for (int i = 0; i < 5; ++i) println(*c.recv());
       wg.wait();
       println(c.len(), c.cap());
     }},
    {"close_wakes_every_receiver",
     [] {
       auto c = make_chan<int>();
       auto said = make_chan<bool>();
       wait_group wg;
       for (int i = 0; i < 6; ++i) {
         wg.go([=] {
           if (i % 2 == 0) {
             said.send(c.recv().has_value());
           } else {
             std::optional<int> v;
             select(tenon_test::into(c, v), recv(chan<int>()));
             said.send(v.has_value());
           }
         });
       }
       sleep_for(40ms);
       c.close();
       for (int i = 0; i < 6; ++i) println(*said.recv());
       wg.wait();
     }},
    {"select_with_oneself",
     [] {
       auto c = make_chan<int>(1);
       for (int i = 0; i < 4; ++i) {
         auto in = recv(c);
         if (select(send(c, i), in) == 0) {
           println("sent", i, c.len());
         } else {
           println("received", *in, c.len());
         }
       }
     }},
    {"select_switches_cases_off",
     [] {
       auto in = make_chan<int>(1);
       in.send(3);
       chan<int> out;
       int held = 0;
       std::string course;
       auto other = make_chan<int>(1);
       for (int i = 0; i < 6; ++i) {
         std::optional<int> v;
         if (select(tenon_test::into(in, v), send(out, held), otherwise) == 0) {
           held = *v;
           in = nullptr;
           out = other;
           course += "r";
         } else if (out && out.len() == 1) {
           course += out.recv() ? "s" : "?";
           out = nullptr;
         } else {
           course += "d";
         }
       }
       println(course, held);
     }},
    {"wait_group_waiters",
     [] {
       wait_group wg;
       wg.add(2);
       auto woken = make_chan<int>(3, "one for each");
       std::vector<goroutine<>> waiters;
       for (int i = 0; i < 3; ++i) {
         waiters.push_back(go([&, i] {
           wg.wait();
           woken.send(i);
         }));
       }
       sleep_for(20ms);
       wg.done();
       sleep_for(20ms);
       println(woken.len());
       wg.done();
       for (auto& w : waiters) w.join();
       println(woken.len());
       wg.add();
       wg.done();
       wg.wait();
       wg.add();
       println(panics([&] { wg.add(-2); }));
       wg.add();
     }},
    {"rwmutex_writer_first",
     [] {
       shared_mutex mu;
       auto order = make_chan<std::string>(2, "two arrive");
       wait_group wg;
       lock_shared(mu);
       wg.go([&] {
         lock(mu);
         order.send("writer");
         unlock(mu);
       });
       sleep_for(20ms);
       println(try_lock_shared(mu));
       wg.go([&] {
         lock_shared(mu);
         order.send("reader");
         unlock_shared(mu);
       });
       sleep_for(20ms);
       println(order.len());
       unlock_shared(mu);
       for (int i = 0; i < 2; ++i) println(*order.recv());
       wg.wait();
       println(try_lock_shared(mu));
       unlock_shared(mu);
     }},
    {"rwmutex_readers_after_a_writer",
     [] {
       shared_mutex mu;
       auto order = make_chan<std::string>(2, "two arrive");
       wait_group wg;
       lock(mu);
       wg.go([&] {
         lock(mu);
         order.send("writer");
         unlock(mu);
       });
       sleep_for(20ms);
       wg.go([&] {
         lock_shared(mu);
         order.send("reader");
         unlock_shared(mu);
       });
       sleep_for(20ms);
       unlock(mu);
       for (int i = 0; i < 2; ++i) println(*order.recv());
       wg.wait();
     }},
    {"once_of_two",
     [] {
       once first;
       first.call([] { println("one"); });
       first.call([] { println("two"); });
     }},
    {"once_value_panics",
     [] {
       int runs = 0;
       auto value = once_value([&]() -> int {
         ++runs;
         throw panic("no value");
       });
       auto func = once_func([&] {
         ++runs;
         throw panic("no more");
       });
       for (int i = 0; i < 2; ++i) {
         println(panics([&] { (void)value(); }));
         println(panics(func));
       }
       println(runs);
       auto fine = once_value([&] { return ++runs; });
       const int once = fine();
       println(once, fine(), runs);
     }},
    {"cond_signals_are_not_kept",
     [] {
       mutex mu;
       cond changed;
       changed.signal();
       changed.broadcast();
       auto woken = make_chan<int>(5, "one for each");
       wait_group wg;
       for (int i = 0; i < 5; ++i) {
         wg.go([&] {
           {
             std::unique_lock hold(mu);
             changed.wait(hold);
           }
           woken.send(1);
         });
       }
       sleep_for(30ms);
       println(woken.len());
       changed.signal();
       changed.signal();
       sleep_for(30ms);
       println(woken.len());
       changed.broadcast();
       wg.wait();
       println(woken.len());
     }},
    {"map_swap_and_range",
     [] {
       concurrent_map<std::string, int> m;
       print_received(m.swap("a", 1));
       print_received(m.swap("a", 2));
       println(m.compare_and_swap("b", 0, 1), m.compare_and_erase("b", 0));
       print_received(m.load_and_erase("b"));
       m.store("b", 3);
       m.store("c", 4);
       int seen = 0;
       m.range([&](const std::string&, int) { return ++seen < 2; });
       println(seen);
       int sum = 0;
       m.range([&](const std::string& key, int v) {
         sum += v;
         m.erase(key);
       });
       println(sum);
       m.store("d", 5);
       m.clear();
       println(m.load("d").has_value());
     }},
    {"context_cause_through_layers",
     [] {
       static constexpr context_key<int> key{"key"};
       auto top = with_cancel_cause(background());
       auto middle = with_cancel(with_value(top.ctx(), key, 7));
       auto limited = with_timeout(middle.ctx(), 1h, error("too late"));
       auto below = with_cancel_cause(limited.ctx());
       auto aside = with_cancel_cause(top.ctx());
       middle.cancel();
       println(top.ctx().err().message(), cause(top.ctx()).message());
       println(limited.ctx().err().message(), cause(limited.ctx()).message());
       println(below.ctx().err().message(), cause(below.ctx()).message(), *below.ctx().value(key));
       top.cancel(error("the top"));
       println(cause(top.ctx()).message(), "|", cause(middle.ctx()).message(), "|", cause(below.ctx()).message(), "|",
               cause(aside.ctx()).message());
       auto late = with_cancel(top.ctx());
       println(late.ctx().err().message(), cause(late.ctx()).message());
     }},
    {"context_cause_of_none",
     [] {
       println(cause(background()).message());
       auto scope = with_cancel_cause(background());
       println(cause(scope.ctx()).message());
       scope.cancel(nullptr);
       println(cause(scope.ctx()).message());
       scope.cancel(error("later"));
       println(cause(scope.ctx()).message());
     }},
    {"context_deadline_in_the_past",
     [] {
       auto scope = with_deadline(background(), now() - 1h, error("long ago"));
       println(scope.ctx().err().message(), cause(scope.ctx()).message(), scope.ctx().deadline().has_value());
       auto child = with_cancel_cause(scope.ctx());
       child.cancel(error("mine"));
       println(child.ctx().err().message(), cause(child.ctx()).message());
       auto limited = with_timeout(background(), -1s);
       println(limited.ctx().err().message(), cause(limited.ctx()).message());
       limited.cancel();
       println(limited.ctx().err().message());
     }},
    {"context_timeout_under_an_earlier_one",
     [] {
       auto scope = with_timeout(background(), 10ms, error("the parent"));
       auto child = with_timeout(scope.ctx(), 1h, error("the child"));
       (void)child.ctx().done().recv();
       println(child.ctx().err().message(), cause(child.ctx()).message());
       auto other = with_cancel_cause(background());
       auto limited = with_timeout(other.ctx(), 1h, error("the child"));
       other.cancel(error("the parent"));
       println(limited.ctx().err().message(), cause(limited.ctx()).message());
     }},
    {"context_deadline_without_cancel",
     [] {
       static constexpr context_key<int> key{"key"};
       auto scope = with_cancel_cause(with_value(background(), key, 7));
       const context detached = without_cancel(scope.ctx());
       auto limited = with_timeout(detached, 10ms);
       scope.cancel(error("the parent"));
       println(!detached.err(), cause(detached).message(), !limited.ctx().err(), *limited.ctx().value(key));
       (void)limited.ctx().done().recv();
       println(limited.ctx().err().message(), cause(limited.ctx()).message(), !detached.err());
     }},
    {"context_errors",
     [] {
       auto scope = with_timeout(background(), -1s);
       const error timed_out("fetch", scope.ctx().err());
       println(timed_out.message(), timed_out.is(errc::deadline_exceeded), timed_out.is(errc::canceled));
       println(timed_out.cause() == deadline_exceeded(), error("fetch").is(errc::canceled));
       println(panics([] { (void)with_cancel(nullptr); }));
       println(panics([] { (void)with_timeout(nullptr, 1h); }));
       println(panics([] { (void)without_cancel(nullptr); }));
     }},
    {"after_func_of_a_canceled_one",
     [] {
       auto scope = with_cancel(background());
       auto ran = make_chan<int>();
       scope.cancel();
       auto registered = after_func(scope.ctx(), [ran] { ran.send(1); });
       const int once = *ran.recv();
       println(once, registered.stop());
     }},
    {"after_func_of_many",
     [] {
       auto scope = with_cancel(background());
       auto ran = make_chan<int>();
       std::vector<after_func_handle> all;
       for (int i = 1; i <= 4; ++i) all.push_back(after_func(scope.ctx(), [ran, i] { ran.send(i); }));
       println(all[1].stop());
       scope.cancel();
       int sum = 0;
       for (int i = 0; i < 3; ++i) sum += *ran.recv();
       println(sum, all[0].stop(), all[1].stop());
     }},
    {"timer_func",
     [] {
       auto ran = make_chan<int>();
       timer t(1h, [ran] { ran.send(1); });
       println(!t.c());
       const bool first = t.stop();
       const bool second = t.stop();
       println(first, second, t.reset(1ms));
       const int once = *ran.recv();
       println(once, t.stop());
       const bool idle = t.reset(1h);
       println(idle, t.reset(1ms));
       const int twice = *ran.recv();
       println(twice, t.reset(1h));
       println(t.stop());
     }},
    {"timer_in_the_past",
     [] {
       timer t(-1s);
       (void)t.c().recv();
       println(t.reset(0ms));
       (void)t.c().recv();
       (void)after(-1s).recv();
       println(t.stop());
     }},
    {"ticker_reset",
     [] {
       ticker t(1h);
       t.reset(1ms);
       (void)t.c().recv();
       println("tick", t.c().len(), t.c().cap());
       t.stop();
       println(select(recv(t.c()), otherwise) == 0 ? "tick" : "none");
       t.reset(1ms);
       (void)t.c().recv();
       println("tick");
       println(panics([&] { t.reset(0ms); }));
       println(panics([] { const ticker never(-1ns); }));
     }},
    {"uninitialised_timers",
     [] {
       println(panics([] { (void)timer().stop(); }));
       println(panics([] { (void)timer().reset(1s); }));
       println(panics([] { ticker().reset(1s); }));
       println(panics([] { ticker().stop(); }));
     }},
    {"panic_in_a_goroutine", [] { const auto dropped = go([] { throw panic("of its own"); }); }},
    {"panic_of_a_send_in_a_goroutine",
     [] {
       const auto dropped = go([] {
         auto c = make_chan<int>();
         c.close();
         c.send(1);
       });
     }},
    {"go_of_nil",
     [] {
       const std::function<void()> f;
       const auto g = go(f);
     }},
    {"deadlock_receive", [] { (void)make_chan<int>().recv(); }},
    {"deadlock_send", [] { make_chan<int>().send(1); }},
    {"deadlock_nil_receive", [] { (void)chan<int>().recv(); }},
    {"deadlock_nil_send", [] { chan<int>().send(1); }},
    {"deadlock_select",
     [] {
       auto a = make_chan<int>();
       auto b = make_chan<int>();
       select(recv(a), send(b, 1));
     }},
    {"deadlock_empty_select", [] { select(std::span<select_case* const>()); }},
    {"deadlock_mutex",
     [] {
       mutex mu;
       lock(mu);
       lock(mu);
     }},
    {"deadlock_rwmutex",
     [] {
       shared_mutex mu;
       lock_shared(mu);
       lock(mu);
     }},
    {"deadlock_wait_group",
     [] {
       wait_group wg;
       wg.add();
       wg.wait();
     }},
    {"deadlock_cond",
     [] {
       mutex mu;
       cond changed;
       std::unique_lock hold(mu);
       changed.wait(hold);
     }},
    {"deadlock_of_two",
     [] {
       auto a = make_chan<int>();
       auto b = make_chan<int>();
       auto other = go([a, b] { b.send(*a.recv()); });
       a.send(*b.recv());
     }},
    {"deadlock_once",
     [] {
       once first;
       first.call([&] { first.call([] {}); });
     }},
    {"deadlock_range",
     [] {
       auto c = make_chan<int>(1);
       c.send(1);
       for (const int v : c) println(v);
     }},
};

}  // namespace

int main(int argc, char** argv) { return main_of("cross", scenarios, argc, argv); }
