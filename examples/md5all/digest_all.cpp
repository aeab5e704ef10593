#include "digest_all.hpp"

// The digest of every file under some directories, a bounded number of files at a time:
//
//     find_files --files--> N of digest_files --results--> print_lines --> standard output
//         ^                                                     |
//         +---------------------- window -----------------------+
//
// Invariants
//  1. Every goroutine is a member of one group. What stops the work (a failure, where those count, output that cannot be written, Ctrl-C)
//     cancels the group's context, and the first of them is what the group returns.
//  2. The end runs down the line: when the walk ends `files` closes, when the last worker ends `results` closes, and then the printer is
//     done. It is the same when the group is canceled, so lines that have reached the printer by then are still printed.
//  3. A file has a place in the window from the moment it is found until its line is printed. So there are at most `places` of them,
//     whatever the size of the tree, and results are out of order by no more than that.

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <string>
#include <utility>

#include <tenon/tenon.hpp>

#include "output.hpp"
#include "printer.hpp"
#include "progress.hpp"
#include "walk.hpp"

using namespace std::chrono_literals;

namespace md5all {
namespace {

constexpr int places = 16384;

struct job {
  std::uint64_t number = 0;
  found file;
};

tn::recv_chan<job> find_files(tn::group& g, const options& chosen, tn::semaphore& window) {
  return g.produce<job>([&](tn::sender<job>& out, tn::context ctx) {
    std::uint64_t number = 0;
    walk(ctx, chosen.paths, chosen.sequence,
         [&](found file) { return window.acquire(ctx) && out.send(ctx, {number++, std::move(file)}); });
    return ctx.err();
  });
}

tn::result<std::string> line_of(const tn::context& ctx, const found& file, digester& digest, bool zero) {
  if (file.failure) return file.failure;
  const auto hex = digest(ctx, file);
  if (!hex) return hex.err();
  return sum_line(*hex, file.path, zero);
}

tn::recv_chan<outcome> digest_files(tn::group& g, tn::recv_chan<job> files, const options& chosen, const algorithm& how,
                                    std::atomic<std::uint64_t>& bytes) {
  return g.produce_n<outcome>(chosen.jobs, [&, files](tn::sender<outcome>& out, tn::context ctx) {
    digester digest(how, bytes);
    for (auto [number, file] : files.range(ctx)) {
      auto line = line_of(ctx, file, digest, chosen.zero);
      if (!line && !chosen.keep_going) return line.err();
      if (!out.send(ctx, {number, std::move(line)})) break;
    }
    return ctx.err();
  });
}

/// Walks ahead of `find_files`, to say how many files there will be.
tn::recv_chan<std::uint64_t> count_files(tn::group& g, const options& chosen) {
  return g.produce<std::uint64_t>([&](tn::sender<std::uint64_t>& out, tn::context ctx) {
    std::uint64_t count = 0;
    walk(ctx, chosen.paths, order::as_they_come, [&](const found&) { return ++count != 0; });
    (void)out.send(ctx, count);
  });
}

/// `total` may be nil.
tn::error print_lines(const tn::context& ctx, tn::recv_chan<outcome> results, tn::recv_chan<std::uint64_t> total,
                      const options& chosen, printer& out, tn::semaphore& window) {
  sequencer in_order(places);
  std::uint64_t arrived = 0;
  tn::ticker ticker(100ms);
  auto next = tn::recv(results);
  auto count = tn::recv(total);
  auto tick = tn::recv(ticker.c());
  for (;;) {
    tn::select(next, count, tick);
    if (count) {
      if (!count.closed()) out.expect(*count);
      count.disable();
    } else if (tick) {
      if (tn::error e = out.refresh(ctx)) return e;
    } else if (next.closed()) {
      return out.finish(ctx);
    } else {
      if (chosen.sequence == order::as_they_come) next->number = arrived++;
      in_order.put(std::move(*next));
      while (auto r = in_order.next()) {
        if (tn::error e = out.print(ctx, *r)) return e;
        window.release();
      }
    }
  }
}

}  // namespace

exit_status digest_all(const tn::context& ctx, const options& chosen, const algorithm& how) {
  const auto until_told = tn::with_signals(ctx, {SIGTERM});  // as Ctrl-C, which `run` sees to
  std::atomic<std::uint64_t> bytes = 0;
  tn::semaphore window(places);
  printer out(chosen, bytes);

  tn::group g(until_told.ctx());
  auto files = find_files(g, chosen, window);
  auto results = digest_files(g, files, chosen, how, bytes);
  auto total = out.shows_progress() ? count_files(g, chosen) : nullptr;
  g.go([&](tn::context ctx) { return print_lines(ctx, results, total, chosen, out, window); });

  const tn::error why = g.wait();
  if (!why) return out.failures() == 0 ? exit_status::success : exit_status::failed;
  if (why == tn::canceled()) {
    complain("interrupted: " + std::to_string(out.files()) + " files, " + human_bytes(static_cast<double>(bytes)) +
             " digested");
    return exit_status::interrupted;
  }
  if (why.is(std::errc::broken_pipe)) return exit_status::nobody_reads;
  if (why.exception()) why.rethrow();
  complain(why.message());
  return exit_status::failed;
}

}  // namespace md5all
