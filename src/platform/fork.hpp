#pragma once

// What a child of fork finds. It has the memory of its parent, and of its threads only the one that has forked: a lock that another one held at
// that moment would never be released. tenon's monitor thread goes on between runs, when a program may well fork, and a child may begin a run of
// its own.

#include "platform/os_thread.hpp"

namespace tenon {

/// From now on fork waits until `lock`, which lives for ever, is free, and so it is in the child. For locks that a thread of tenon's takes outside of
/// runs, and under which no other such lock is taken
/// but one that is added later.
void free_in_child(os_mutex& lock);

/// Calls f when the program is loaded: for a function that has a static variable. The first caller initialises that; a child whose parent forks
/// while another thread is at it would wait for that thread for ever.
struct at_load {
  template <class F>
  explicit at_load(F f) {
    f();
  }
};

}  // namespace tenon
