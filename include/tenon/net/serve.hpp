#pragma once

/// `net::serve`: accepts connections and gives each a goroutine, until it is told to stop; then lets them finish.
///
/// Go counterpart: the loops of `http.Server`'s `Serve` and `Shutdown`, for any protocol.
///
///     return tn::run([](tn::group& root) -> tn::error {
///       const auto told = tn::with_signals(root.ctx(), {SIGINT, SIGTERM});
///       auto at = tn::net::tcp_listener::listen(":8080");
///       if (!at) return at.err();
///       tn::group connections(root.ctx(), [](const tn::error& e) { std::clog << e.message() << '\n'; });
///       return tn::net::serve(told.ctx(), connections, *at, answer, {.max_connections = 10'000, .grace = 10s});
///     });
///
/// `answer(ctx, stream)`, or `answer(stream)`, is called for each connection in a member of the group, with the group's context, and owns the stream. What it returns
/// or throws is the member's failure: a group with a handler keeps one client's failure from being all the others'.
///
/// Blocks until `ctx` ends, or the group's context does, or the listener is closed, or fails for good (that error is returned). Then the listener is closed, so that new clients are refused
/// and do not wait in vain, and the connections are given `grace` to finish, as `group::finish` does: what it returns is returned. That is for all members of the
/// group: one for each `serve`, and without a limit of its own, which would hold up a connection that was accepted.
///
/// **Limit.** As long as there are `max_connections`, none is accepted: the next ones wait in the system's queue.
///
/// **Out of descriptors or memory.** The next connection is tried for again after 5 ms, and after twice as long each time up to a second. None is lost: they wait in the
/// system's queue; a connection that was accepted, but for which there is no stack, is closed. `on_shortage` is told once, and again only after a connection was taken in between; it may block. Without it, a line goes to stderr.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <new>
#include <type_traits>
#include <utility>

#include <tenon/context.hpp>
#include <tenon/detail/atomic.hpp>
#include <tenon/detail/caught.hpp>
#include <tenon/go.hpp>
#include <tenon/group.hpp>
#include <tenon/net/errc.hpp>
#include <tenon/semaphore.hpp>
#include <tenon/time_span.hpp>

namespace tenon::net {

/// Asks for as many descriptors as this process may have (`ulimit -Hn`), which is more than it gets unasked; returns how many that are. For a program's start: Go's
/// does it unasked. Programs that it starts get the new limit, too, and those that use `select(2)` may not stand it.
std::size_t raise_descriptor_limit() noexcept;

/// What has happened so far; may be read at any time. `group::active` says how many connections there are.
struct serve_counters {
  tenon::detail::atomic<std::uint64_t> accepted{0};
  /// Times that the limit was met, whether or not a further connection would have come.
  tenon::detail::atomic<std::uint64_t> waits_for_limit{0};
  /// Tries to take a connection that failed for want of descriptors or memory.
  tenon::detail::atomic<std::uint64_t> shortages{0};
};

struct serve_options {
  /// 0: no limit.
  std::size_t max_connections = 0;
  /// For the connections that there are at the end.
  time_span grace{};
  std::function<void(const error&)> on_shortage = nullptr;
  /// Told when no more are accepted, before the wait for those that there are.
  std::function<void()> on_drain = nullptr;
  /// Has to outlive the call.
  serve_counters* counters = nullptr;
};

namespace detail {

/// What a failed accept means, and how long to wait after it.
class accept_failures {
 public:
  accept_failures(const serve_options& options, serve_counters& counters) noexcept
      : options_(options), counters_(counters) {}
  /// Waits, if trying again may help; else false. Also when `ctx` has ended.
  bool survive(const context& ctx, const error& why);
  void over() noexcept { pause_ = {}; }

