#pragma once

// What tenon needs of a compiler and of its options. Each unmet need is one line; the include after it, of nothing, ends the compilation
// before the thousand errors that would follow. CMake compiles this file when it configures, and passes the line on.

#if !defined(__linux__) || !(defined(__x86_64__) || defined(__aarch64__))
#error "tenon needs Linux on x86-64 or aarch64"
#include <tenon/detail/see_the_error_above>
#elif __cplusplus < 202002L
#error \
    "tenon needs C++20: compile with -std=c++20 (CMake: target_compile_features(app PRIVATE cxx_std_20)); GCC 11, Clang 15 or newer"
#include <tenon/detail/see_the_error_above>
#elif !defined(__cpp_exceptions)
#error "tenon needs exceptions: cancellation and panics unwind goroutines; compile without -fno-exceptions"
#include <tenon/detail/see_the_error_above>
#endif

#include <version>

#if !defined(__cpp_lib_source_location)
#error "tenon needs std::source_location: GCC 11, Clang 15 or newer"
#include <tenon/detail/see_the_error_above>
#elif !defined(__cpp_lib_jthread)
#error "tenon needs std::stop_token: with libc++ compile and link with -fexperimental-library, or take libstdc++"
#include <tenon/detail/see_the_error_above>
#endif

#include <tenon/detail/same_build.hpp>
