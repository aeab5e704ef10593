#pragma once

// Exceptions that the standard gives to none but their handler: what a report of the end of a program has to name.
//
// An exception that has been thrown and not caught yet is known to the frames that it unwinds only: each of them keeps its address, in a
// register or in memory, to go on with it after its destructors. `exception_in_flight` finds it there, by what the C++ runtime (Itanium ABI) has
// written down beside it. For reports only: it reads a whole stack, and makes system calls.

#include <exception>

namespace tenon {

/// The innermost exception on its way through the frames in [from, top), of a stack that stands still; `from` null: those of the caller, on the
/// stack it runs on. Null: none, or not found.
std::exception_ptr exception_in_flight(const void* from, const void* top) noexcept;

/// The same for the calling thread, whose stack ends at `top`; null: that of the thread itself.
std::exception_ptr own_exception_in_flight(const void* top) noexcept;

/// The one being handled, from the first word of what __cxa_get_globals() points to.
std::exception_ptr exception_handled(const void* caught) noexcept;

}  // namespace tenon
