// md5all: the digest of every file under some directories, as md5sum prints it. What it does stands in digest_all.cpp; here is what
// surrounds that, from the command line to the exit status.
//
// Nothing here ends the process early: a closed pipe, a full disk and Ctrl-C become failures or cancellations inside of `run`, so that
// every goroutine has ended before the status is returned. Only the second Ctrl-C does not wait; `run` sees to it.

#include <csignal>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <variant>

#include <fcntl.h>
#include <unistd.h>
#include <tenon/run.hpp>

#include "digest_all.hpp"
#include "options.hpp"
#include "output.hpp"
#include "status.hpp"

namespace md5all {
namespace {

/// Standard streams that are closed would give their numbers to the first files opened. True if standard output was open.
bool hold_standard_streams() {
  const bool has_output = ::fcntl(STDOUT_FILENO, F_GETFD) >= 0;
  int fd = 0;
  while (fd >= 0 && fd <= STDERR_FILENO) fd = ::open("/dev/null", O_RDWR);
  if (fd >= 0) ::close(fd);
  return has_output;
}

exit_status print(const std::string& text) {
  line_writer out(STDOUT_FILENO, '\n');
  out.add(text);
  tn::error failure = out.flush(tn::background());
  if (!failure) failure = out.finish();
  if (!failure) return exit_status::success;
  if (failure.is(std::errc::broken_pipe)) return exit_status::nobody_reads;
  complain(failure.message());
  return exit_status::failed;
}

exit_status run(int argc, char** argv) try {
  if (!hold_standard_streams()) {
    complain(line_writer::failed(std::make_error_code(std::errc::bad_file_descriptor)).message());
    return exit_status::failed;
  }
  const auto parsed = parse_command_line(argc, argv);
  if (const auto* wanted = std::get_if<information>(&parsed)) return print(wanted->text);
  const auto& chosen = std::get<options>(parsed);
  const algorithm how(chosen.algorithm);
  return exit_status{tn::run([&](tn::context ctx) { return static_cast<int>(digest_all(ctx, chosen, how)); })};
} catch (const std::invalid_argument& e) {
  complain(e.what() + std::string("\nTry 'md5all --help'."));
  return exit_status::usage;
} catch (const std::bad_alloc&) {
  complain("out of memory");
  return exit_status::failed;
} catch (const std::exception& e) {
  complain(e.what());
  return exit_status::failed;
}

}  // namespace
}  // namespace md5all

int main(int argc, char** argv) {
  // A write then fails, instead of ending the program on the spot.
  const auto on_closed_pipe = std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  const md5all::exit_status status = md5all::run(argc, argv);
  if (status != md5all::exit_status::nobody_reads) return static_cast<int>(status);
  std::signal(SIGPIPE, on_closed_pipe);
  std::raise(SIGPIPE);
  // Whoever started this process ignores it.
  md5all::complain(md5all::line_writer::failed(std::make_error_code(std::errc::broken_pipe)).message());
  return static_cast<int>(md5all::exit_status::failed);
}
