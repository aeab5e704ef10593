#pragma once

/// `panic`: misuse that the program could have avoided, with Go's exact text.
///
/// Go counterpart: the runtime panics that `recover` can catch. A panic is an exception, so it unwinds the goroutine,
/// runs destructors, and is rethrown by `goroutine::join`. Where Go is fatal instead (a deadlock, the unlock of an
/// unlocked mutex), tenon prints a dump of every goroutine to stderr and exits with status 2: nothing can catch that.

#include <exception>
#include <stdexcept>
#include <string>

#include <tenon/detail/requirements.hpp>

namespace tenon {

/// Visible: a handler in a plugin that is built with -fvisibility=hidden catches it by its type, which has to be one type there, too.
class [[gnu::visibility("default")]] panic : public std::logic_error {
 public:
  explicit panic(const std::string& what) : std::logic_error(what) {}
  explicit panic(const char* what) : std::logic_error(what) {}
};

/// What becomes of an exception that left a goroutine and that no caller joined for. `goroutine` describes it ("goroutine 7
/// [walker]"), `where` says where it was started. If the hook returns, the program goes on.
using unhandled_hook = void (*)(std::exception_ptr failure, const char* goroutine, const char* where);

/// Installs a hook and returns the one before. The default prints the exception and the goroutine to stderr, as Go prints
/// a panic, and exits with status 2; while another exception is on its way it prints one line, and that one goes on. Thread-safe. A null hook
/// restores the default.
unhandled_hook set_unhandled_hook(unhandled_hook hook) noexcept;

}  // namespace tenon
