// A child of fork may begin a run of its own, whatever tenon's threads did in its parent at that moment.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include <tenon/tenon.hpp>

#include "platform/stack.hpp"
#include "support/scale.hpp"
#include "support/subprocess.hpp"

namespace {

// The child's first stack waited for a lock that the monitor, which gives the pages of idle stacks back, had held when the parent forked. Here another
// thread holds it half of the time.
TEST(Fork, GivesTheChildStacksWhateverOtherThreadsDo) {
  if (tenon_test::under_thread_sanitizer()) GTEST_SKIP() << "it starts no threads after a fork";
  if (tenon_test::emulated()) GTEST_SKIP() << "the emulator may end a child of fork that starts a thread";
  std::atomic<bool> over = false;
  std::thread at_the_stacks([&] {
    while (!over) {
      const tenon::stack_slot slot = tenon::stacks::allocate(tenon::run_options().stack_size);
      tenon::stacks::deallocate(&slot, 1);
    }
  });
  for (int i = 0; i < 50; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::alarm(30);  // what hangs is ended
      int ran = 0;
      tenon::run([&] { tenon::go([&] { ++ran; }).join(); });
      ::_exit(ran == 1 ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "child " << i << ", status " << status;
  }
  over = true;
  at_the_stacks.join();
}

}  // namespace
