#include "support/threads.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace tenon_test {

[[gnu::noinline]] long os_thread_number() noexcept { return ::syscall(SYS_gettid); }

char state_of_thread(long number) {
  std::ifstream in("/proc/self/task/" + std::to_string(number) + "/stat");
  std::string line;
  std::getline(in, line);
  const auto name_end = line.rfind(')');
  return name_end == std::string::npos || name_end + 2 >= line.size() ? '?' : line[name_end + 2];
}

}  // namespace tenon_test
