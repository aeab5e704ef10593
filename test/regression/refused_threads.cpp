// refused_threads blocking|pinned MS: the system refuses every thread for so long after the first goroutine has begun.

#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <tenon/tenon.hpp>

namespace {

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

std::atomic<clock_type::duration> refuses_until{};
std::atomic<int> refused = 0;

}  // namespace

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*f)(void*),
                              void* arg) noexcept {
  static const auto next = reinterpret_cast<decltype(&pthread_create)>(::dlsym(RTLD_NEXT, "pthread_create"));
  if (clock_type::now().time_since_epoch() < refuses_until.load()) {
    ++refused;
    return EAGAIN;
  }
  return next(thread, attributes, f, arg);
}

int main(int argc, char** argv) {
  if (argc != 3) return 64;
  const bool blocks = std::strcmp(argv[1], "blocking") == 0;
  const auto span = std::chrono::milliseconds(std::atoi(argv[2]));
  int ends[2];
  if (::pipe(ends) != 0) return 1;
  return tenon::run(
      [&](tenon::group& g) {
        refuses_until = clock_type::now().time_since_epoch() + span;
        if (blocks) {
          g.go([&] { (void)!::write(ends[1], "x", 1); });
          char c = 0;
          (void)tenon::blocking([&] { return ::read(ends[0], &c, 1); });
        } else {
          const tenon::on_this_thread here;
          tenon::sleep_for(1ms);
        }
        std::printf("done, %s\n", refused != 0 ? "refused before" : "never refused");
      },
      {.workers = 1});
}