 private:
  const serve_options& options_;
  serve_counters& counters_;
  std::chrono::nanoseconds pause_{0};
};

/// A seat for the next connection, and so a wait for one to leave. Nothing if `ctx` ends, or the listener is closed, meanwhile.
template <class Listener>
semaphore::permit take_seat(const context& ctx, semaphore& seats, Listener& at, serve_counters& counters) {
  if (semaphore::permit free = seats.try_hold()) return free;
  counters.waits_for_limit.fetch_add(1, std::memory_order_relaxed);
  const auto open = with_cancel(ctx);
  // It waits under a context of its own, which ends with the handle, however this is left.
  const auto watch = go(open.ctx(), [&](const context& c) {
    try {
      if (!at.wait_closed(c)) open.cancel();
    } catch (const std::bad_alloc&) {  // then a close is seen once there is a seat
    }
  });
  return seats.hold(open.ctx());
}

/// Refuses new clients however the scope is left.
template <class Listener>
struct closed_listener {
  Listener& at;
  ~closed_listener() { (void)at.close(); }
};

/// Lets the members finish however the scope is left: they use what is in it.
class finished_group {
 public:
  finished_group(group& g, time_span grace) noexcept : group_(&g), grace_(grace) {}
  finished_group(const finished_group&) = delete;
  finished_group& operator=(const finished_group&) = delete;
  ~finished_group() {
    if (group_ == nullptr) return;
    try {
      (void)group_->finish(grace_);
    } catch (...) {  // no memory for a grace
      group_->cancel();
      (void)group_->wait();
    }
  }
  error finish() {
    error e = group_->finish(grace_);
    group_ = nullptr;
    return e;
  }

 private:
  group* group_;
  time_span grace_;
};

}  // namespace detail

/// `at`: a `tcp_listener` or a `unix_listener`.
template <class Listener, class Answer>
error serve(const context& ctx, group& connections, Listener& at, Answer answer, const serve_options& options = {}) {
  using stream_type = typename decltype(at.accept(ctx))::value_type;
  constexpr bool takes_context = std::is_invocable_v<Answer&, const context&, stream_type>;
  static_assert(takes_context || std::is_invocable_v<Answer&, stream_type>,
                "net::serve: the connection's function is called as f(context, stream) or f(stream)");
  serve_counters uncounted;
  serve_counters& counters = options.counters != nullptr ? *options.counters : uncounted;
  constexpr std::int64_t no_limit = std::numeric_limits<std::int64_t>::max();
  const bool is_limited = options.max_connections != 0 && std::in_range<std::int64_t>(options.max_connections);
  semaphore seats(is_limited ? static_cast<std::int64_t>(options.max_connections) : no_limit);
  detail::accept_failures failures(options, counters);
  detail::finished_group members(connections, options.grace);
  const detail::closed_listener<Listener> refused{at};
  const auto open = with_cancel(ctx ? ctx : background());
  const auto with_the_group = after_func(connections.ctx(), [&] { open.cancel(); });
  const context& both = open.ctx();
  error why;
  while (!both.is_canceled()) {
    error failed;
    try {
      auto seat = detail::take_seat(both, seats, at, counters);
      if (!seat) break;
      auto peer = at.accept(both);
      if (peer) {
        counters.accepted.fetch_add(1, std::memory_order_relaxed);
        // The stream goes before its seat does.
        connections.go([held = std::move(seat), &answer, p = *std::move(peer)](const context& c) mutable {
          if constexpr (takes_context) {
            return answer(c, std::move(p));
          } else {
            return answer(std::move(p));
          }
        });
        failures.over();
        continue;
      }
      failed = peer.err();
    } catch (const std::bad_alloc&) {  // no stack, say
      failed = tenon::detail::caught();
    }
    if (both.is_canceled() || failed == errc::closed) break;
    if (failures.survive(both, failed)) continue;
    if (!both.is_canceled()) why = failed;
    break;
  }
  (void)at.close();
  if (options.on_drain) options.on_drain();
  error unfinished = members.finish();
  return why ? why : unfinished;
}

}  // namespace tenon::net
