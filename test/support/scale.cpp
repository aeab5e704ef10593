#include "support/scale.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace tenon_test {

namespace {

bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && std::string_view(value) != "" && std::string_view(value) != "0";
}

double read_scale() {
  double factor = 1;
  if (const char* text = std::getenv("TENON_TEST_SCALE")) {
    const double given = std::strtod(text, nullptr);
    if (given > 0) factor = given;
  }
  if (is_set("TENON_TEST_SMALL")) factor /= 10;
  if (is_set("TENON_TEST_LONG")) factor *= 10;
  return factor;
}

}  // namespace

double scale() {
  static const double factor = read_scale();
  return factor;
}

std::size_t scaled(std::size_t n, std::size_t at_least) {
  return std::max(at_least, static_cast<std::size_t>(static_cast<double>(n) * scale()));
}

bool under_thread_sanitizer() noexcept {
#if defined(__SANITIZE_THREAD__)
  return true;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
  return true;
#else
  return false;
#endif
#else
  return false;
#endif
}

std::size_t max_goroutines() noexcept { return under_thread_sanitizer() ? 2000 : 100000; }

std::size_t scaled_goroutines(std::size_t n) {
  return std::min(scaled(n), under_thread_sanitizer() ? max_goroutines() / 4 : max_goroutines());
}

std::size_t scaled_spawns(std::size_t n) {
  return under_thread_sanitizer() ? std::min<std::size_t>(scaled(n), 1000) : scaled(n);
}

std::vector<unsigned> worker_counts() { return {TENON_TEST_WORKERS}; }

std::chrono::milliseconds churn_time() { return std::chrono::milliseconds(scaled(6000)); }

}  // namespace tenon_test
