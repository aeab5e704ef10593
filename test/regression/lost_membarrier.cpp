// A process that enters a sandbox while it runs: from then on membarrier is refused, and with the argument "both" sched_setaffinity, too.
// Prints "changed over" if wake-ups go on without it; ends with status 77 where there are no filters.

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include <tenon/tenon.hpp>

#include "platform/barrier.hpp"

namespace {

/// For every thread of the process.
bool refuse(unsigned first, unsigned second) {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, first, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, second, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
  };
  const sock_fprog program{sizeof code / sizeof code[0], code};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}

/// A plain thread and a goroutine wake each other, so that workers go to sleep and are woken all the time.
void exchange(int rounds) {
  const auto there = tenon::make_chan<int>();
  const auto back = tenon::make_chan<int>();
  std::thread outside([&] {
    for (const int n : there) back.send(n);
  });
  for (int i = 0; i < rounds; ++i) {
    there.send(i);
    if (back.recv() != i) std::abort();
  }
  there.close();
  tenon::blocking([&] { outside.join(); });
}

}  // namespace

int main(int argc, char** argv) {
  const bool both = argc > 1 && std::strcmp(argv[1], "both") == 0;
  for (int run = 0; run < 2; ++run) {
    tenon::run(
        [&] {
          exchange(100);
          if (run == 0) {
            if (tenon::barrier::is_symmetric()) std::_Exit(77);  // there was no membarrier before
            if (!refuse(SYS_membarrier, both ? SYS_sched_setaffinity : SYS_membarrier)) std::_Exit(77);
          }
          exchange(2000);
        },
        {.workers = 2});
    if (tenon::barrier::is_symmetric()) std::puts("changed over");
  }
}
