#pragma once

/// The command line.

#include <string>
#include <variant>
#include <vector>

#include "walk.hpp"

namespace md5all {

struct options {
  std::vector<std::string> paths;
  int jobs = 20;
  std::string algorithm = "md5";
  order sequence = order::by_path;
  bool keep_going = false;
  bool zero = false;
  bool progress = true;
};

/// What `--help` or `--version` wants printed.
struct information {
  std::string text;
};

/// Throws `std::invalid_argument`, with a message that names what is wrong.
[[nodiscard]] std::variant<options, information> parse_command_line(int argc, char** argv);

}  // namespace md5all
