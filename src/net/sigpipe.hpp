#pragma once

// Writes to what has no reader any more, without the signal that would end the process.

#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include <tenon/last_error.hpp>

namespace tenon::net::detail {

/// A call that knows no MSG_NOSIGNAL without the SIGPIPE: it would be this thread's, which meanwhile takes none.
template <class Call>
ssize_t without_sigpipe(Call call) noexcept {
  sigset_t pipe;
  sigset_t before;
  ::sigemptyset(&pipe);
  ::sigaddset(&pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe, &before);
  const ssize_t n = call();
  if (n < 0 && last_error() == EPIPE && ::sigismember(&before, SIGPIPE) == 0) {
    sigset_t pending;
    int taken = 0;  // nothing here changes errno
    if (::sigpending(&pending) == 0 && ::sigismember(&pending, SIGPIPE) == 1) ::sigwait(&pipe, &taken);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return n;
}

}  // namespace tenon::net::detail
