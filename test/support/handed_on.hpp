#pragma once

// Locks that change hands: locked by one goroutine, unlocked by another. Clang's analysis has no way to say that, so it does not see these.

#include <tenon/detail/thread_safety.hpp>

namespace tenon_test::handed_on {

template <class Mutex>
void lock(Mutex& m) TENON_TSA_UNCHECKED {
  m.lock();
}

template <class Mutex>
void unlock(Mutex& m) TENON_TSA_UNCHECKED {
  m.unlock();
}

template <class Mutex>
void lock_shared(Mutex& m) TENON_TSA_UNCHECKED {
  m.lock_shared();
}

template <class Mutex>
void unlock_shared(Mutex& m) TENON_TSA_UNCHECKED {
  m.unlock_shared();
}

}  // namespace tenon_test::handed_on
