# Builds and runs projects as somebody outside would.
#   MODE=find_package      consumer/, against the build tree TENON_BUILD, installed into a folder under SCRATCH
#   MODE=pkg_config        consumer/main.cpp, against the same without CMake: by tenon.pc alone
#   MODE=plugin            plugin/, against the same
#   MODE=fetch_content     consumer/, with FetchContent, from the sources TENON_SOURCE
#   MODE=add_subdirectory  the same by add_subdirectory
#   MODE=refused           as add_subdirectory, but CMake must end with a line that holds REFUSAL
#   MODE=sanitizer         as add_subdirectory; a program with ThreadSanitizer and a library without must not link, nor the reverse
cmake_minimum_required(VERSION 3.25)

function(must)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\nended with ${status}:\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

# must_fail_with(TEXT COMMAND...): fails, and says TEXT.
function(must_fail_with text)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  list(JOIN ARGN " " command)
  if(status EQUAL 0)
    message(FATAL_ERROR "${command}\nsucceeded; it must fail with: ${text}")
  endif()
  string(REGEX REPLACE "[ \n]+" " " flat "${output}")  # CMake wraps its messages
  string(FIND "${flat}" "${text}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "${command}\nfailed, as it must, but did not say: ${text}\n${output}")
  endif()
endfunction()

# must_print_42(COMMAND...): and nothing to stderr.
function(must_print_42)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE errors TIMEOUT 60)
  if(NOT status EQUAL 0 OR NOT output STREQUAL "42\n" OR NOT errors STREQUAL "")
    message(FATAL_ERROR "${ARGN} ended with ${status} and printed '${output}' and '${errors}', not 42")
  endif()
endfunction()

file(REMOVE_RECURSE "${SCRATCH}")
set(consumer "${CMAKE_CURRENT_LIST_DIR}/consumer")
set(options -G "${GENERATOR}" "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_CXX_FLAGS=${FLAGS}" "-DCMAKE_EXE_LINKER_FLAGS=${FLAGS}")

set(from_sources FALSE)
if(MODE MATCHES "^(find_package|pkg_config|plugin)$")
  must("${CMAKE_COMMAND}" --install "${TENON_BUILD}" --prefix "${SCRATCH}/prefix")
  list(APPEND options "-DCMAKE_PREFIX_PATH=${SCRATCH}/prefix")
else()
  set(from_sources TRUE)
  list(APPEND options "-DTENON_SOURCE=${TENON_SOURCE}" -DTENON_PRECOMPILE=ON)
  if(NOT MODE STREQUAL "fetch_content")
    list(APPEND options -DAS_SUBDIRECTORY=ON)
  endif()
endif()

if(MODE STREQUAL "refused")
  must_fail_with("${REFUSAL}" "${CMAKE_COMMAND}" -S "${consumer}" -B "${SCRATCH}/build" ${options})
  return()
endif()

if(MODE STREQUAL "pkg_config")
  set(ENV{PKG_CONFIG_PATH} "")
  file(GLOB_RECURSE pc "${SCRATCH}/prefix/*/tenon.pc")
  get_filename_component(folder "${pc}" DIRECTORY)
  get_filename_component(libraries "${folder}" DIRECTORY)
  set(ENV{PKG_CONFIG_LIBDIR} "${folder}")
  must(pkg-config --modversion tenon)
  if(NOT output STREQUAL "${VERSION}\n")
    message(FATAL_ERROR "tenon.pc says that it is version ${output}")
  endif()
  foreach(kind IN ITEMS shared static)
    set(static)
    if(kind STREQUAL "static")
      set(static --static)
      file(GLOB shared_libraries "${libraries}/libtenon.so*")  # which the linker prefers
      file(REMOVE ${shared_libraries})
    endif()
    must(pkg-config --cflags --libs ${static} tenon)
    separate_arguments(flags UNIX_COMMAND "${output}")
    must("${COMPILER}" -std=c++20 "${consumer}/main.cpp" -o "${SCRATCH}/${kind}" ${flags})
    set(ENV{LD_LIBRARY_PATH} "${libraries}")
    must_print_42("${SCRATCH}/${kind}")
  endforeach()
  return()
endif()

if(MODE STREQUAL "plugin")
  set(plugins "${SCRATCH}/build")
  must("${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}/plugin" -B "${plugins}" ${options})
  must("${CMAKE_COMMAND}" --build "${plugins}")
  must_print_42("${plugins}/host" "${plugins}/libplugin_static.so")
  must_print_42("${plugins}/host" "${plugins}/libplugin_shared.so")
  must_print_42("${plugins}/host_with_shared" "${plugins}/libplugin_shared.so")  # one copy for both

  # Two copies: said, with the remedy, by the one that comes second.
  foreach(pair IN ITEMS "static;static" "static;shared" "shared;static")
    list(GET pair 0 host)
    list(GET pair 1 plugin)
    execute_process(COMMAND "${plugins}/host_with_${host}" "${plugins}/libplugin_${plugin}.so" TIMEOUT 60
                    RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE errors)
    if(NOT status EQUAL 0 OR NOT output STREQUAL "42\n")
      message(FATAL_ERROR "a plugin with ${plugin} tenon in a host with a ${host} one ended with ${status}, '${output}', '${errors}'")
    endif()
    if(NOT errors MATCHES "^tenon: there are two copies of tenon in this process, in [^\n]* and in [^\n]*\\.so[^\n]*tenon::tenon_shared[^\n]*\n$")
      message(FATAL_ERROR "a plugin with ${plugin} tenon in a host with a ${host} one: nothing is said of it but '${errors}'")
    endif()
  endforeach()
  return()
