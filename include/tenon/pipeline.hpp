#pragma once

/// `pipeline`: stages connected by channels, each run by goroutines that the pipeline owns.
///
/// Go counterpart: the pipeline patterns of Go's blog: generator, stage, fan-out, fan-in, bounded parallelism. What has to be written
/// there each time is done here once: a stage closes its output when its input ends, every send and receive ends when the pipeline is canceled,
/// and the first failure cancels it.
///
///     tenon::pipeline p(ctx);
///     auto paths   = p.generate<path>([&](auto& emit) { for (auto& f : files(root)) if (!emit(f)) return; });
///     auto digests = p.transform({.workers = 20}, paths, [](path f) { return digest(f); });
///     p.for_each(digests, [](const digest& d) { std::cout << d << '\n'; });
///     if (tenon::error e = p.wait()) …
///
/// **Stages** return the channel of their output at once and never block. A function of a stage is called as `f(ctx, v)` if it can be, else as
/// `f(v)`; it fails by throwing (in `for_each` also by returning an error, or a result that is one). A stage with `workers` calls it from that many
/// goroutines. Its output is in the order of its input unless `ordered` is false; held back are at most `window` results (0: twice the number
/// of workers), whatever the length of the input. Fewer than one worker are one, and a `batch` of 0 is one of 1; a null function fails
/// as a throwing one does; a window that no memory could hold is a panic.
///
/// **Options.** `generate`, `filter`, `merge`, `batch`, `tee` and `go` take `go_options` first, `p.generate<int>({.name = "source"}, f)`;
/// `transform` and `for_each` have `name` and `stack_size` beside `workers`.
///
/// **Ending.** `wait` blocks until every stage has ended and returns the first failure. An output without a consumer blocks its
/// stage, and so `wait`. A failure, the parent context and the destructor stop all stages; the destructor also waits for them. Channels
/// are unbuffered. The members are thread-safe but for construction and destruction. Cannot be copied or moved.

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <ranges>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

#include <tenon/chan.hpp>
#include <tenon/cond.hpp>
#include <tenon/context.hpp>
#include <tenon/detail/atomic.hpp>
#include <tenon/error.hpp>
#include <tenon/group.hpp>
#include <tenon/panic.hpp>
#include <tenon/select.hpp>
#include <tenon/semaphore.hpp>
#include <tenon/time_span.hpp>
#include <tenon/timer.hpp>

namespace tenon {

/// How a stage runs its function.
struct parallel {
  int workers = 1;
  bool ordered = true;
  std::size_t window = 0;
  /// Of its goroutines, as in `go_options`.
  const char* name = nullptr;
  std::size_t stack_size = 0;
};

namespace detail {

template <class F, class T>
concept pipeline_function = std::invocable<F&, context, T> || std::invocable<F&, T>;
/// One line with the remedy, in place of the errors of the templates below.
template <class F, class T>
constexpr void check_stage() {
  static_assert(
      pipeline_function<F, T>,
      "pipeline: f is called as f(context, T) or f(T), T being the element of the channel that the stage reads");
}

template <class F, class T>
decltype(auto) call_stage(F& f, const context& ctx, T&& v) {
  if constexpr (std::is_invocable_v<F&, context, T>) {
    return f(ctx, std::forward<T>(v));
  } else {
    return f(std::forward<T>(v));
  }
}
template <class F, class T>
using stage_result =
    std::decay_t<decltype(call_stage(std::declval<F&>(), std::declval<const context&>(), std::declval<T>()))>;

template <class C>
using element = typename std::remove_cvref_t<C>::value_type;

/// Closes a stage's output when the last of its goroutines has ended.
template <class T>
struct output {
  explicit output(chan<T> c) : to(std::move(c)) {}
  output(const output&) = delete;
  output& operator=(const output&) = delete;
  ~output() { to.close(); }
  const chan<T> to;
};

/// Results that came out of order, until it is their turn.
template <class U>
struct reorder {
  reorder(std::size_t window, int workers) : room(static_cast<std::int64_t>(window)), ring(window), working(workers) {}
  semaphore room;  // one for each input that was taken and whose result is not out yet
  mutex taking;    // one worker at a time takes an input and its number
  std::size_t taken = 0;

  /// An input and its number; nothing at the end. The analysis does not know std::lock_guard.
  template <class T>
  std::optional<std::pair<T, std::size_t>> take(const context& c, const recv_chan<T>& in) TENON_TSA_UNCHECKED {
    if (!taking.lock(c)) return std::nullopt;
    const std::lock_guard hold(taking, std::adopt_lock);
    auto v = in.recv(c);
    if (!v) return std::nullopt;
    return std::pair(*std::move(v), taken++);
  }

