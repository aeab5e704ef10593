# What every target of this project is compiled with. Nothing here reaches a user's own targets, but for the sanitizer,
# which a program and the library must agree on.

# tenon_target_defaults(TARGET): the warnings, and frame pointers so that profilers can walk goroutine stacks.
function(tenon_target_defaults target)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  set(flags -Wall -Wextra -Wpedantic)
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    list(APPEND flags -Wthread-safety)
  elseif(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14)
    # GCC 12 and 13 see overruns in std::string's own operator+ once it is inlined.
    list(APPEND flags -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND tenon_sanitizer)
    list(APPEND flags -Wno-maybe-uninitialized)  # GCC's manual: sanitizers make it see what is not there
  endif()
  if(TENON_WERROR)
    list(APPEND flags -Werror)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND tenon_sanitizer STREQUAL "thread")
      list(APPEND flags -Wno-error=tsan)  # "atomic_thread_fence is not supported with -fsanitize=thread"
    endif()
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND TENON_PRECOMPILE)
    # A tenth of the time went to garbage that would fit into memory.
    list(APPEND flags --param=ggc-min-heapsize=1000000)
  endif()
  list(APPEND flags -fno-omit-frame-pointer)
  target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:${flags}>")
endfunction()

set(tenon_sanitize_flags)
if(TENON_SANITIZE STREQUAL "address")
  set(tenon_sanitize_flags -fsanitize=address,undefined -fno-sanitize-recover=undefined)
elseif(TENON_SANITIZE STREQUAL "thread")
  set(tenon_sanitize_flags -fsanitize=thread)
elseif(NOT TENON_SANITIZE STREQUAL "")
  message(FATAL_ERROR "TENON_SANITIZE is '${TENON_SANITIZE}'; it may be address, thread or empty")
endif()

# tenon_target_sanitizers(TARGET): TENON_SANITIZE, for the target and for all that link to it.
function(tenon_target_sanitizers target)
  target_compile_options(${target} PUBLIC "$<$<COMPILE_LANGUAGE:CXX>:${tenon_sanitize_flags}>")
  target_link_options(${target} PUBLIC ${tenon_sanitize_flags})
endfunction()

# tenon_expect_output(TEST LABEL TARGET FILE): a test that TARGET prints to stdout exactly what FILE holds.
function(tenon_expect_output test label target file)
  add_test(NAME ${test}
    COMMAND "${CMAKE_COMMAND}" "-DPROGRAM=$<TARGET_FILE:${target}>" "-DEMULATOR=${CMAKE_CROSSCOMPILING_EMULATOR}"
            "-DEXPECTED=${file}" "-DACTUAL=${CMAKE_CURRENT_BINARY_DIR}/${test}.actual"
            -P "${PROJECT_SOURCE_DIR}/cmake/expect_output.cmake")
  set_tests_properties(${test} PROPERTIES LABELS ${label} TIMEOUT 120)
endfunction()
