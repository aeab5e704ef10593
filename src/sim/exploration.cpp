#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <unistd.h>

#include <tenon/detail/virtual_world.hpp>
#include <tenon/testing/explore.hpp>

#include "base/chooser.hpp"
#include "base/fatal.hpp"
#include "lib/repeated_main.hpp"
#include "platform/annotate.hpp"
#include "platform/clock.hpp"
#include "sched/explorer.hpp"
#include "sched/scheduler.hpp"
#include "sim/seed.hpp"
#include "sim/strategy.hpp"

// A run after the other, each in another order. The scheduler asks at each point who goes on (sched/explorer.hpp), the strategy answers; here is what
// the strategy is asked, and what is remembered for a report.
//
// When two states are alike. Each operation is an event, with a hash over: the event before it of the same goroutine, the event before it on the same
// object, the operation, and the time. So the hash stands for all that has led to the event, and the sum over all events, in which their order does
// not count, for the partial order of all that has happened: Musuvathi, Qadeer, "Partial-order reduction for context-bounded state exploration" (2007),
// and CHESS. A goroutine that is woken adds what woke it to its events, a choice that is no operation (a case, an outcome) is an event, too.
//
// Invariants
//  1. Names of objects and goroutines are hashes of what led to them, never addresses or numbers: they are the same in each order.
//  2. Everything here is the worker's during a schedule, and the caller's of `explore` between them.

namespace tenon::testing::detail {

namespace {

using namespace tenon::detail;

std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t z = (a ^ (b + 0x9e3779b97f4a7c15U + (a << 12U) + (a >> 4U))) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 29U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 32U);
}

constexpr std::size_t most_places = 512;  // of the last operations of a schedule
constexpr std::size_t most_lines = 200;

const char* kind_of(operation op, const void* object) noexcept {
  if (object == nullptr) return nullptr;
  if (object == &contexts) return "context";
  switch (op) {
    case operation::lock:
    case operation::try_lock:
    case operation::unlock:
    case operation::lock_shared:
    case operation::try_lock_shared:
    case operation::unlock_shared: return "mutex";
    case operation::cond_wait:
    case operation::signal:
    case operation::broadcast: return "cond";
    case operation::acquire:
    case operation::try_acquire:
    case operation::release: return "semaphore";
    case operation::add:
    case operation::wait: return "wait group";
    case operation::send:
    case operation::try_send:
    case operation::recv:
    case operation::try_recv:
    case operation::close:
    case operation::select: return "channel";
    case operation::start:
    case operation::stop: return "timer";
    case operation::go:
    case operation::join: return "goroutine";
    default: return "object";
  }
}

/// Calls f on the stack of a thread: a goroutine's may be too small for the reader of debug information.
template <class F>
void on_a_threads_stack(F f) {
  if (running_goroutine() == nullptr) return f();
  try {
    std::thread(f).join();
  } catch (const std::system_error&) {  // no thread to be had
    f();
  }
}

std::string place_of(const call_site& site) {
  constexpr unsigned most_calls = 8;
  const void* pcs[most_calls];
  return place_of_calls(pcs, calls_of(site, pcs, most_calls));
}

std::string duration(clock::nanos t) {
  if (t % 1'000'000'000 == 0) return std::to_string(t / 1'000'000'000) + " s";
  if (t % 1'000'000 == 0) return std::to_string(t / 1'000'000) + " ms";
  if (t % 1'000 == 0) return std::to_string(t / 1'000) + " us";
  return std::to_string(t) + " ns";
}

std::string with_commas(std::size_t n) {
  std::string text = std::to_string(n);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, ",");
  return text;
}

std::string what_is(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception of unknown type";
  }
}

}  // namespace

