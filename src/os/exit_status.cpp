#include <tenon/os/exit_status.hpp>

#include <cctype>
#include <cstring>
#include <utility>

#include "platform/fork.hpp"

namespace tenon::os {

namespace {

class category final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "tenon.exit"; }
  [[nodiscard]] std::string message(int value) const override { return exit_status(value).to_string(); }
};

}  // namespace

const std::error_category& exit_category() noexcept {
  static const category instance;
  return instance;
}

static const at_load category_made([] { (void)exit_category(); });

std::string exit_status::to_string() const {
  if (signal() == 0) return "exit status " + std::to_string(code());
  std::string name = "signal " + std::to_string(signal());
  if (const char* known = ::sigdescr_np(signal())) {
    name = known;  // "Killed"
    name[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(name[0])));
  }
  return "signal: " + name + (core_dumped() ? " (core dumped)" : "");
}

error exit_status::err(std::string what) const {
  if (success()) return nullptr;
  const std::error_code code(value_, exit_category());
  return what.empty() ? error(code) : error(code, std::move(what));
}

std::optional<exit_status> exit_status::of(const error& e) {
  for (error at = e; at; at = at.cause()) {
    if (at.code().category() == exit_category()) return exit_status(at.code().value());
  }
  return std::nullopt;
}

}  // namespace tenon::os
