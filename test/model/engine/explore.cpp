#include <fcntl.h>
#include <link.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "model/engine/execution.hpp"
#include "model/engine/statics.hpp"

// Exploring, in a process of its own, so that a program may end in the middle of anything. What it prints is the report:
//
//     failure: what happened
//     replay: the decisions
//     what each thread did
//     figures: executions, points, seconds, and whether that was all

namespace tenon::model {

namespace {

void print_figures(bool complete) noexcept {
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - the_execution->began).count();
  std::printf("figures: %llu %llu %.3f %d\n", static_cast<unsigned long long>(the_execution->executions),
              static_cast<unsigned long long>(the_execution->all_points), seconds, complete ? 1 : 0);
  std::fflush(stdout);
}

const char* text_of(std::memory_order o) noexcept {
  switch (o) {
    case std::memory_order_relaxed: return "relaxed";
    case std::memory_order_consume:
    case std::memory_order_acquire: return "acquire";
    case std::memory_order_release: return "release";
    case std::memory_order_acq_rel: return "acq_rel";
    default: return "seq_cst";
  }
}

const char* text_of(action a) noexcept {
  switch (a) {
    case action::load: return "load";
    case action::store: return "store";
    case action::modify: return "modify";
    case action::fail: return "exchange fails";
    case action::fence: return "fence";
    case action::pause: return "pause";
    case action::sleep: return "sleep";
    case action::woken: return "woken";
    case action::wake: return "wake";
    case action::start: return "start a thread";
    case action::end: return "end";
    default: return "join";
  }
}

const char* text_of(state s) noexcept {
  switch (s) {
    case state::paused: return "pauses";
    case state::asleep: return "sleeps";
    case state::joining: return "joins";
    case state::done: return "has ended";
    default: return "runs";
  }
}

void print_events() noexcept {
  constexpr std::size_t most = 400;
  const auto& events = the_execution->events;
  const std::size_t from = events.size() > most ? events.size() - most : 0;
  if (from > 0) std::printf("  ... %zu before these\n", from);
  for (std::size_t i = from; i < events.size(); ++i) {
    const event& e = events[i];
    std::printf("  thread %u  %-14s ", e.thread, text_of(e.what));
    if (e.location == no_location) {
      std::printf("%32s", "");
    } else {
      std::printf("a%-4u %-18llx %-8s", e.location, static_cast<unsigned long long>(e.value), text_of(e.order));
    }
    std::printf("%s:%u %s\n", file_of(e.where), static_cast<unsigned>(e.where.line()), e.where.function_name());
  }
}

void on_crash(int signal, siginfo_t* info, void* context) {
  if (signal == SIGSEGV && is_first_write(info->si_addr)) return;
  if (signal == SIGABRT) give_up("the program has aborted");
  const auto pc = static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP];
  give_up("the program has crashed at %s, by address %p", place_of(reinterpret_cast<void*>(pc + 1)).c_str(),
          info->si_addr);
}

void run_once(const std::function<void()>& body) {
  the_execution->run(body);
  ++the_execution->executions;
  the_execution->all_points += the_execution->points;
}

/// False if there were more than may be.
bool run_level(const std::function<void()>& body, unsigned preemptions, unsigned reads) {
  execution& e = *the_execution;
  for (;;) {
    e.shared = e.shared_next;
    e.decisions.search(preemptions, reads);
    do {
      if (the_execution->executions >= e.how.most_executions) return false;
      run_once(body);
    } while (e.shared == e.shared_next && e.decisions.advance());
    if (e.shared == e.shared_next) return true;
  }
}

/// Whether that was all.
bool run_all(const std::function<void()>& body) {
  execution& e = *the_execution;
  if (!e.how.replay.empty()) {
    e.decisions.repeat(e.how.replay);
    e.shared.fill();
    run_once(body);
    return false;
  }
  if (e.how.random != 0) {
    e.decisions.at_random(e.how.seed);
    e.shared.fill();
    while (the_execution->executions < e.how.random) run_once(body);
    return true;
  }
  const unsigned reads = e.how.memory == memory_model::interleaving ? 0 : e.how.stale_reads;
  for (unsigned level = 0; level <= std::max(e.how.preemptions, reads); ++level) {
    if (!run_level(body, std::min(level, e.how.preemptions), std::min(level, reads))) return false;
  }
  return true;
}