class exploration::state final : public explorer, public repeated_main {
 public:
  state(const explore_options& options, std::source_location where)
      : options_(options), where_(where), began_(clock::real()), shown_(began_) {
    options_.run.workers = 1;
    options_.run.check_locks = true;
    options_.run.lock_faults_are_fatal = false;
    options_.run.cancel_on_interrupt = false;  // who waits for a signal would be no deadlock
    // A failed assertion, say. It ends the process after the handler, as before.
    before_ = std::signal(SIGABRT, [](int) {
      print_last_words(true);
      std::signal(SIGABRT, SIG_DFL);
    });
    if (const char* text = std::getenv("TENON_REPLAY"); text != nullptr && *text != '\0') {
      strategy_ = make_replay(text);
      if (!strategy_) {
        std::fprintf(stderr, "tenon: TENON_REPLAY=%s: not what an exploration has printed\n", text);
        std::exit(2);
      }
      replays_ = true;
      return;
    }
    const std::uint64_t seed = seed_in_use(options.seed);
    switch (options.by) {
      case strategy::random: strategy_ = make_random(seed); break;
      case strategy::priorities: strategy_ = make_priorities(seed, options.depth); break;
      case strategy::exhaustive: strategy_ = make_exhaustive(options.preemptions, options.prune); break;
    }
  }
  state(const state&) = delete;
  state& operator=(const state&) = delete;
  ~state() {
    leave();
    std::signal(SIGABRT, before_);
  }

  explored run(run_result (*entry)(void*, group&), void* arg) {
    world_.emplace(1);
    set_chooser([](std::uint32_t n) noexcept { return current_->choose(n); });
    current_ = this;
    set_last_words_hook([](bool crashed) noexcept {
      crashed ? current_->print_replay() : current_->report("the schedule that led to this");
    });
    try {
      run_repeatedly(*this, options_.run, entry, arg, where_);
    } catch (...) {  // there was no run
      leave();
      throw;
    }
    leave();
    if (thrown_) std::rethrow_exception(std::move(thrown_));
    return {.schedules = schedules_,
            .all = all_,
            .pruned = strategy_->pruned(),
            .failure = failed_ ? replay_text() : std::string()};
  }

  // ---- Around each schedule

  bool begins() noexcept override {
    if (failed_) return false;
    const bool enough = schedules_ >= options_.schedules || clock::real() - began_ >= options_.time.count();
    if (enough && schedules_ != 0 && !replays_) return false;
    if (!strategy_->begin()) {
      all_ = true;
      return false;
    }
    show_progress();
    ++schedules_;
    world_->rewind();
    time_ = 0;
    goroutines_.clear();
    objects_.clear();
    events_.clear();
    kinds_.clear();
    sum_ = last_ = 0;
    moves_ = 0;
    yielder_ = 0;
    return true;
  }

  void started() noexcept override { the_explorer.store(this, std::memory_order_relaxed); }

  void ended(const run_result& result, const std::exception_ptr& failure) noexcept override {
    the_explorer.store(nullptr, std::memory_order_relaxed);
    if (failure) {
      thrown_ = failure;
      return fails(what_is(failure).c_str());
    }
    if (result.failure) return fails(result.failure.message().c_str());
    if (result.status != 0) return fails(("f returned " + std::to_string(result.status)).c_str());
    if (options_.failed != nullptr && options_.failed()) return fails("the test has failed");
    if (replays_) report("the schedule of TENON_REPLAY, without a failure");
  }

  // ---- The explorer

  // What comes next may tell of something that no operation has told of: two states in which it differs are not alike.
  void arrives(const goroutine_core& g, operation op, const void* object) noexcept override {
    const annotate::unobserved scheduling;
    known_goroutine& k = of(g);
    const auto at = objects_.find(object);
    k.chain = mix(mix(k.chain, static_cast<std::uint64_t>(op)), at == objects_.end() ? 0 : at->second.name);
    sum_ += mix(k.chain, 2);
  }

