#include <tenon/net/serve.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <new>
#include <string>
#include <utility>

#include <tenon/sleep_for.hpp>

namespace tenon::net {

std::size_t raise_descriptor_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t before = std::exchange(limit.rlim_cur, limit.rlim_max);
  return static_cast<std::size_t>(::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before);
}

namespace detail {

namespace {

using namespace std::chrono_literals;

bool is_shortage(const error& why) {
  for (const auto e : {std::errc::too_many_files_open, std::errc::too_many_files_open_in_system,
                       std::errc::no_buffer_space, std::errc::not_enough_memory}) {
    if (why.is(e)) return true;
  }
  if (!why.exception()) return false;
  try {
    why.rethrow();
  } catch (const std::bad_alloc&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace

bool accept_failures::survive(const context& ctx, const error& why) {
  if (!is_shortage(why)) return false;
  counters_.shortages.fetch_add(1, std::memory_order_relaxed);
  if (pause_ == 0ns) {
    if (options_.on_shortage) {
      options_.on_shortage(why);
    } else {
      std::fprintf(stderr, "tenon: net::serve: %s; trying again\n", why.message().c_str());
    }
  }
  pause_ = std::clamp<std::chrono::nanoseconds>(2 * pause_, 5ms, 1s);
  return sleep_for(ctx, pause_);
}

}  // namespace detail

}  // namespace tenon::net
