#pragma once

// Small programs of a few threads, run in every order of their atomic operations and with every value that their loads may have: what loom
// is to Rust, over the library's own code. The model build only (./run check model).
//
//     const auto r = model::explore({}, [] {
//       tenon::mutex mu;
//       int n = 0;
//       model::thread other([&] { mu.lock(); ++n; mu.unlock(); });
//       mu.lock(); ++n; mu.unlock();
//       other.join();
//       MODEL_REQUIRE(n == 2);
//     });
//     EXPECT_TRUE(r.ok()) << r.report;
//
// The function is run again and again, in a process of its own, each time with other decisions: who goes on at each operation, which store
// each load reads (memory.hpp), which waiter a `choose` of the library takes. It must do the same given the same decisions: no clock, no
// random numbers, no state that outlives it. Decisions that differ from "the thread goes on" and "the load reads the newest store" are
// counted, and bounded: first none of them, then one, up to `preemptions` and `stale_reads`, so what is found has the fewest of them.
//
// A failure is: a requirement that does not hold; everybody asleep (a lost wake-up); a thread that spins while no one else can do
// anything; an atomic used after its end, or in no order with it (c11); a data race (c11): two uses of a plain variable in no order, in the program or in
// the library; a crash. It ends the
// exploration; the report has the decisions, and what each thread did.

#include <cstdint>
#include <functional>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>

#include "model/engine/memory.hpp"

namespace tenon::model {

struct options {
  memory_model memory = memory_model::c11;
  unsigned preemptions = 2;
  unsigned stale_reads = 2;
  std::uint64_t most_executions = 30'000;
  std::uint64_t random = 0;  // instead of all: so many executions with random decisions, without bounds
  std::uint32_t seed = 1;
  std::string replay;        // the decisions of a report: this execution alone
  bool tell_places = false;  // the report has a line `place: file:line order` for each operation that was met
  std::string weaken;        // a place, file:line: its operations become relaxed, to see who notices
};

struct result {
  bool found = false;     // a failure
  bool complete = false;  // every execution within the bounds was run
  std::uint64_t executions = 0;
  std::uint64_t points = 0;  // in all of them
  double seconds = 0;
  std::string failure;  // its first line
  std::string replay;   // its decisions
  std::string report;   // all of it, and what the program wrote to stderr
  [[nodiscard]] bool ok() const noexcept { return !found && complete; }
};

result explore(const options& o, const std::function<void()>& body);

/// A thread of the program. The calling one is modelled, too.
class thread {
 public:
  explicit thread(std::function<void()> f, const place& where = place::current());
  ~thread();
  thread(const thread&) = delete;
  thread& operator=(const thread&) = delete;
  void join(const place& where = place::current());

 private:
  unsigned id_;
  bool joined_ = false;
};

[[noreturn]] void failed(const char* what, const place& where = place::current());

inline void require(bool holds, const char* what, const place& where = place::current()) {
  if (!holds) failed(what, where);
}
#define MODEL_REQUIRE(condition) ::tenon::model::require((condition), "required: " #condition)

/// A choice of the program's own, all of which are explored.
std::uint32_t choose(std::uint32_t n) noexcept;

}  // namespace tenon::model
