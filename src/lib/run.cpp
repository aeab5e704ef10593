#include <tenon/run.hpp>
#include <tenon/with_signals.hpp>

#include <signal.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "base/diagnostics.hpp"
#include "base/fatal.hpp"
#include "lib/context.hpp"
#include "sched/scheduler.hpp"
#include "sched/service.hpp"

// What surrounds a run: the environment, the signals, the root context.

namespace tenon::detail {

namespace {

/// TENON_PROCS, or 0 if it is not set. Anything but a positive number ends the process: a typo must not silently cost half the
/// machine.
unsigned procs_from_environment() {
  const char* text = std::getenv("TENON_PROCS");
  if (text == nullptr) return 0;
  char* end = nullptr;
  errno = 0;
  const long n = std::strtol(text, &end, 10);
  if (errno != 0 || end == text || *end != '\0' || n < 1 || n > 4096) {
    std::fprintf(stderr, "tenon: TENON_PROCS=%s: want the number of workers, from 1 to 4096\n", text);
    std::exit(2);
  }
  return static_cast<unsigned>(n);
}

}  // namespace

void run_main(const run_options& options, void (*entry)(void*, context), void* arg, std::source_location where) {
  run_options effective = options;
  if (const unsigned procs = procs_from_environment(); procs != 0) effective.workers = procs;
  install_diagnostics(effective.dump_on_sigquit);

  const signal_context root =
      effective.cancel_on_signals ? with_signals(background(), {SIGINT, SIGTERM}) : with_signals(background(), {});
  struct call {
    void (*entry)(void*, context);
    void* arg;
    context ctx;
  } c{entry, arg, root.ctx};
  the_scheduler().run(
      effective,
      [](void* p) noexcept {
        auto& c = *static_cast<call*>(p);
        c.entry(c.arg, std::move(c.ctx));
      },
      &c, where);
}

}  // namespace tenon::detail
