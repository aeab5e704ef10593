# Code that runs on goroutines touches large frames page by page, so that one that does not fit meets the guard below the
# stack instead of stepping over it: -fstack-clash-protection. It is no default of GCC's or Clang's.
#
# Included by tenon's own build, and by its package for the compiler of whoever uses it.

include_guard()
include(CheckCXXCompilerFlag)

# tenon_stack_probes(OUT): the option, for C++ and for C by the same vendor's compiler; empty where there is none.
function(tenon_stack_probes out)
  set(option -fstack-clash-protection)
  set(CMAKE_REQUIRED_QUIET ON)
  check_cxx_compiler_flag(${option} TENON_HAS_STACK_PROBES)
  if(TENON_HAS_STACK_PROBES)
    set(id "${CMAKE_CXX_COMPILER_ID}")
    set(${out} "$<$<OR:$<COMPILE_LANGUAGE:CXX>,$<COMPILE_LANG_AND_ID:C,${id}>>:${option}>" PARENT_SCOPE)
  else()
    set(${out} "" PARENT_SCOPE)
  endif()
endfunction()
