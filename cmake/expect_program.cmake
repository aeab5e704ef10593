# Runs PROGRAM (under EMULATOR, if any) and holds it to the files beside its source:
#     EXPECTED   its stdout, byte for byte
#     STATUS     the exit status, if it is not 0 (optional)
#     STDERR     a line; one of stderr's must contain it (optional)
# What it printed is left in ACTUAL and ACTUAL.err.
cmake_minimum_required(VERSION 3.25)

set(status_wanted 0)
if(STATUS)
  file(STRINGS "${STATUS}" status_wanted LIMIT_COUNT 1)
endif()

execute_process(COMMAND ${EMULATOR} "${PROGRAM}" OUTPUT_FILE "${ACTUAL}" ERROR_FILE "${ACTUAL}.err"
                RESULT_VARIABLE status)
file(READ "${ACTUAL}.err" errors)

if(NOT status STREQUAL status_wanted)
  message(FATAL_ERROR "${PROGRAM} ended with ${status} instead of ${status_wanted}; "
                      "what it printed is in ${ACTUAL}, and on stderr:\n${errors}")
endif()
execute_process(COMMAND "${CMAKE_COMMAND}" -E compare_files "${EXPECTED}" "${ACTUAL}" RESULT_VARIABLE differs
                ERROR_QUIET)
if(NOT differs EQUAL 0)
  find_program(DIFF diff)
  if(DIFF)
    execute_process(COMMAND "${DIFF}" -u "${EXPECTED}" "${ACTUAL}")
  endif()
  message(FATAL_ERROR "${PROGRAM} did not print what ${EXPECTED} holds; on stderr:\n${errors}")
endif()
if(STDERR)
  file(STRINGS "${STDERR}" line LIMIT_COUNT 1)
  string(FIND "${errors}" "${line}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "${PROGRAM}: stderr does not have\n  ${line}\nbut\n${errors}")
  endif()
endif()
