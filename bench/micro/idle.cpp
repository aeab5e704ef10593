/// `tenon_bench idle`: what a process costs in which every goroutine waits, in processor time and in memory.

#include <sys/resource.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <tenon/chan.hpp>
#include <tenon/run.hpp>
#include <tenon/sleep_for.hpp>
#include <tenon/timer.hpp>
#include <tenon/wait_group.hpp>

#include "harness.hpp"
#include "rows.hpp"

namespace bench {

namespace {

struct idle_options {
  unsigned seconds = 10;
  unsigned workers = std::max(std::thread::hardware_concurrency(), 1U);
  unsigned goroutines = 100'000;
  unsigned timers = 1000;
};

struct usage_now {
  double cpu_ms = 0;
  std::int64_t switches = 0;  // of threads that had nothing left to do: each was a wake-up
  std::int64_t resident = 0;
  std::int64_t page_tables = 0;
};

usage_now usage() {
  const auto ms = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_usec) / 1e3;
  };
  rusage r{};
  if (::getrusage(RUSAGE_SELF, &r) != 0) throw std::runtime_error("getrusage failed");
  usage_now now{.cpu_ms = ms(r.ru_utime) + ms(r.ru_stime), .switches = r.ru_nvcsw};
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    const auto kib = [&line] { return std::stoll(line.substr(line.find(':') + 1)) * 1024; };
    if (line.starts_with("VmRSS:")) now.resident = kib();
    if (line.starts_with("VmPTE:")) now.page_tables = kib();
  }
  return now;
}

void wait_idly(const idle_options& o) {
  using clock = std::chrono::steady_clock;
  std::vector<tenon::timer> pending;
  pending.reserve(o.timers);
  for (unsigned i = 0; i < o.timers; ++i) pending.emplace_back(std::chrono::hours(1) + std::chrono::microseconds(i));

  const usage_now empty = usage();
  const auto gate = tenon::make_chan<std::int64_t>();
  tenon::wait_group there;
  there.add(static_cast<int>(o.goroutines));
  tenon::wait_group all;
  for (unsigned i = 0; i < o.goroutines; ++i) {
    all.go([&gate, &there] {
      there.done();
      [[maybe_unused]] const auto nothing = gate.recv();
    });
  }
  there.wait();
  const usage_now before = usage();
  const auto start = clock::now();
  tenon::sleep_for(std::chrono::seconds(o.seconds));
  const double seconds = std::chrono::duration<double>(clock::now() - start).count();
  const usage_now after = usage();
  gate.close();
  all.wait();
  std::int64_t stopped = 0;
  for (const auto& t : pending) stopped += t.stop() ? 1 : 0;
  expect("the number of timers stopped in time", stopped, o.timers);

  const auto each = [&o](std::int64_t bytes) { return static_cast<double>(bytes) / o.goroutines; };
  const double cpu_ms = after.cpu_ms - before.cpu_ms;
  std::printf(R"({"goroutines":%u,"timers":%u,"seconds":%.3f,"cpu_ms":%.3f,"cpu_percent":%.4f,"switches":%lld,)"
              R"("bytes_per_goroutine":%.0f,"page_table_bytes_per_goroutine":%.0f})"
              "\n",
              o.goroutines, o.timers, seconds, cpu_ms, cpu_ms / seconds / 10,
              static_cast<long long>(after.switches - before.switches), each(after.resident - empty.resident),
              each(after.page_tables - empty.page_tables));
}

}  // namespace

int idle(std::span<const char* const> args) {
  idle_options o;
  const std::array<std::pair<std::string_view, unsigned*>, 4> known{
      {{"--seconds", &o.seconds}, {"--workers", &o.workers}, {"--goroutines", &o.goroutines}, {"--timers", &o.timers}}};
  const auto misuse = [](const std::string& why) {
    std::fprintf(stderr, "%s\nusage: tenon_bench idle [--seconds N] [--workers N] [--goroutines N] [--timers N]\n",
                 why.c_str());
    return 2;
  };
  for (std::size_t i = 0; i < args.size(); i += 2) {
    const std::string_view option = args[i];
    const auto found = std::ranges::find(known, option, [](const auto& k) { return k.first; });
    if (found == known.end()) return misuse("no option " + std::string(option));
    const std::string_view value = i + 1 < args.size() ? args[i + 1] : "";
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), *found->second);
    if (error != std::errc() || end != value.data() + value.size() || *found->second == 0) {
      return misuse(std::string(option) + " wants a positive number");
    }
  }
  try {
    tenon::run([&o](const tenon::context&) { wait_idly(o); }, {.workers = o.workers});
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "tenon_bench: idle: %s\n", e.what());
    return 1;
  }
}

}  // namespace bench