void explore_here(const options& o, const std::function<void()>& body) {
  execution& e = *the_execution;
  e.how = o;
  e.events.reserve(4096);
  if (const auto colon = o.weaken.find(':'); colon != std::string::npos) {
    std::snprintf(e.weak_file, sizeof e.weak_file, "%s", o.weaken.substr(0, colon).c_str());
    e.weak_line = static_cast<std::uint_least32_t>(std::strtoul(o.weaken.c_str() + colon + 1, nullptr, 10));
  }
  std::setvbuf(stdout, nullptr, _IOFBF, std::size_t{1} << 16U);
  struct sigaction on_signal{};
  on_signal.sa_sigaction = on_crash;
  on_signal.sa_flags = SA_SIGINFO | SA_NODEFER;
  for (const int s : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) ::sigaction(s, &on_signal, nullptr);
  the_execution->began = std::chrono::steady_clock::now();
  // What is made once in a process is made in a first execution, and kept.
  e.decisions.search(0, 0);
  e.run(body);
  const kept_memory kept = keep_program_heap();
  keep_statics(kept.begin, kept.size);
  const bool complete = run_all(body);
  e.places.for_each([](const char* file, std::uint_least32_t line, std::memory_order order) {
    std::printf("place: %s:%u %s\n", file, static_cast<unsigned>(line), text_of(order));
  });
  print_figures(complete);
}

/// Of the program.
std::uintptr_t load_address() noexcept {
  std::uintptr_t base = 0;
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* out) {
        *static_cast<std::uintptr_t*>(out) = info->dlpi_addr;  // the first is the program
        return 1;
      },
      &base);
  return base;
}

std::string line_of(const std::string& report, const char* key) {
  const auto at = report.find(key);
  if (at == std::string::npos) return {};
  const auto from = at + std::strlen(key);
  return report.substr(from, report.find('\n', from) - from);
}

}  // namespace

const char* file_of(const place& where) noexcept {
  const char* slash = std::strrchr(where.file_name(), '/');
  return slash == nullptr ? where.file_name() : slash + 1;
}

std::string place_of(const void* code) {
  char command[160];
  std::snprintf(command, sizeof command, "addr2line -s -e /proc/%d/exe 0x%llx", static_cast<int>(::getpid()),
                static_cast<unsigned long long>(reinterpret_cast<std::uintptr_t>(code) - load_address() - 1));
  char text[256] = "?";
  if (std::FILE* f = ::popen(command, "r")) {
    if (std::fgets(text, sizeof text, f) == nullptr) std::snprintf(text, sizeof text, "?");
    ::pclose(f);
  }
  text[std::strcspn(text, " \n")] = '\0';  // and no discriminator
  return text;
}

void give_up(const char* format, ...) noexcept {
  std::printf("failure: ");
  va_list args;
  va_start(args, format);
  std::vprintf(format, args);
  va_end(args);
  std::printf("\nreplay: %s\n", the_execution->decisions.text().c_str());
  for (unsigned t = 0; t < the_execution->made; ++t) {
    std::printf("  thread %u %s\n", t, text_of(the_execution->threads[t].now));
  }
  print_events();
  ++the_execution->executions;
  the_execution->all_points += the_execution->points;
  print_figures(false);
  ::_exit(3);
}

result explore(const options& o, const std::function<void()>& body) {
  result r;
  int ends[2];
  std::fflush(nullptr);
  if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
  const pid_t child = ::fork();
  if (child < 0) std::abort();
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::dup2(ends[1], STDERR_FILENO);
    explore_here(o, body);
    ::_exit(0);
  }
  ::close(ends[1]);
  char chunk[4096];
  for (ssize_t n = 0; (n = ::read(ends[0], chunk, sizeof chunk)) > 0;)
    r.report.append(chunk, static_cast<std::size_t>(n));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  r.found = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
  r.failure = line_of(r.report, "failure: ");
  r.replay = line_of(r.report, "replay: ");
  unsigned long long executions = 0;
  unsigned long long points = 0;
  int complete = 0;
  (void)std::sscanf(line_of(r.report, "figures: ").c_str(), "%llu %llu %lf %d", &executions, &points, &r.seconds,
                    &complete);
  r.executions = executions;
  r.points = points;
  r.complete = complete != 0;
  return r;
}

}  // namespace tenon::model
