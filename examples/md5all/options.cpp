#include "options.hpp"

#include <algorithm>
#include <iterator>
#include <stdexcept>

#include <openssl/crypto.h>
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "output.hpp"

namespace md5all {
namespace {

constexpr int max_jobs = 512;

class formatter : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App*, std::string) const override {
    return "usage: md5all [OPTION...] [DIR|FILE...]\n";
  }
};

constexpr const char* description =
    "Prints the digest of every file under the DIRs, and of the FILEs, in the form that md5sum prints and checks,\n"
    "sorted by path. Without an argument: of every file under the current directory.\n";

constexpr const char* footer =
    "Only regular files are digested. Inside a DIR symbolic links are not followed, and what is not a regular file is\n"
    "passed over, as `find DIR -type f` does; an argument that is a symbolic link is followed, and an argument that\n"
    "is neither a file nor a directory is an error. Arguments after -- are never options.\n"
    "\n"
    "Exit status: 0 if every file was digested, 1 if something could not be read or written, 2 for a wrong command\n"
    "line, 130 after Ctrl-C or SIGTERM. When nobody reads standard output any more, the program ends by SIGPIPE, as\n"
    "md5sum does.\n"
    "\n"
    "  md5all -j 8 /usr/include > sums && md5sum --quiet -c sums\n";

}  // namespace

std::variant<options, information> parse_command_line(int argc, char** argv) {
  options chosen;
  bool unordered = false;
  bool no_progress = false;
  bool version = false;

  CLI::App app(description);
  app.formatter(std::make_shared<formatter>());
  app.footer(footer);
  app.get_formatter()->column_width(24);
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.set_help_flag("-h,--help", "Print this and exit");
  app.add_flag("--version", version, "Print what this is and the version of OpenSSL, and exit");
  app.add_option("-j,--jobs", chosen.jobs, "Read N files at a time, 1 to 512 (default: 20)")
      ->type_name("N")
      ->check(CLI::Range(1, max_jobs).description(""));
  app.add_option("-a,--algorithm", chosen.algorithm, "md5 (the default), sha1, sha256, or any other OpenSSL has")
      ->type_name("NAME");
  app.add_flag("-k,--keep-going", chosen.keep_going,
               "Report what cannot be read and go on; the exit status is still 1");
  app.add_flag("-u,--unordered", unordered, "Print each line as soon as it is known");
  app.add_flag("-z,--zero", chosen.zero, "End lines with NUL, not newline, and escape nothing");
  app.add_flag("--no-progress", no_progress, "Show no progress, even if standard error is a terminal");

  // The paths are what CLI11 leaves over: its own positional arguments would take a file named "[a,b]" for two.
  char** const end = argv + argc;
  char** const marker = std::find(argv + 1, end, std::string_view("--"));
  app.allow_extras();
  try {
    app.parse(static_cast<int>(marker - argv), argv);
  } catch (const CLI::CallForHelp&) {
    return information{app.help()};
  } catch (const CLI::ParseError& e) {
    throw std::invalid_argument(e.what());
  }
  if (version) {
    return information{std::string("md5all of tenon, with ") + OpenSSL_version(OPENSSL_VERSION) + '\n'};
  }
  chosen.paths = app.remaining();
  for (const std::string& path : chosen.paths) {
    if (path == "-") {
      throw std::invalid_argument("-: standard input is not digested; a file of that name is ./-");
    }
    if (path.starts_with('-')) throw std::invalid_argument("unknown option: " + printable(path));
  }
  if (marker != end) chosen.paths.insert(chosen.paths.end(), marker + 1, end);
  if (chosen.paths.empty()) chosen.paths.emplace_back(".");

  chosen.sequence = unordered ? order::as_they_come : order::by_path;
  chosen.progress = !no_progress;
  return chosen;
}

}  // namespace md5all
