#include "support/threads.hpp"

#include <sys/syscall.h>
#include <unistd.h>

namespace tenon_test {

[[gnu::noinline]] long os_thread_number() noexcept { return ::syscall(SYS_gettid); }

}  // namespace tenon_test
