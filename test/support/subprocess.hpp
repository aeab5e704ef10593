#pragma once

/// Runs the programs of test/programs and looks at how they end: for what a process does only once, such as dying.

#include <signal.h>
#include <sys/types.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace tenon_test {

/// How a program ended, and what it said.
struct ending {
  int status = -1;         ///< exit status; -1 if it did not exit by itself
  int signal = 0;          ///< the signal that ended it; 0 if none did
  bool timed_out = false;  ///< it was killed because it took too long
  std::string out;         ///< stdout
  std::string err;         ///< stderr

  /// Everything, for a failing assertion's message.
  [[nodiscard]] std::string describe() const;
};

using variables = std::vector<std::pair<std::string, std::string>>;

/// One program while it runs. It does not outlive this object.
class program {
 public:
  /// Starts any command; `env` is added to this process's environment, from which TENON_PROCS is removed.
  explicit program(const std::vector<std::string>& command, const variables& env = {});
  program(const program&) = delete;
  program& operator=(const program&) = delete;
  ~program();

  /// Reads until stdout, or stderr, holds `text`. False if the program ended, or time ran out, before.
  bool await_output(const std::string& text);
  bool await_error(const std::string& text);
  /// What stderr has held so far is looked at no more.
  void forget_errors() noexcept { ending_.err.clear(); }
  /// What stdout has held so far.
  [[nodiscard]] const std::string& output() const noexcept { return ending_.out; }

  void send_signal(int number) const;

  /// Waits for the end. Later calls return the same ending.
  const ending& finish();

 private:
  /// Reads what is there, waiting for it until the deadline. False at the end of both streams.
  bool read_some();

  pid_t pid_ = -1;
  int out_ = -1;
  int err_ = -1;
  std::chrono::steady_clock::time_point deadline_;
  bool finished_ = false;
  ending ending_;
};

/// The command that runs test/programs/<stem>.cpp, under the emulator if there is one.
std::vector<std::string> program_command(const std::string& stem, const std::vector<std::string>& args = {});

/// Runs test/programs/<stem>.cpp to its end.
ending run_program(const std::string& stem, const std::vector<std::string>& args = {}, const variables& env = {});

/// Whether the programs run under an emulator, which is slow and has its own ideas about signals.
bool emulated();

/// Whether this build is watched by AddressSanitizer or ThreadSanitizer.
bool sanitized() noexcept;
bool under_address_sanitizer() noexcept;

/// How much longer than usual things may take here: under an emulator or a sanitizer.
int slowness();

std::string first_line(const std::string& text);

/// `text` split at each newline.
std::vector<std::string> lines_of(const std::string& text);

/// The lines of a dump that belong to the goroutine whose first line holds `mark`; empty if there is none. A goroutine's
/// part starts with a line "goroutine N …" and ends before an empty line or the next one.
std::string dump_part(const std::string& dump, const std::string& mark);

/// Whether the POSIX extended regular expression `pattern` is found in one of the lines of `text`.
bool has_line(const std::string& text, const std::string& pattern);

}  // namespace tenon_test