endif()

if(MODE STREQUAL "sanitizer")
  # The library without, in a build folder of its own, and a program with; then the reverse.
  foreach(library IN ITEMS none thread)
    set(folder "${SCRATCH}/${library}")
    set(sanitize)
    set(flags -fsanitize=thread)
    set(missing tenon_must_be_built_with_thread_sanitizer_like_this_program)
    if(library STREQUAL "thread")
      set(sanitize -DTENON_SANITIZE=thread)
      set(flags)
      set(missing tenon_must_be_built_without_sanitizers_like_this_program)
    endif()
    must("${CMAKE_COMMAND}" -S "${TENON_SOURCE}" -B "${folder}" ${options} ${sanitize} -DTENON_TESTS=OFF -DTENON_EXAMPLES=OFF
         -DTENON_BENCH=OFF -DTENON_BUILD_BOTH=OFF)
    must("${CMAKE_COMMAND}" --build "${folder}")
    must_fail_with("${missing}" "${COMPILER}" -std=c++20 ${flags} "-I${TENON_SOURCE}/include" "${consumer}/main.cpp"
                   -o "${folder}/program" "${folder}/libtenon.a" -pthread)
  endforeach()
  return()
endif()

if(MODE STREQUAL "find_package")
  list(APPEND options "-DTENON_VERSION=${VERSION}")
endif()
set(expected consumer_tenon consumer_net consumer_os)
if(MODE STREQUAL "find_package" AND BOTH)
  list(APPEND expected consumer_tenon_static consumer_tenon_shared consumer_net_static consumer_net_shared consumer_os_static
       consumer_os_shared)
endif()

must("${CMAKE_COMMAND}" -S "${consumer}" -B "${SCRATCH}/build" ${options})
must("${CMAKE_COMMAND}" --build "${SCRATCH}/build")

file(READ "${SCRATCH}/build/compile_commands.json" commands)
string(REGEX MATCH "[^\n]*consumer_tenon.dir/main.cpp[^\n]*" theirs "${commands}")
# A frame larger than a stack must meet the guard: the consumer's code is compiled so, too.
if(NOT theirs MATCHES "-fstack-clash-protection")
  message(FATAL_ERROR "the consumer's sources are compiled without -fstack-clash-protection:\n${theirs}")
endif()
if(from_sources)
  # No build type was chosen: not the slow library with checks, and nothing but the library.
  string(REGEX MATCH "[^\n]*src/core/mutex.cpp[^\n]*" ours "${commands}")
  if(NOT ours MATCHES " -O2 " OR NOT ours MATCHES "-DNDEBUG")
    message(FATAL_ERROR "without a build type tenon is compiled so:\n${ours}")
  endif()
  if(theirs MATCHES "-DNDEBUG" OR NOT theirs MATCHES "-isystem [^ ]*/include")
    message(FATAL_ERROR "the consumer is compiled so:\n${theirs}")
  endif()
  if(commands MATCHES "tenon/(test|bench|examples)/")
    message(FATAL_ERROR "more than the library is built:\n${commands}")
  endif()
endif()

file(READ "${SCRATCH}/build/programs.txt" programs)
foreach(program IN LISTS expected)
  if(NOT program IN_LIST programs)
    message(FATAL_ERROR "${program} was not built: the package lacks its library")
  endif()
endforeach()
foreach(program IN LISTS programs)
  must_print_42("${SCRATCH}/build/${program}")
  message(STATUS "${program}: 42")
endforeach()
if(from_sources)  # fast, but not silent: who has not chosen a build type has not chosen that either
  execute_process(COMMAND "${SCRATCH}/build/consumer_tenon" lock OUTPUT_QUIET ERROR_VARIABLE errors TIMEOUT 60)
  if(NOT errors MATCHES "^tenon: goroutine 1 waits [^\n]* with a std::mutex or its like locked\n")
    message(FATAL_ERROR "a std::mutex over a wait is answered with '${errors}'")
  endif()
endif()

# No header may be left behind, and none may be installed that only the library's own sources need.
if(MODE STREQUAL "find_package")
  file(GLOB_RECURSE here RELATIVE "${TENON_SOURCE}/include" "${TENON_SOURCE}/include/*.hpp")
  file(GLOB_RECURSE there RELATIVE "${SCRATCH}/prefix/include" "${SCRATCH}/prefix/include/*")
  if(NOT here STREQUAL there)
    message(FATAL_ERROR "headers in the tree: ${here}\nheaders installed: ${there}")
  endif()
endif()
