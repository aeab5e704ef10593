// What --wrap makes of pthread's lock functions. In an object of its own: without --wrap nothing refers to it, and the names that it refers
// to do not exist.

#include <pthread.h>

#include "platform/pthread_locks.hpp"

namespace {

using tenon::pthread_lock;

TENON_INLINE int seen(int result, pthread_lock kind, const void* lock, tenon::caller_frame from) noexcept {
  if (result == 0) {
    if (const auto* hooks = tenon::installed_pthread_hooks.load(std::memory_order_acquire);
        TENON_UNLIKELY(hooks != nullptr))
      hooks->locked(kind, lock, from);
  }
  return result;
}

}  // namespace

#define TENON_WRAP_LOCK(name, kind, parameters, arguments)                                    \
  int __real_##name parameters noexcept;                                                      \
  int __wrap_##name parameters noexcept;                                                      \
  TENON_NOINLINE int __wrap_##name parameters noexcept {                                      \
    return seen(__real_##name arguments, pthread_lock::kind, lock, tenon::frame_of_caller()); \
  }

#define TENON_WRAP_UNLOCK(name, type)                                                   \
  int __real_##name(type* lock) noexcept;                                               \
  int __wrap_##name(type* lock) noexcept;                                               \
  TENON_NOINLINE int __wrap_##name(type* lock) noexcept {                               \
    const auto* hooks = tenon::installed_pthread_hooks.load(std::memory_order_acquire); \
    if (TENON_LIKELY(hooks == nullptr)) return __real_##name(lock);                     \
    hooks->unlocks(lock);                                                               \
    const int result = __real_##name(lock);                                             \
    hooks->unlocked();                                                                  \
    return result;                                                                      \
  }

extern "C" {

TENON_WRAP_LOCK(pthread_mutex_lock, mutex, (pthread_mutex_t * lock), (lock))
TENON_WRAP_LOCK(pthread_mutex_trylock, mutex, (pthread_mutex_t * lock), (lock))
TENON_WRAP_LOCK(pthread_mutex_timedlock, mutex, (pthread_mutex_t * lock, const timespec* until), (lock, until))
TENON_WRAP_LOCK(pthread_mutex_clocklock, mutex, (pthread_mutex_t * lock, clockid_t by, const timespec* until),
                (lock, by, until))
TENON_WRAP_UNLOCK(pthread_mutex_unlock, pthread_mutex_t)

TENON_WRAP_LOCK(pthread_rwlock_rdlock, rwlock, (pthread_rwlock_t * lock), (lock))
TENON_WRAP_LOCK(pthread_rwlock_wrlock, rwlock, (pthread_rwlock_t * lock), (lock))
TENON_WRAP_LOCK(pthread_rwlock_tryrdlock, rwlock, (pthread_rwlock_t * lock), (lock))
TENON_WRAP_LOCK(pthread_rwlock_trywrlock, rwlock, (pthread_rwlock_t * lock), (lock))
TENON_WRAP_LOCK(pthread_rwlock_timedrdlock, rwlock, (pthread_rwlock_t * lock, const timespec* until), (lock, until))
TENON_WRAP_LOCK(pthread_rwlock_timedwrlock, rwlock, (pthread_rwlock_t * lock, const timespec* until), (lock, until))
TENON_WRAP_LOCK(pthread_rwlock_clockrdlock, rwlock, (pthread_rwlock_t * lock, clockid_t by, const timespec* until),
                (lock, by, until))
TENON_WRAP_LOCK(pthread_rwlock_clockwrlock, rwlock, (pthread_rwlock_t * lock, clockid_t by, const timespec* until),
                (lock, by, until))
TENON_WRAP_UNLOCK(pthread_rwlock_unlock, pthread_rwlock_t)

}  // extern "C"
