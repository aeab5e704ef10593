// md5all: the digest of every file under some directories, a bounded number of files at a time.
//
//     walker --files--> N workers --results--> this goroutine --> standard output
//        ^                                          |
//        +---------------- window -----------------+
//
// One goroutine walks, N read and digest, and the one that started them puts the lines in order and prints them.
// Whoever sends owns a `sender`; when the last one is gone the channel closes, and so the end runs down the line by
// itself: the walk ends, the workers drain `files` and end, this goroutine drains `results` and is done. A failure or
// Ctrl-C cancels the context, and the end comes the same way.
//
// Memory is bounded by `window`, whatever the size of the tree: a file holds one of its places from the moment it is
// found until its line is printed. So the walk is at most `places` files ahead of the line that comes next, and that is
// also how far results can be out of order.

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include <fcntl.h>
#include <unistd.h>
#include <tenon/tenon.hpp>

#include "digest.hpp"
#include "options.hpp"
#include "output.hpp"
#include "progress.hpp"
#include "walk.hpp"

using namespace std::chrono_literals;

namespace md5all {
namespace {

constexpr int status_failed = 1;
constexpr int status_usage = 2;
constexpr int status_interrupted = 130;
constexpr int status_nobody_reads = -1;  // main ends by SIGPIPE

constexpr std::int64_t places = 16384;

struct job {
  std::uint64_t number = 0;
  found file;
};

result digest_one(const tenon::context& ctx, digester& digest, job work, bool zero) try {
  std::string hex;
  if (!work.file.failure) work.file.failure = digest(ctx, work.file, hex);
  if (work.file.failure) return {work.number, {}, std::move(work.file.failure)};
  return {work.number, sum_line(hex, work.file.path, zero), {}};
} catch (...) {
  return {work.number, {}, std::current_exception()};
}

/// What the user sees: lines, failures and progress, so that none runs into the other. One goroutine's own.
class printer {
 public:
  printer(const tenon::context& ctx, const tenon::cancel_cause_func& scope, const options& chosen)
      : ctx_(ctx), cancel_(scope), progress_(chosen.progress), lines_(STDOUT_FILENO, chosen.zero ? '\0' : '\n') {}

  void print(const result& r) {
    if (r.failure) {
      ++failures;
      progress_.clear();
      complain(r.failure.message());
    } else {
      ++shown.files;
      lines_.add(r.line);
      if (lines_.wants_flush()) flush();
    }
  }
  void flush() {
    if (lines_.empty()) return;
    if (one_screen_) progress_.clear();
    fail_with(lines_.flush(ctx_));
  }
  void draw(std::uint64_t bytes) {
    shown.bytes = bytes;
    progress_.draw(shown);
  }
  void finish() {
    flush();
    progress_.clear();
    if (!ctx_.is_canceled()) fail_with(lines_.finish());
  }
  [[nodiscard]] bool wants_total() const noexcept { return progress_.enabled(); }

  progress_line::state shown;
  std::uint64_t failures = 0;

 private:
  void fail_with(const tenon::error& e) const {
    if (e) cancel_(e);
  }

