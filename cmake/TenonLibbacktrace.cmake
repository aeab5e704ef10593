# libbacktrace, which reads names and lines from debug information for dumps and reports. GCC brings it along, in its own
# library folder, and clang on the same machine looks there, too. Its code becomes part of the library instead of being
# named to the linker: a program that uses an installed tenon may be linked where there is none. All of its symbols are
# made local but the three that src/diag/symbols.cpp calls, and these are renamed, so that a program may have a libbacktrace
# of its own, of any version.

# tenon_libbacktrace(OUT): the object file to add to the library's sources, or nothing if there is none that can be used.
function(tenon_libbacktrace out)
  set(${out} "" PARENT_SCOPE)
  set(functions create_state pcinfo syminfo)
  set(folder "${PROJECT_BINARY_DIR}/libbacktrace")
  file(MAKE_DIRECTORY "${folder}")

  separate_arguments(flags UNIX_COMMAND "${CMAKE_CXX_FLAGS}")
  if(CMAKE_CXX_COMPILER_TARGET)
    list(PREPEND flags "${CMAKE_CXX_COMPILE_OPTIONS_TARGET}${CMAKE_CXX_COMPILER_TARGET}")
  endif()
  set(commands compiler)
  set(compiler_command "${CMAKE_CXX_COMPILER}" ${flags})
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NOT CMAKE_CROSSCOMPILING)
    find_program(TENON_GCC NAMES g++ gcc)
    mark_as_advanced(TENON_GCC)
    if(TENON_GCC)
      list(APPEND commands gcc)
      set(gcc_command "${TENON_GCC}")
    endif()
  endif()

  # GCC's own; that of libstdc++'s <stacktrace>, which GCC 14 and GCC 13 install where they leave out the other.
  foreach(archive_and_prefix IN ITEMS "libbacktrace.a|backtrace" "libstdc++exp.a|__glibcxx_backtrace"
                                      "libstdc++_libbacktrace.a|__glibcxx_backtrace")
    string(REPLACE "|" ";" archive_and_prefix "${archive_and_prefix}")
    list(GET archive_and_prefix 0 name)
    list(GET archive_and_prefix 1 prefix)
    foreach(command IN LISTS commands)
      execute_process(COMMAND ${${command}_command} -print-file-name=${name}
                      OUTPUT_VARIABLE archive OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
      if(NOT IS_ABSOLUTE "${archive}" OR NOT EXISTS "${archive}")
        continue()
      endif()
      set(wanted)
      set(renamed)
      set(kept)
      foreach(function IN LISTS functions)
        list(APPEND wanted -u ${prefix}_${function})
        list(APPEND renamed --redefine-sym ${prefix}_${function}=tenon_libbacktrace_${function})
        list(APPEND kept --keep-global-symbol tenon_libbacktrace_${function})
      endforeach()
      execute_process(
        COMMAND "${CMAKE_LINKER}" -r -o "${folder}/whole.o" ${wanted} "${archive}"
        RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
      if(status EQUAL 0)
        execute_process(COMMAND "${CMAKE_OBJCOPY}" ${renamed} "${folder}/whole.o" "${folder}/renamed.o"
                        RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
      endif()
      if(status EQUAL 0)
        execute_process(COMMAND "${CMAKE_OBJCOPY}" ${kept} "${folder}/renamed.o" "${folder}/local.o"
                        RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
      endif()
      if(NOT status EQUAL 0)
        continue()
      endif()
      # Untouched where nothing has changed, so that a new configuration links nothing anew.
      file(COPY_FILE "${folder}/local.o" "${folder}/tenon_libbacktrace.o" ONLY_IF_DIFFERENT)

      # It must be for this processor, complete, and position-independent.
      file(CONFIGURE OUTPUT "${folder}/check.cpp" CONTENT [[
extern "C" void tenon_libbacktrace_create_state();
extern "C" void tenon_libbacktrace_pcinfo();
extern "C" void tenon_libbacktrace_syminfo();
int main() {
  tenon_libbacktrace_create_state();
  tenon_libbacktrace_pcinfo();
  tenon_libbacktrace_syminfo();
}
]])
      try_compile(usable "${folder}/check" "${folder}/check.cpp"
                  COMPILE_DEFINITIONS -fPIE LINK_OPTIONS -pie
                  LINK_LIBRARIES "${folder}/tenon_libbacktrace.o" ${CMAKE_DL_LIBS})
      set(is_usable ${usable})
      unset(usable CACHE)
      if(is_usable)
        message(STATUS "tenon: names and lines in dumps by ${archive}")
        set(${out} "${folder}/tenon_libbacktrace.o" PARENT_SCOPE)
        return()
      endif()
    endforeach()
  endforeach()
endfunction()