  std::uint32_t pick(goroutine_core* const* ready, std::uint32_t n, const goroutine_core* current,
                     bool timer) noexcept override {
    const annotate::unobserved scheduling;
    who_.clear();
    index_.clear();
    std::uint64_t state = mix(sum_, static_cast<std::uint64_t>(clock::now()));
    if (current != nullptr) {
      who_.push_back(number_of(*current));
      index_.push_back(stays);
      state = mix(state, of(*current).chain);
    }
    for (std::uint32_t i = 0; i < n; ++i) {
      known_goroutine& g = of(*ready[i]);
      if (!g.ready) {  // by what was done last
        g.ready = true;
        g.chain = mix(g.chain, last_);
      }
      if (number_of(*ready[i]) == yielder_ && n > 1) continue;
      who_.push_back(number_of(*ready[i]));
      index_.push_back(i);
    }
    state = mix(state, yielder_);  // whom the others go before
    const bool time = timer && options_.time_passes;
    if (time) {
      who_.push_back(0);
      index_.push_back(time_passes);
    }
    const auto m = static_cast<std::uint32_t>(who_.size());
    const std::uint32_t taken = m == 1 ? 0 : strategy_->pick({who_.data(), m, current != nullptr, time, state});
    const std::uint32_t i = index_[taken];
    if (i == stays) return i;
    yielder_ = 0;
    if (current != nullptr) of(*current).ready = true;
    if (i == time_passes) {
      if (++moves_ >= options_.operations) leave_unended();
      last_ = mix(static_cast<std::uint64_t>(clock::now()), operations);
      sum_ += mix(last_, 1);
      note_time();
      return i;
    }
    known_goroutine& g = of(*ready[i]);
    g.ready = false;
    if (std::exchange(g.time, clock::now()) != clock::now())
      g.chain = mix(g.chain, static_cast<std::uint64_t>(clock::now()));
    return i;
  }

  void before(goroutine_core& g, operation op, const void* object, caller_frame from) noexcept override {
    const annotate::unobserved scheduling;
    const std::uint32_t who = number_of(g);
    if (++moves_ >= options_.operations) leave_unended();
    note_time();
    if (events_.size() % most_places == 0 && places_.size() < most_places) places_.resize(most_places);
    keep_call(places_[events_.size() % most_places], from,
              {reinterpret_cast<std::uintptr_t>(g.low), reinterpret_cast<std::uintptr_t>(g.slot.top())});
    known_goroutine& k = of(g);
    k.event = events_.size();
    if (op == operation::yield) {
      happens(k, mix(k.chain, static_cast<std::uint64_t>(op)));  // with nothing else, but it is further than before
      events_.push_back({who, op, nullptr, 0, {}, 0, none});
      yielder_ = who;
      strategy_->yielded(who);
      return;
    }
    running_ = who;
    std::uint64_t hash = mix(mix(k.chain, static_cast<std::uint64_t>(op)), static_cast<std::uint64_t>(clock::now()));
    const known_object* there = nullptr;
    if (object != nullptr) {
      known_object& o = find(object, hash, kind_of(op, object));
      hash = mix(hash, o.last);
      o.last = hash;
      there = &o;
    }
    happens(k, hash);
    event e{who, op, there != nullptr ? there->kind : nullptr, there != nullptr ? there->number : 0, {}, 0, none};
    if (op == operation::go || op == operation::join) e.number = number_of(*static_cast<const goroutine_core*>(object));
    if (object == &contexts) e.number = 0;
    events_.push_back(e);
  }

  void also(const void* object) noexcept override {
    const annotate::unobserved scheduling;
    if (object == nullptr) return;
    known_goroutine& k = goroutines_[running_];
    known_object& o = find(object, k.chain, kind_of(operation::select, object));
    const std::uint64_t hash = mix(k.chain, o.last);
    o.last = hash;
    happens(k, hash);
    event& e = events_.back();
    if (e.op != operation::select || o.kind != e.kind) return;
    for (std::uint32_t& n : e.more) {
      if (n == 0) return void(n = o.number);
    }
  }

