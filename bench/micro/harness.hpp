#pragma once

/// What the C++ programs of the comparison share: the command line, the measuring and the report that bench/README.md
/// describes. It knows nothing of tenon: the Boost.Fiber program uses it too, so that both measure in the same way.

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

namespace bench {

using nanoseconds = std::chrono::duration<double, std::nano>;

struct measurement {
  std::string_view unit;
  double value;
  std::int64_t ops;
};

/// One line of the comparison.
struct row {
  std::string_view name;
  void (*body)(std::int64_t n) = nullptr;  // does n operations and checks their result with `expect`
  std::int64_t multiple = 1;               // n is a multiple of this
  std::int64_t count = 0;                  // unless 0, n is this, whatever --ms says
  std::int64_t whole = 0;                  // unless 0, measured as whole runs of body(1), each of so many operations
  bool one_worker = false;                 // measures a switch, which two workers would not make
  // Where the figure is not the time that the operations take: makes it, in about the time that is given.
  measurement (*own)(nanoseconds target) = nullptr;
  // What is made before the clock starts and lives until it has stopped.
  void (*around)(const std::function<void()>& measured) = nullptr;
};

/// Starts a runtime with this many workers, calls the function on one of its goroutines, stops the runtime.
using runner = void (*)(const row& r, unsigned workers, const std::function<void()>& f);

struct wrong_result : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Throws a wrong_result that says what is wrong unless got is want.
inline void expect(std::string_view what, std::int64_t got, std::int64_t want) {
  if (got == want) return;
  throw wrong_result("wrong result: " + std::string(what) + " is " + std::to_string(got) + ", should be " +
                     std::to_string(want));
}

/// 0 + 1 + … + n-1.
constexpr std::int64_t sum_below(std::int64_t n) { return n * (n - 1) / 2; }

inline nanoseconds timed(const row& r, std::int64_t n) {
  const auto start = std::chrono::steady_clock::now();
  r.body(n);
  return std::max(nanoseconds(std::chrono::steady_clock::now() - start), nanoseconds(1));
}

/// Warms r up and measures it once. The clock covers all of r.body: making the channels, starting the goroutines, the
/// operations, and waiting for the goroutines to end.
inline measurement measure(const row& r, nanoseconds target) {
  if (r.own != nullptr) return r.own(target);
  if (r.whole != 0) {
    timed(r, 1);
    std::int64_t ops = 0;
    nanoseconds total{0};
    for (; total < target; ops += r.whole) total += timed(r, 1);
    return {"ns/op", total.count() / static_cast<double>(ops), ops};
  }
  if (r.count != 0) {
    timed(r, r.count);
    return {"ns/op", timed(r, r.count).count() / static_cast<double>(r.count), r.count};
  }
  const auto scaled = [&](std::int64_t n, double factor) {
    return std::max<std::int64_t>(static_cast<std::int64_t>(static_cast<double>(n) * factor) / r.multiple, 1) *
           r.multiple;
  };
  std::int64_t n = r.multiple;
  nanoseconds t = timed(r, n);
  while (t < target / 3) {
    n = scaled(n, std::clamp(0.5 * (target / t), 2.0, 10.0));
    t = timed(r, n);
  }
  n = scaled(n, target / t);
  t = timed(r, n);
  return {"ns/op", t.count() / static_cast<double>(n), n};
}

/// The whole of `main`. Exit status: 0, 1 for a wrong result or a failure, 2 for a command line not understood.
inline int run_command_line(std::string_view program, std::span<const char* const> args, std::span<const row> rows,
                            runner run) {
  const auto usage = [&](const std::string& why) {
    std::fprintf(stderr, "%s%susage: %.*s list | run ROW [--ms N | --ops N] [--workers N]\n", why.c_str(),
                 why.empty() ? "" : "\n", static_cast<int>(program.size()), program.data());
    return 2;
  };
  if (args.size() == 1 && std::string_view(args[0]) == "list") {
    for (const row& r : rows) std::printf("%.*s\n", static_cast<int>(r.name.size()), r.name.data());
    return 0;
  }
  if (args.size() < 2 || args.size() % 2 != 0 || std::string_view(args[0]) != "run") return usage("");

  unsigned ms = 150;
  unsigned ops = 0;  // so many, once, without a warm-up: for whoever counts instructions
  unsigned workers = std::max(std::thread::hardware_concurrency(), 1U);
  for (std::size_t i = 2; i < args.size(); i += 2) {
    const std::string_view option = args[i];
    const std::string_view value = args[i + 1];
    unsigned* const target = option == "--ms"        ? &ms
                             : option == "--ops"     ? &ops
                             : option == "--workers" ? &workers
                                                     : nullptr;
    if (target == nullptr) return usage("no option " + std::string(option));
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), *target);
    if (error != std::errc() || end != value.data() + value.size() || *target == 0) {
      return usage(std::string(option) + " wants a positive number");
    }
  }

  const auto found = std::ranges::find(rows, std::string_view(args[1]), &row::name);
  if (found == rows.end()) return usage("no row " + std::string(args[1]));
  const row& r = *found;
  if (r.one_worker) workers = 1;
  try {
    measurement m{};
    const auto measured = [&] {
      const std::int64_t n = ops / r.multiple * r.multiple;
      m = n == 0 ? measure(r, std::chrono::milliseconds(ms))
                 : measurement{"ns/op", timed(r, n).count() / static_cast<double>(n), n};
    };
    run(r, workers, [&] { r.around != nullptr ? r.around(measured) : measured(); });
    std::printf(R"({"row":"%.*s","unit":"%.*s","value":%.2f,"ops":%lld})"
                "\n",
                static_cast<int>(r.name.size()), r.name.data(), static_cast<int>(m.unit.size()), m.unit.data(), m.value,
                static_cast<long long>(m.ops));
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%.*s: %.*s: %s\n", static_cast<int>(program.size()), program.data(),
                 static_cast<int>(r.name.size()), r.name.data(), e.what());
    return 1;
  }
}

}  // namespace bench
