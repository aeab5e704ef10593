#pragma once

// A program and the library must agree on sanitizers: ThreadSanitizer sees false races where the library does not tell it what orders
// what, and AddressSanitizer takes each switch between stacks for a damaged one. So whatever includes tenon refers to a symbol that only
// a library built alike defines, and the linker's complaint about it is the report.

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TENON_DETAIL_WITH_TSAN
#elif __has_feature(address_sanitizer)
#define TENON_DETAIL_WITH_ASAN
#endif
#endif
#if defined(TENON_MODEL)                                   // whatever its flags say
#elif defined(__SANITIZE_THREAD__) || defined(TENON_TSAN)  // the latter: tenon's own sources that are not instrumented
#define TENON_DETAIL_WITH_TSAN
#elif defined(__SANITIZE_ADDRESS__)
#define TENON_DETAIL_WITH_ASAN
#endif

#if defined(TENON_DETAIL_WITH_TSAN)
#define TENON_DETAIL_SAME_BUILD tenon_must_be_built_with_thread_sanitizer_like_this_program
#elif defined(TENON_DETAIL_WITH_ASAN)
#define TENON_DETAIL_SAME_BUILD tenon_must_be_built_with_address_sanitizer_like_this_program
#else
#define TENON_DETAIL_SAME_BUILD tenon_must_be_built_without_sanitizers_like_this_program
#endif

extern "C" const char TENON_DETAIL_SAME_BUILD;

namespace tenon::detail {

[[gnu::used]] inline const char* const same_build = &TENON_DETAIL_SAME_BUILD;

}  // namespace tenon::detail