  void waits_for_timer() noexcept override {
    const annotate::unobserved scheduling;
    if (++moves_ >= options_.operations) leave_unended();
  }

  void fired(std::uint32_t which) noexcept override {
    const annotate::unobserved scheduling;
    known_goroutine& k = goroutines_[running_];
    happens(k, mix(k.chain, which));
    if (k.event < events_.size()) events_[k.event].fired = which;
  }

  void ended(const goroutine_core& g) noexcept override {
    const annotate::unobserved scheduling;
    known_goroutine& k = of(g);
    known_object& o = find(&g, k.chain, "goroutine");
    o.last = mix(o.last, k.chain);
    happens(k, o.last);
  }

 private:
  struct known_goroutine {
    std::uint64_t chain = 0;  // its last event
    clock::nanos time = 0;    // when it last ran
    std::size_t event = 0;    // the number of its last operation
    bool ready = false;       // as far as is known
  };

  struct known_object {
    std::uint64_t name;    // of what made it
    std::uint64_t last;    // the last event on it
    std::uint32_t number;  // of its kind, in the order of their first operations
    const char* kind;
  };

  static constexpr std::uint32_t none = otherwise - 1;
  struct event {
    std::uint32_t who;
    operation op;
    const char* kind;  // of the object; null: none
    std::uint32_t number;
    std::uint32_t more[3] = {};  // further ones of that kind
    clock::nanos time = 0;       // that has passed
    std::uint32_t fired = none;  // the case of a select
  };

  static std::uint32_t number_of(const goroutine_core& g) noexcept {
    return static_cast<std::uint32_t>(g.id.load(std::memory_order_relaxed));
  }

  known_goroutine& of(const goroutine_core& g) {
    const std::uint32_t n = number_of(g);
    if (n >= goroutines_.size()) goroutines_.resize(n + 16);
    return goroutines_[n];
  }

  known_object& find(const void* object, std::uint64_t name, const char* kind) {
    const auto [at, fresh] = objects_.try_emplace(object);
    if (fresh || (kind != nullptr && at->second.kind != kind && at->second.kind != nullptr)) {
      at->second = {name, name, kind != nullptr ? next_of(kind) : 0, kind};
    }
    return at->second;
  }

  std::uint32_t next_of(const char* kind) {
    for (auto& [name, n] : kinds_) {
      if (name == kind) return ++n;
    }
    kinds_.emplace_back(kind, 1);
    return 1;
  }

  /// Says that the clock has gone on, if it has.
  void note_time() {
    const clock::nanos now = clock::now();
    if (time_ != 0 && now > time_) events_.push_back({0, operation::passing, nullptr, 0, {}, now - time_, none});
    time_ = now;
  }

  void happens(known_goroutine& k, std::uint64_t hash) noexcept {
    k.chain = last_ = hash;
    k.time = clock::now();
    sum_ += mix(hash, 0);
  }

  std::uint32_t choose(std::uint32_t n) noexcept {
    const annotate::unobserved scheduling;
    const std::uint32_t i = n == 1 ? 0 : strategy_->choose(n);
    if (running_goroutine() != nullptr) {
      known_goroutine& k = goroutines_[running_];
      happens(k, mix(k.chain, i));
    }
    return i;
  }

  void leave() noexcept {
    if (!world_) return;
    set_last_words_hook(nullptr);
    world_.reset();  // takes the chooser away
  }

  void fails(const char* why) {
    failed_ = true;
    report(why);
  }

  [[noreturn]] void leave_unended() {
    fatal(
        ("tenon: explore: a schedule has not ended after " + with_commas(options_.operations) +
         " operations: a goroutine looks at something again and again without yield(), a ticker goes on while all wait, or "
         "explore_options::operations is too small")
            .c_str());
  }

