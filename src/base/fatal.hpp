#pragma once

// Ends the process because the program broke a rule that nothing can recover from: Go's "fatal error".
//
// The text goes to stderr first, by write(2), so that it is seen even if the dump that follows cannot be made. The dump
// itself is diag's business: it registers itself here, so that the layers below need not know it.

#include <string>

namespace tenon {

/// Prints "fatal error: TEXT" and a dump of every goroutine, exits with status 2.
[[noreturn]] void fatal(const char* text) noexcept;

/// Prints TEXT as it is, and a dump; exits with `status`.
[[noreturn]] void die_with_dump(const char* text, int status = 2) noexcept;

/// Prints TEXT as it is to stderr, by write(2): what a program has to be told that goes on.
void print_report(const char* text) noexcept;

/// A dump to stderr, for fatal and SIGQUIT. Set once by diag at start-up; null: no dump.
using dump_hook = void (*)() noexcept;
void set_dump_hook(dump_hook hook) noexcept;

/// What a thread does that wants to end the process, too, while another one is at it: the one that dumps has to go on answering. It does not
/// return. Null: it only waits.
void set_meanwhile_hook(dump_hook hook) noexcept;

/// What stands after the dump, at the very end, and is all that is said when a signal ends the process (`crashed`: nothing may be allocated then):
/// how to repeat it. Null: nothing.
using last_words_hook = void (*)(bool crashed) noexcept;
void set_last_words_hook(last_words_hook hook) noexcept;
void print_last_words(bool crashed) noexcept;

/// What had failed before, for the report of a fatal error: one line for each. Set once, at start-up; null: nothing.
void set_failures_hook(dump_hook hook) noexcept;

/// The calls at `pcs` (as platform/backtrace.hpp gives them) as lines of text, without tenon's own and the standard library's at its beginning. Allocates.
std::string describe_calls(const void* const* pcs, unsigned n);
/// The innermost of them that is the program's own, "file:line" if known; empty if there is none. Allocates.
std::string place_of_calls(const void* const* pcs, unsigned n);
/// Both set once by diag at start-up; null: addresses.
using calls_hook = std::string (*)(const void* const* pcs, unsigned n);
void set_calls_hooks(calls_hook describe, calls_hook place) noexcept;

[[noreturn]] void throw_panic(const char* text);

/// An invariant of tenon itself. Always on: a broken scheduler must not go on silently.
[[noreturn]] void assert_failed(const char* what, const char* file, int line) noexcept;

}  // namespace tenon

#define TENON_ASSERT(x) (static_cast<bool>(x) ? void(0) : ::tenon::assert_failed(#x, __FILE__, __LINE__))