  mutex mu;  // guards the rest
  cond changed;
  std::vector<std::optional<U>> ring;
  std::size_t out = 0;
  int working;
};

}  // namespace detail

/// What a generator calls with each of its values; false once the pipeline is canceled: time to return.
template <class T>
class emitter {
 public:
  emitter(const context& ctx, const chan<T>& to) noexcept : ctx_(ctx), to_(to) {}
  [[nodiscard]] bool operator()(T value) const { return to_.send(ctx_, std::move(value)); }
  [[nodiscard]] const context& ctx() const noexcept { return ctx_; }

 private:
  const context& ctx_;
  const chan<T>& to_;
};

class pipeline {
 public:
  explicit pipeline(const context& parent) : parent_(parent), group_(parent) {}
  explicit pipeline(within&&) = delete;  // with_timeout: it is kept
  pipeline(const pipeline&) = delete;
  pipeline& operator=(const pipeline&) = delete;
  ~pipeline() = default;

  using at = std::source_location;

  /// The context of the stages.
  [[nodiscard]] const context& ctx() const noexcept { return group_.ctx(); }

  /// The values that `f(emit)` passes to `emit`.
  template <class T, std::invocable<emitter<T>&> F>
  [[nodiscard]] recv_chan<T> generate(F&& f, at where = at::current()) {
    return generate<T>(go_options{.where = where}, std::forward<F>(f));
  }
  template <class T, std::invocable<emitter<T>&> F>
  [[nodiscard]] recv_chan<T> generate(const go_options& options, F&& f) {
    auto out = fresh<T>();
    group_.go(options, [out, f = std::decay_t<F>(std::forward<F>(f))](const context& c) mutable {
      emitter<T> to(c, out->to);
      f(to);
    });
    return out->to;
  }
  /// The elements of a range, which is moved or copied into the stage. Of a view the elements are copied, if they can be: they are the caller's.
  template <std::ranges::input_range R>
  [[nodiscard]] recv_chan<std::ranges::range_value_t<R>> generate(R&& range, at where = at::current()) {
    return generate(go_options{.where = where}, std::forward<R>(range));
  }
  template <std::ranges::input_range R>
  [[nodiscard]] recv_chan<std::ranges::range_value_t<R>> generate(const go_options& options, R&& range) {
    using T = std::ranges::range_value_t<R>;
    static_assert(
        !detail::is_initializer_list<std::remove_cvref_t<R>>,
        "generate: the elements of an initializer_list are gone when the stage looks at them: pass a std::vector");
    static_assert(!std::is_same_v<std::ranges::iterator_t<R>, detail::received<T>>,
                  "generate: a channel is the input of a stage as it is: pass it to that stage");
    if constexpr (std::is_array_v<std::remove_reference_t<R>>) {
      return generate(options, std::to_array(std::forward<R>(range)));
    } else {
      return generate_from<T>(options, std::forward<R>(range));
    }
  }

  /// f of each value.
  template <class C, class F>
  [[nodiscard]] auto transform(const C& in, F&& f, at where = at::current()) {
    detail::check_stage<std::decay_t<F>, detail::element<C>>();
    return transform(parallel{}, in, std::forward<F>(f), where);
  }
  template <class C, class F>
  [[nodiscard]] auto transform(const parallel& how, const C& in, F&& f, at where = at::current()) {
    using T = detail::element<C>;
    detail::check_stage<std::decay_t<F>, T>();
    if constexpr (detail::pipeline_function<std::decay_t<F>, T>) {
      using U = detail::stage_result<std::decay_t<F>, T>;
      static_assert(!std::is_void_v<U>, "transform: the function returns nothing; use for_each");
      if (how.workers > 1 && how.ordered) return in_order<T, U>(how, in, std::forward<F>(f), options_of(how, where));
      auto out = fresh<U>();
      each(how.workers, in, std::forward<F>(f), options_of(how, where),
           [out](const context& c, auto& of, T v) { return out->to.send(c, detail::call_stage(of, c, std::move(v))); });
      return recv_chan<U>(out->to);
    } else {
      return recv_chan<T>();  // check_stage has said what is wrong
    }
  }

  /// The values for which f holds.
  template <class C, class F>
  [[nodiscard]] recv_chan<detail::element<C>> filter(const C& in, F&& f, at where = at::current()) {
    detail::check_stage<std::decay_t<F>, const detail::element<C>&>();
    return filter(go_options{.where = where}, in, std::forward<F>(f));
  }
  template <class C, class F>
  [[nodiscard]] recv_chan<detail::element<C>> filter(const go_options& options, const C& in, F&& f) {
    using T = detail::element<C>;
    detail::check_stage<std::decay_t<F>, const T&>();
    auto out = fresh<T>();
    if constexpr (detail::pipeline_function<std::decay_t<F>, const T&>) {
      each(1, in, std::forward<F>(f), options, [out](const context& c, auto& of, T v) {
        return !detail::call_stage(of, c, std::as_const(v)) || out->to.send(c, std::move(v));
      });
    }
    return out->to;
  }

