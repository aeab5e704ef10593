// Goroutines that run off the end of their stacks, and one fault that is something else: `overflow <case>`.

#include <cstdio>
#include <cstring>

#include <tenon/tenon.hpp>

// The call after the call keeps it from being turned into a loop; the array is touched, so that no page is skipped.
extern "C" [[gnu::noinline]] unsigned overflow_user_recurse(unsigned depth) {
  volatile char frame[512];
  std::memset(const_cast<char*>(frame), static_cast<int>(depth & 0x7FU), sizeof frame);
  if (depth == 0) return 0;
  return overflow_user_recurse(depth + 1) + static_cast<unsigned>(frame[depth % sizeof frame]);
}

extern "C" [[gnu::noinline]] int overflow_user_null(const volatile int* p) { return *p + 1; }

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const char* name = argc > 1 ? argv[1] : "";
  volatile unsigned start = 1;
  if (std::strcmp(name, "plain") == 0) {
    tenon::run([&](tenon::context) {
      std::printf("started at overflow.cpp:%d\n", __LINE__ + 1);
      auto g = tenon::go([&] { return overflow_user_recurse(start); });
      std::printf("came back with %u\n", g.join());
    });
  } else if (std::strcmp(name, "named") == 0) {
    tenon::run([&](tenon::context) {
      std::printf("started at overflow.cpp:%d\n", __LINE__ + 1);
      auto g = tenon::go({.name = "digger", .stack_size = 64 * 1024}, [&] { return overflow_user_recurse(start); });
      std::printf("came back with %u\n", g.join());
    });
  } else if (std::strcmp(name, "first") == 0) {
    std::printf("started at overflow.cpp:%d\n", __LINE__ + 1);
    tenon::run([&](tenon::context) { std::printf("came back with %u\n", overflow_user_recurse(start)); });
  } else if (std::strcmp(name, "locked") == 0) {
    tenon::run([&](tenon::context) {
      std::printf("started at overflow.cpp:%d\n", __LINE__ + 1);
      auto g = tenon::go([&] {
        tenon::on_this_thread here;
        return overflow_user_recurse(start);
      });
      std::printf("came back with %u\n", g.join());
    });
  } else if (std::strcmp(name, "null") == 0) {
    tenon::run([&](tenon::context) {
      const volatile int* volatile nothing = nullptr;
      std::printf("came back with %d\n", tenon::go([&] { return overflow_user_null(nothing); }).join());
    });
  } else {
    std::fprintf(stderr, "usage: overflow plain|named|first|locked|null\n");
    return 64;
  }
  return 0;
}
