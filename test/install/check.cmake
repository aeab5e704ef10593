# Builds and runs the project in consumer/ as somebody outside would.
#   MODE=find_package    against the build tree TENON_BUILD, installed into a folder under SCRATCH
#   MODE=fetch_content   with FetchContent, from the sources TENON_SOURCE
cmake_minimum_required(VERSION 3.25)

function(must)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\nended with ${status}:\n${output}")
  endif()
endfunction()

file(REMOVE_RECURSE "${SCRATCH}")
set(consumer "${CMAKE_CURRENT_LIST_DIR}/consumer")
set(options -G "${GENERATOR}" "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_CXX_FLAGS=-O0 -Wall -Wextra -Werror")

if(MODE STREQUAL "find_package")
  must("${CMAKE_COMMAND}" --install "${TENON_BUILD}" --prefix "${SCRATCH}/prefix")
  list(APPEND options "-DCMAKE_PREFIX_PATH=${SCRATCH}/prefix" "-DTENON_VERSION=${VERSION}")
  set(expected consumer_tenon)
  if(BOTH)
    list(APPEND expected consumer_tenon_static consumer_tenon_shared)
  endif()
else()
  list(APPEND options "-DTENON_SOURCE=${TENON_SOURCE}")
  set(expected consumer_tenon)
endif()

must("${CMAKE_COMMAND}" -S "${consumer}" -B "${SCRATCH}/build" ${options})
must("${CMAKE_COMMAND}" --build "${SCRATCH}/build")

# A frame larger than a stack must meet the guard: the consumer's code is compiled so, too.
file(READ "${SCRATCH}/build/compile_commands.json" commands)
if(COMPILER MATCHES "(g|clang)\\+\\+" AND NOT commands MATCHES "-fstack-clash-protection")
  message(FATAL_ERROR "the consumer's sources are compiled without -fstack-clash-protection:\n${commands}")
endif()

file(READ "${SCRATCH}/build/programs.txt" programs)
foreach(program IN LISTS expected)
  if(NOT program IN_LIST programs)
    message(FATAL_ERROR "${program} was not built: the package lacks its library")
  endif()
endforeach()
foreach(program IN LISTS programs)
  execute_process(COMMAND "${SCRATCH}/build/${program}" RESULT_VARIABLE status OUTPUT_VARIABLE output TIMEOUT 60)
  if(NOT status EQUAL 0 OR NOT output STREQUAL "42\n")
    message(FATAL_ERROR "${program} ended with ${status} and printed '${output}', not 42")
  endif()
  message(STATUS "${program}: 42")
endforeach()

# No header may be left behind, and none may be installed that only the library's own sources need.
if(MODE STREQUAL "find_package")
  file(GLOB_RECURSE here RELATIVE "${TENON_SOURCE}/include" "${TENON_SOURCE}/include/*.hpp")
  file(GLOB_RECURSE there RELATIVE "${SCRATCH}/prefix/include" "${SCRATCH}/prefix/include/*")
  if(NOT here STREQUAL there)
    message(FATAL_ERROR "headers in the tree: ${here}\nheaders installed: ${there}")
  endif()
endif()
