#include "support/subprocess.hpp"

#include <fcntl.h>
#include <poll.h>
#include <regex.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "support/scale.hpp"

#if defined(__SANITIZE_ADDRESS__)
#define TENON_TEST_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TENON_TEST_ASAN 1
#endif
#endif

namespace tenon_test {

namespace {

using std::chrono::steady_clock;

std::vector<std::string> emulator_words() {
  std::istringstream in(TENON_EMULATOR);
  std::vector<std::string> words;
  for (std::string w; in >> w;) words.push_back(w);
  return words;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> out;
  out.reserve(strings.size() + 1);
  for (std::string& s : strings) out.push_back(s.data());
  out.push_back(nullptr);
  return out;
}

void check(int error, const char* what) {
  if (error != 0) throw std::system_error(error, std::generic_category(), what);
}

}  // namespace

std::string ending::describe() const {
  std::ostringstream os;
  os << "exit status " << status << ", signal " << signal << (timed_out ? ", killed: it took too long" : "")
     << "\n--- stdout\n"
     << out << "--- stderr\n"
     << err << "---\n";
  return os.str();
}

program::program(const std::vector<std::string>& command, const variables& env)
    : deadline_(steady_clock::now() + std::chrono::seconds(45) * slowness()) {
  // A program that is meant to die leaves no core file.
  rlimit core{};
  ::getrlimit(RLIMIT_CORE, &core);
  core.rlim_cur = 0;  // none is written, unless the program itself raises that
  ::setrlimit(RLIMIT_CORE, &core);

  int out_pipe[2];
  int err_pipe[2];
  check(::pipe2(out_pipe, O_CLOEXEC) == 0 ? 0 : errno, "pipe");
  check(::pipe2(err_pipe, O_CLOEXEC) == 0 ? 0 : errno, "pipe");

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, out_pipe[1], STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, err_pipe[1], STDERR_FILENO);

  // The program starts with every signal at its default and none blocked, whatever ran this test.
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t defaults;
  ::sigemptyset(&none);
  ::sigemptyset(&defaults);
  for (const int s : {SIGINT, SIGTERM, SIGQUIT, SIGPIPE, SIGHUP}) ::sigaddset(&defaults, s);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  std::vector<std::string> args(command);
  std::vector<std::string> environment;
  const auto overridden = [&](const std::string& entry) {
    if (entry.rfind("TENON_PROCS=", 0) == 0) return true;
    for (const auto& [name, value] : env) {
      if (entry.rfind(name + "=", 0) == 0) return true;
    }
    return false;
  };
  for (char** e = environ; *e != nullptr; ++e) {
    if (!overridden(*e)) environment.emplace_back(*e);
  }
  for (const auto& [name, value] : env) environment.push_back(name + "=" + value);

  const int error = ::posix_spawnp(&pid_, args.at(0).c_str(), &actions, &attributes, pointers(args).data(),
                                   pointers(environment).data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  ::close(out_pipe[1]);
  ::close(err_pipe[1]);
  out_ = out_pipe[0];
  err_ = err_pipe[0];
  if (error != 0) {
    ::close(out_);
    ::close(err_);
    throw std::system_error(error, std::generic_category(), "cannot start " + args.at(0));
  }
}

program::~program() {
  if (!finished_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  if (out_ >= 0) ::close(out_);
  if (err_ >= 0) ::close(err_);
}

bool program::read_some() {
  for (;;) {
    pollfd fds[2] = {{out_, POLLIN, 0}, {err_, POLLIN, 0}};
    if (out_ < 0 && err_ < 0) return false;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - steady_clock::now()).count();
    if (left <= 0) {
      if (!ending_.timed_out) {
        ending_.timed_out = true;
        ::kill(pid_, SIGKILL);
      }
    }
    const int n = ::poll(fds, 2, left > 0 ? static_cast<int>(left) : 1000);
    if (n < 0 && errno == EINTR) continue;
    if (n == 0 && ending_.timed_out) return false;  // killed, yet somebody holds its pipes: enough is enough
    if (n <= 0) continue;
    for (int i = 0; i < 2; ++i) {
      if (fds[i].fd < 0 || fds[i].revents == 0) continue;
      char buffer[4096];
      const ssize_t got = ::read(fds[i].fd, buffer, sizeof buffer);
      if (got > 0) {
        (i == 0 ? ending_.out : ending_.err).append(buffer, static_cast<std::size_t>(got));
      } else if (got == 0 || errno != EINTR) {
        int& fd = i == 0 ? out_ : err_;
        ::close(fd);
        fd = -1;
      }
    }
    return true;
  }
}

bool program::await_output(const std::string& text) {
  while (ending_.out.find(text) == std::string::npos) {
    if (!read_some() || ending_.timed_out) return false;
  }
  return true;
}

bool program::await_error(const std::string& text) {
  while (ending_.err.find(text) == std::string::npos) {
    if (!read_some() || ending_.timed_out) return false;
  }
  return true;
}

void program::send_signal(int number) const { ::kill(pid_, number); }

const ending& program::finish() {
  if (finished_) return ending_;
  while (read_some()) {
  }
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  finished_ = true;
  if (WIFEXITED(status)) ending_.status = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ending_.signal = WTERMSIG(status);
  return ending_;
}

std::vector<std::string> program_command(const std::string& stem, const std::vector<std::string>& args) {
  std::vector<std::string> command = emulator_words();
  const char* others = std::getenv("TENON_PROGRAMS_DIR");  // tools/mutate has some of its own
  command.push_back(std::string(others ? others : TENON_PROGRAMS_DIR) + "/tenon_prog_" + stem);
  command.insert(command.end(), args.begin(), args.end());
  return command;
}

ending run_program(const std::string& stem, const std::vector<std::string>& args, const variables& env) {
  program p(program_command(stem, args), env);
  return p.finish();
}

bool emulated() { return !emulator_words().empty(); }

bool under_address_sanitizer() noexcept {
#if defined(TENON_TEST_ASAN)
  return true;
#else
  return false;
#endif
}

bool sanitized() noexcept { return under_address_sanitizer() || under_thread_sanitizer(); }

int slowness() { return emulated() ? 5 : sanitized() ? 3 : 1; }

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string dump_part(const std::string& dump, const std::string& mark) {
  std::string part;
  for (const std::string& line : lines_of(dump)) {
    const bool header = line.rfind("goroutine ", 0) == 0;
    if (part.empty()) {
      if (header && line.find(mark) != std::string::npos) part = line + "\n";
    } else if (header || line.empty()) {
      break;
    } else {
      part += line + "\n";
    }
  }
  return part;
}

bool has_line(const std::string& text, const std::string& pattern) {
  regex_t compiled;
  if (::regcomp(&compiled, pattern.c_str(), REG_EXTENDED | REG_NOSUB) != 0) {
    throw std::invalid_argument("not a regular expression: " + pattern);
  }
  bool found = false;
  for (const std::string& line : lines_of(text))
    found = found || ::regexec(&compiled, line.c_str(), 0, nullptr, 0) == 0;
  ::regfree(&compiled);
  return found;
}

}  // namespace tenon_test
