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
/// Blocks until `ctx` ends, or the listener is closed, or fails for good (that error is returned). Then the listener is closed, so that new clients are refused
/// and do not wait in vain, and the connections are given `grace` to finish, as `group::finish` does: what it returns is returned.
///
/// **Limit.** As long as there are `max_connections`, none is accepted: the next ones wait in the system's queue.
///
/// **Out of descriptors or memory.** The next connection is tried for again after 5 ms, and after twice as long each time up to a second. None is lost: they wait in the
/// system's queue; a connection that was accepted, but for which there is no stack, is closed. `on_shortage` is told once, and again only after an accept has succeeded in between; it may block. Without it, a line goes to stderr.

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
#include <tenon/group.hpp>
#include <tenon/net/errc.hpp>
#include <tenon/semaphore.hpp>

namespace tenon::net {

/// Asks for as many descriptors as this process may have (`ulimit -Hn`), which is more than it gets unasked; returns how many that are. For a program's start: Go's
/// does it unasked. Programs that it starts get the new limit, too, and those that use `select(2)` may not stand it.
std::size_t raise_descriptor_limit() noexcept;

/// What has happened so far; may be read at any time. `group::active` says how many connections there are.
struct serve_counters {
  tenon::detail::atomic<std::uint64_t> accepted{0};
  /// Times that a connection could have come, but for the limit.
  tenon::detail::atomic<std::uint64_t> waits_for_limit{0};
  /// Connections that could not be taken for want of descriptors or memory.
  tenon::detail::atomic<std::uint64_t> shortages{0};
};

struct serve_options {
  /// 0: no limit.
  std::size_t max_connections = 0;
  /// For the connections that there are at the end.
  std::chrono::nanoseconds grace{0};
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
  explicit accept_failures(const serve_options& options) noexcept : options_(options) {}
  /// Waits, if trying again may help; else false. Also when `ctx` has ended.
  bool survive(const context& ctx, const error& why);
  void over() noexcept { pause_ = {}; }

 private:
  const serve_options& options_;
  std::chrono::nanoseconds pause_{0};
};

/// Taken already; given back at the end of the scope.
class seat {
 public:
  explicit seat(semaphore& of) noexcept : of_(of) {}
  seat(const seat&) = delete;
  seat& operator=(const seat&) = delete;
  ~seat() { of_.release(); }

 private:
  semaphore& of_;
};

/// Lets the members finish however the scope is left: they use what is in it.
class finished_group {
 public:
  finished_group(group& g, std::chrono::nanoseconds grace) noexcept : group_(&g), grace_(grace) {}
  finished_group(const finished_group&) = delete;
  finished_group& operator=(const finished_group&) = delete;
  ~finished_group() {
    if (group_ != nullptr) (void)group_->finish(grace_);
  }
  error finish() { return std::exchange(group_, nullptr)->finish(grace_); }

 private:
  group* group_;
  std::chrono::nanoseconds grace_;
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
  constexpr auto no_limit = std::numeric_limits<std::int64_t>::max();
  semaphore seats(options.max_connections == 0 ? no_limit : static_cast<std::int64_t>(options.max_connections));
  detail::accept_failures failures(options);
  detail::finished_group members(connections, options.grace);
  error why;
  for (;;) {
    if (!seats.try_acquire()) {
      counters.waits_for_limit.fetch_add(1, std::memory_order_relaxed);
      if (!seats.acquire(ctx)) break;
    }
    auto peer = at.accept(ctx);
    if (!peer) {
      seats.release();
      if (ctx.is_canceled() || peer.err() == errc::closed) break;
      counters.shortages.fetch_add(1, std::memory_order_relaxed);
      if (failures.survive(ctx, peer.err())) continue;
      if (!ctx.is_canceled()) why = peer.err();
      break;
    }
    counters.accepted.fetch_add(1, std::memory_order_relaxed);
    try {
      connections.go([&seats, &answer, p = *std::move(peer)](const context& c) mutable {
        const detail::seat mine(seats);
        if constexpr (takes_context) {
          return answer(c, std::move(p));
        } else {
          return answer(std::move(p));
        }
      });
      failures.over();
    } catch (const std::bad_alloc&) {  // no stack, say
      seats.release();
      counters.shortages.fetch_add(1, std::memory_order_relaxed);
      if (!failures.survive(ctx, std::current_exception())) break;
    }
  }
  (void)at.close();
  if (options.on_drain) options.on_drain();
  error unfinished = members.finish();
  return why ? why : unfinished;
}

}  // namespace tenon::net
