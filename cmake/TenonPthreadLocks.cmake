# Whether the calls of pthread's lock functions in programs that link to tenon are led to src/platform/pthread_wrap.cpp, so that a std::mutex
# held over a wait can be reported (src/core/held_over_wait.cpp). Only here is it known how the library is built, so whatever links to
# it is told so: tenon_wrap_options, which belong to the library's public link options. NDEBUG counts where the project has chosen it: one
# without a build type has not, and its library is fast (tenon_optimise), but a std::mutex over a wait must not be silent there.

set(TENON_WRAP_PTHREAD_LOCKS AUTO CACHE STRING
    "Programs' own calls of pthread's locks are seen, to check them: AUTO (unless NDEBUG is chosen, or a sanitizer), ON or OFF")
set_property(CACHE TENON_WRAP_PTHREAD_LOCKS PROPERTY STRINGS AUTO ON OFF)

set(tenon_wraps_pthread_locks FALSE)
if(TENON_WRAP_PTHREAD_LOCKS STREQUAL "ON")
  set(tenon_wraps_pthread_locks TRUE)
elseif(TENON_WRAP_PTHREAD_LOCKS STREQUAL "AUTO" AND tenon_sanitizer STREQUAL "" AND NOT CMAKE_CONFIGURATION_TYPES)
  if(NOT tenon_flags MATCHES "-D *NDEBUG")
    set(tenon_wraps_pthread_locks TRUE)
  endif()
endif()
set(tenon_wrap_options)
if(tenon_wraps_pthread_locks)
  foreach(call IN ITEMS mutex_lock mutex_trylock mutex_timedlock mutex_clocklock mutex_unlock
          rwlock_rdlock rwlock_wrlock rwlock_tryrdlock rwlock_trywrlock rwlock_timedrdlock rwlock_timedwrlock
          rwlock_clockrdlock rwlock_clockwrlock rwlock_unlock)
    list(APPEND tenon_wrap_options "LINKER:--wrap=pthread_${call}")
  endforeach()
  # Older C libraries declare them weak, and a weak reference would not take the object out of the archive.
  list(APPEND tenon_wrap_options "LINKER:--undefined=__wrap_pthread_mutex_lock")
else()
  list(REMOVE_ITEM tenon_sources "${CMAKE_CURRENT_SOURCE_DIR}/src/platform/pthread_wrap.cpp")
endif()
