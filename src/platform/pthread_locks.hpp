#pragma once

// Seeing the pthread locks (std::mutex, std::recursive_mutex, std::shared_mutex and their timed ones) that a program takes.
//
// Programs that link to a library built for it are linked with --wrap for pthread's lock functions (CMakeLists.txt), so that their own calls,
// those of inlined standard library code among them, come to pthread_wrap.cpp first. Calls from within shared libraries are not seen.
// Nothing is interposed for the rest of the process, and a sanitizer's interceptors are called as before.

#include <cstdint>

#include <tenon/detail/atomic.hpp>

#include "platform/call_site.hpp"
#include "platform/compiler.hpp"

namespace tenon {

enum class pthread_lock : std::uint8_t { mutex, rwlock };

struct pthread_lock_hooks {
  /// The calling thread has got `lock`.
  void (*locked)(pthread_lock kind, const void* lock, caller_frame from) noexcept;
  /// It is about to unlock it, and has done so.
  void (*unlocks)(const void* lock) noexcept;
  void (*unlocked)() noexcept;
};

/// Null: no run checks such locks.
TENON_HIDDEN extern detail::atomic<const pthread_lock_hooks*> installed_pthread_hooks;

/// Whether the calling thread holds it now, as far as the lock itself tells. False also where its memory is gone. Takes a microsecond.
bool held_by_this_thread(pthread_lock kind, const void* lock) noexcept;

}  // namespace tenon