  void show_progress() {
    const clock::nanos now = clock::real();
    if (now - shown_ < 1'000'000'000 || (!options_.progress && ::isatty(STDERR_FILENO) == 0)) return;
    shown_ = now;
    const double seconds = static_cast<double>(now - began_) / 1e9;
    std::fprintf(stderr, "tenon: explore: %s schedules, %s a second\n", with_commas(schedules_).c_str(),
                 with_commas(static_cast<std::size_t>(static_cast<double>(schedules_) / seconds)).c_str());
  }

  void report(const char* why) noexcept {
    on_a_threads_stack([&] {
      std::string text = "\ntenon: explore, called at " + std::string(where_.file_name()) + ":" +
                         std::to_string(where_.line()) + ": schedule " + with_commas(schedules_) + ": " + why + "\n";
      append_events(text);
      print_report(text.c_str());
      print_replay();
    });
  }

  [[nodiscard]] const char* replay_text() const noexcept {
    static char text[std::size_t{64} << 10U];
    strategy_->replay(text, sizeof text);
    return text;
  }

  /// Allocates nothing.
  void print_replay() const noexcept {
    print_report("\nTENON_REPLAY=");
    print_report(replay_text());
    print_report("\n");
  }

  void append_events(std::string& text) const {
    const std::size_t first = events_.size() > most_lines ? events_.size() - most_lines : 0;
    if (first != 0) text += "  ... " + with_commas(first) + " operations before\n";
    for (std::size_t i = first; i < events_.size(); ++i) {
      const event& e = events_[i];
      if (e.op == operation::passing) {
        text += "  time passes: " + duration(e.time) + "\n";
        continue;
      }
      const std::string place = place_of(places_[i % most_places]);
      if (place.empty()) continue;  // tenon's own: the end of a run
      std::string what = to_text(e.op);
      if (e.kind != nullptr) what += std::string(" ") + e.kind;
      if (e.kind != nullptr && e.number != 0) what += " " + std::to_string(e.number);
      for (const std::uint32_t n : e.more) {
        if (n != 0) what += ", " + std::to_string(n);
      }
      if (e.fired == otherwise) {
        what += ": otherwise";
      } else if (e.fired != none) {
        what += ": case " + std::to_string(e.fired + 1);
      }
      char line[128];
      std::snprintf(line, sizeof line, "  goroutine %-4u %-28s ", static_cast<unsigned>(e.who), what.c_str());
      text += line + place + "\n";
    }
  }

  static inline state* current_ = nullptr;

  explore_options options_;
  const std::source_location where_;
  const clock::nanos began_;
  void (*before_)(int) = SIG_DFL;
  clock::nanos shown_;
  std::unique_ptr<tenon::detail::strategy> strategy_;
  bool replays_ = false;
  bool failed_ = false;
  bool all_ = false;
  std::exception_ptr thrown_;
  std::size_t schedules_ = 0;
  std::optional<virtual_world> world_;

  // Of the schedule.
  std::vector<known_goroutine> goroutines_;  // by number
  std::unordered_map<const void*, known_object> objects_;
  std::vector<std::pair<const char*, std::uint32_t>> kinds_;
  std::vector<event> events_;
  std::vector<call_site> places_;
  std::vector<std::uint32_t> who_;
  std::vector<std::uint32_t> index_;
  clock::nanos time_ = 0;  // of the last event
  std::size_t moves_ = 0;  // operations, and moves of the clock
  std::uint64_t sum_ = 0;
  std::uint64_t last_ = 0;  // the last event
  std::uint32_t running_ = 0;
  std::uint32_t yielder_ = 0;  // it has said that others shall go first; 0: none
};

exploration::exploration(const explore_options& options, std::source_location where)
    : state_(std::make_unique<state>(options, where)) {}
exploration::~exploration() = default;
explored exploration::run(tenon::detail::run_result (*entry)(void*, group&), void* arg) {
  return state_->run(entry, arg);
}

}  // namespace tenon::testing::detail

namespace tenon::testing {

void touch(const volatile void* what) noexcept {
  tenon::detail::point(tenon::detail::operation::touch, const_cast<const void*>(what));
}

}  // namespace tenon::testing