  const tenon::context& ctx_;
  const tenon::cancel_cause_func& cancel_;
  const bool one_screen_ = ::isatty(STDOUT_FILENO) == 1;
  progress_line progress_;
  line_writer lines_;
};

int digest_all(const tenon::context& root, const options& chosen, const algorithm& how) {
  auto scope = tenon::with_cancel_cause(root);
  const tenon::context ctx = scope.ctx();
  std::atomic<std::uint64_t> bytes = 0;
  printer out(ctx, scope, chosen);

  auto window = tenon::make_chan<void>(places, "it does fill up: then the walk waits for lines to be printed");
  auto files = tenon::make_chan<job>(places, "never full: each file in it has a place in the window");
  auto results = tenon::make_chan<result>(places, "never full: each result in it has a place in the window");
  tenon::chan<std::uint64_t> total;  // nil, and so never ready, unless somebody counts

  auto walker = tenon::go({.name = "walker"}, ctx, [&, to = tenon::sender(files)](const tenon::context& ctx) {
    std::uint64_t count = 0;
    walk(ctx, chosen.paths, chosen.sequence,
         [&](found file) { return window.send(ctx, {}) && to.send(ctx, {count++, std::move(file)}); });
  });

  std::vector<tenon::goroutine<>> workers;
  for (tenon::sender to(results); workers.size() < chosen.jobs;) {
    workers.push_back(tenon::go({.name = "worker"}, ctx, [&, to](const tenon::context& ctx) {
      digester digest(how, bytes);
      while (auto work = files.recv(ctx)) {
        result r = digest_one(ctx, digest, std::move(*work), chosen.zero);
        if (r.failure && !chosen.keep_going) return scope.cancel(r.failure);
        if (!to.send(ctx, std::move(r))) return;
      }
    }));
  }

  tenon::goroutine<> counter;  // walks ahead of the walker, to say how many files there will be
  if (out.wants_total()) {
    total = tenon::make_chan<std::uint64_t>(1);
    counter = tenon::go({.name = "counter"}, ctx, [&](const tenon::context& ctx) {
      std::uint64_t count = 0;
      walk(ctx, chosen.paths, order::as_they_come, [&](const found&) { return ++count; });
      if (!ctx.is_canceled()) total.send(count);
    });
  }

  sequencer in_order(places);
  std::uint64_t arrived = 0;
  tenon::ticker tick(100ms);
  for (bool more = true; more;) {
    std::optional<result> r;
    switch (tenon::select(tenon::recv(results, r), tenon::recv(total, out.shown.total_files), tenon::recv(tick.c()))) {
      case 0:
        more = r.has_value();
        if (!more) break;
        if (chosen.sequence == order::as_they_come) r->number = arrived++;
        in_order.put(std::move(*r));
        while (auto next = in_order.next()) {
          out.print(*next);
          (void)window.recv();
        }
        break;
      case 2:
        out.flush();
        out.draw(bytes);
        break;
    }
  }
  for (auto& w : workers) w.join();
  walker.join();
  out.finish();

  const tenon::error why = tenon::cause(ctx);
  if (!why) return out.failures == 0 ? EXIT_SUCCESS : status_failed;
  if (why == tenon::cause(root)) {
    complain("interrupted: " + std::to_string(out.shown.files) + " files, " + human_bytes(static_cast<double>(bytes)) +
             " digested");
    return status_interrupted;
  }
  if (why.is(std::errc::broken_pipe)) return status_nobody_reads;
  complain(why.message());
  return status_failed;
}

/// Standard streams that are closed would give their numbers to the first files opened. True if standard output was
/// open.
bool hold_standard_streams() {
  const bool has_output = ::fcntl(STDOUT_FILENO, F_GETFD) >= 0;
  int fd = 0;
  while (fd >= 0 && fd <= STDERR_FILENO) fd = ::open("/dev/null", O_RDWR);
  if (fd >= 0) ::close(fd);
  return has_output;
}

int print(const std::string& text) {
  line_writer out(STDOUT_FILENO, '\n');
  out.add(text);
  tenon::error failure = out.flush(tenon::background());
  if (!failure) failure = out.finish();
  if (!failure) return EXIT_SUCCESS;
  if (failure.is(std::errc::broken_pipe)) return status_nobody_reads;
  complain(failure.message());
  return status_failed;
}

int run(int argc, char** argv) try {
  if (!hold_standard_streams()) {
    complain(tenon::error(std::make_error_code(std::errc::bad_file_descriptor), "cannot write to standard output")
                 .message());
    return status_failed;
  }
  const auto parsed = parse_command_line(argc, argv);
  if (const auto* wanted = std::get_if<information>(&parsed)) return print(wanted->text);
  const auto& chosen = std::get<options>(parsed);
  const algorithm how(chosen.algorithm);
  return tenon::run([&](const tenon::context& root) { return digest_all(root, chosen, how); },
                    {.cancel_on_signals = true});
} catch (const std::invalid_argument& e) {
  complain(e.what() + std::string("\nTry 'md5all --help'."));
  return status_usage;
} catch (const std::bad_alloc&) {
  complain("out of memory");
  return status_failed;
} catch (const std::exception& e) {
  complain(e.what());
  return status_failed;
}

}  // namespace
}  // namespace md5all

int main(int argc, char** argv) {
  // A write then fails instead of ending the program on the spot: there may be goroutines to join.
  const auto on_closed_pipe = std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  const int status = md5all::run(argc, argv);
  if (status != md5all::status_nobody_reads) return status;
  std::signal(SIGPIPE, on_closed_pipe);
  std::raise(SIGPIPE);
  return md5all::status_failed;
}