  /// All inputs in one channel, in no order.
  template <class T>
  [[nodiscard]] recv_chan<T> merge(std::vector<recv_chan<T>> ins, at where = at::current()) {
    return merge(go_options{.where = where}, std::move(ins));
  }
  template <class T>
  [[nodiscard]] recv_chan<T> merge(const go_options& options, std::vector<recv_chan<T>> ins) {
    auto out = fresh<T>();
    for (auto& in : ins) {
      group_.go(options, [out, in = std::move(in)](const context& c) {
        while (auto v = in.recv(c)) {
          if (!out->to.send(c, *std::move(v))) return;
        }
      });
    }
    return out->to;
  }
  template <class C, std::same_as<C>... More>
  [[nodiscard]] recv_chan<detail::element<C>> merge(const C& first, const More&... more) {
    return merge(std::vector<recv_chan<detail::element<C>>>{first, more...});
  }

  /// Up to `size` values at a time; fewer at the end, and when the first of them has waited for `at_most`.
  template <class C>
  [[nodiscard]] recv_chan<std::vector<detail::element<C>>> batch(const C& in, std::size_t size,
                                                                 time_span at_most = time_span::max(),
                                                                 at where = at::current()) {
    return batch(go_options{.where = where}, in, size, at_most);
  }
  template <class C>
  [[nodiscard]] recv_chan<std::vector<detail::element<C>>> batch(const go_options& options, const C& in,
                                                                 std::size_t size,
                                                                 time_span at_most = time_span::max()) {
    using T = detail::element<C>;
    auto out = fresh<std::vector<T>>();
    group_.go(options, [out, in = recv_chan<T>(in), size, at_most](const context& c) {
      std::vector<T> batch;
      auto next = tenon::recv(in);
      auto late = tenon::recv(recv_chan<time_point>());
      auto stop = tenon::recv(c.done());
      const auto deliver = [&] {
        late.disable();
        return out->to.send(c, std::exchange(batch, {}));
      };
      for (;;) {
        tenon::select(next, late, stop);
        if (stop) return;
        if (late) {
          if (!deliver()) return;
          continue;
        }
        if (next.closed()) {
          if (!batch.empty()) (void)deliver();
          return;
        }
        if (batch.empty() && at_most != time_span::max()) late = tenon::recv(tenon::after(at_most));
        batch.push_back(std::move(*next));
        if (batch.size() >= size && !deliver()) return;
      }
    });
    return out->to;
  }

  /// Every value to each of N outputs. The slowest consumer sets the pace.
  template <std::size_t N, class C>
  [[nodiscard]] std::array<recv_chan<detail::element<C>>, N> tee(const C& in, at where = at::current()) {
    return tee<N>(go_options{.where = where}, in);
  }
  template <std::size_t N, class C>
  [[nodiscard]] std::array<recv_chan<detail::element<C>>, N> tee(const go_options& options, const C& in) {
    using T = detail::element<C>;
    std::array<std::shared_ptr<detail::output<T>>, N> outs;
    std::array<recv_chan<T>, N> result;
    for (std::size_t i = 0; i < N; ++i) {
      outs[i] = fresh<T>();
      result[i] = outs[i]->to;
    }
    group_.go(options, [outs, in = recv_chan<T>(in)](const context& c) {
      while (auto v = in.recv(c)) {
        // To the consumer that is ready first, so that consumers that wait for each other cannot block each other here.
        std::vector<send_case<T>> sends;
        sends.reserve(N);
        for (const auto& out : outs) sends.push_back(tenon::send(out->to, *v));
        auto stop = tenon::recv(c.done());
        std::vector<select_case*> left{&stop};
        for (auto& s : sends) left.push_back(&s);
        while (left.size() > 1) {
          const std::size_t fired = tenon::select(left);
          if (stop) return;
          left[fired] = left.back();
          left.pop_back();
        }
      }
    });
    return result;
  }

  /// Calls f for each value: a pipeline's last stage.
  template <class C, class F>
  void for_each(const C& in, F&& f, at where = at::current()) {
    detail::check_stage<std::decay_t<F>, detail::element<C>>();
    for_each(parallel{}, in, std::forward<F>(f), where);
  }
  template <class C, class F>
  void for_each(const parallel& how, const C& in, F&& f, at where = at::current()) {
    using T = detail::element<C>;
    detail::check_stage<std::decay_t<F>, T>();
    if constexpr (detail::pipeline_function<std::decay_t<F>, T>) {
      each(how.workers, in, std::forward<F>(f), options_of(how, where), [](const context& c, auto& of, T v) -> step {
        using R = decltype(detail::call_stage(of, c, std::move(v)));
        if constexpr (std::is_convertible_v<R, error>) {
          return step(error(detail::call_stage(of, c, std::move(v))));
        } else if constexpr (requires {
                               { std::declval<R>().err() } -> std::convertible_to<error>;
                             }) {
          return step(error(detail::call_stage(of, c, std::move(v)).err()));  // of a result
        } else {
          (void)detail::call_stage(of, c, std::move(v));
          return step(true);
        }
      });
    }
  }

