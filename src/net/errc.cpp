#include <tenon/net/errc.hpp>

#include <string>

#include "platform/fork.hpp"

namespace tenon::net {

namespace {

class category final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "tenon.net"; }
  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::end_of_stream: return "end of stream";
      case errc::closed: return "use of closed network connection";
      case errc::not_an_address: return "not an address";
      case errc::no_such_host: return "no such host";
      case errc::no_such_service: return "no such service";
      case errc::try_again: return "temporary failure in name resolution";
      case errc::cannot_resolve: return "name resolution failed";
    }
    return "unknown error";
  }
  [[nodiscard]] std::error_condition default_error_condition(int value) const noexcept override {
    switch (static_cast<errc>(value)) {
      case errc::closed: return std::errc::bad_file_descriptor;
      case errc::not_an_address: return std::errc::invalid_argument;
      case errc::try_again: return std::errc::resource_unavailable_try_again;
      default: return {value, *this};
    }
  }
};

}  // namespace

const std::error_category& error_category() noexcept {
  static const category instance;
  return instance;
}

error eof() noexcept {
  static const error& e = *new error(errc::end_of_stream);
  return e;
}

static const at_load net_errors_made([] { (void)eof(); });

}  // namespace tenon::net
