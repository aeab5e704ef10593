#pragma once

// Clang's -Wthread-safety attributes; nothing elsewhere.

#include <tenon/detail/requirements.hpp>

#if defined(__clang__)
#define TENON_TSA(x) __attribute__((x))
#define TENON_TSA_UNCHECKED __attribute__((no_thread_safety_analysis))
#else
#define TENON_TSA(x)
#define TENON_TSA_UNCHECKED
#endif