  /// Another goroutine of the pipeline: what no stage does.
  template <class F>
  void go(F&& f, at where = at::current()) {
    group_.go(std::forward<F>(f), where);
  }
  template <class F>
  void go(const go_options& options, F&& f) {
    group_.go(options, std::forward<F>(f));
  }

  /// Blocks until every stage has ended; the first failure. If the parent was canceled before the end: its error.
  error wait() {
    if (error e = group_.wait()) return e;
    return parent_.err();
  }

 private:
  /// Whether a stage goes on, and the error if it failed.
  struct step {
    step(bool more) noexcept : goes_on(more) {}  // NOLINT
    explicit step(error e) noexcept : goes_on(!e), err(std::move(e)) {}
    bool goes_on;
    error err;
  };

  template <class T, class R>
  recv_chan<T> generate_from(const go_options& options, R&& range) {
    return generate<T>(options, [all = std::decay_t<R>(std::forward<R>(range))](emitter<T>& to) mutable {
      constexpr bool refers = std::ranges::view<std::decay_t<R>> || std::ranges::borrowed_range<std::decay_t<R>>;
      for (auto&& v : all) {
        if constexpr (refers && std::convertible_to<decltype(v), T>) {
          if (!to(std::forward<decltype(v)>(v))) return;
        } else {
          if (!to(std::move(v))) return;
        }
      }
    });
  }

  static go_options options_of(const parallel& how, at where) noexcept {
    return {.name = how.name, .stack_size = how.stack_size, .where = where};
  }

  template <class T>
  static std::shared_ptr<detail::output<T>> fresh() {
    return std::make_shared<detail::output<T>>(make_chan<T>());
  }

  /// One function object a worker: they need not be thread-safe if they can be copied.
  template <class C, class F, class Step>
  void each(int workers, const C& in, F&& f, const go_options& options, Step one) {
    using T = detail::element<C>;
    for (int i = 0; i < std::max(workers, 1); ++i) {
      group_.go(options, [in = recv_chan<T>(in), f = std::decay_t<F>(f), one](const context& c) mutable -> error {
        while (auto v = in.recv(c)) {
          step s(one(c, f, *std::move(v)));
          if (!s.goes_on) return std::move(s.err);
        }
        return nullptr;
      });
    }
  }

  template <class T, class U, class F>
  recv_chan<U> in_order(const parallel& how, const recv_chan<T>& in, F&& f, const go_options& options) {
    const std::size_t window = how.window != 0 ? how.window : 2 * static_cast<std::size_t>(how.workers);
    if (window > PTRDIFF_MAX / sizeof(std::optional<U>)) throw panic("tenon: pipeline: window out of range");
    auto out = fresh<U>();
    auto line = std::make_shared<detail::reorder<U>>(window, how.workers);
    for (int i = 0; i < how.workers; ++i) {
      group_.go(options, [line, in, f = std::decay_t<F>(f)](const context& c) mutable {
        struct leaving {
          detail::reorder<U>& line;
          ~leaving() {
            const std::lock_guard hold(line.mu);
            --line.working;
            line.changed.broadcast();
          }
        } at_the_end{*line};
        while (line->room.acquire(c)) {
          auto next = line->take(c, in);
          if (!next) {
            // With a window below the number of workers others wait for it, to see the end, too.
            line->room.release();
            return;
          }
          const std::size_t number = next->second;
          U result = detail::call_stage(f, c, std::move(next->first));
          const std::lock_guard hold(line->mu);
          line->ring[number % line->ring.size()].emplace(std::move(result));
          if (number == line->out) line->changed.signal();
        }
      });
    }
    group_.go(options, [line, out](const context& c) {
      std::unique_lock hold(line->mu);
      for (;;) {
        auto& next = line->ring[line->out % line->ring.size()];
        if (!line->changed.wait(hold, c, [&] { return next || line->working == 0; }) || !next) return;
        U result = *std::move(next);
        next.reset();
        ++line->out;
        hold.unlock();
        if (!out->to.send(c, std::move(result))) return;
        line->room.release();
        hold.lock();
      }
    });
    return out->to;
  }

  const context parent_;
  group group_;
};

}  // namespace tenon
