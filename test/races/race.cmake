# Runs PROGRAM, with the argument CASE if there is one, built with ThreadSanitizer, TIMES times. Each time it has to report a data race in SOURCE
# and end with ThreadSanitizer's exit status, 66, or to say nothing and end with 0. WANTED, how often it reports one:
#     always
#     once       or more often: of two accesses at the very same moment ThreadSanitizer may see neither
#     never
cmake_minimum_required(VERSION 3.25)

set(reports 0)
set(said "it was run no time")
foreach(time RANGE 1 ${TIMES})
  execute_process(COMMAND "${PROGRAM}" ${CASE} OUTPUT_VARIABLE out ERROR_VARIABLE errors RESULT_VARIABLE status)
  set(said "run ${time} of ${PROGRAM} ended with ${status}; on stdout:\n${out}\non stderr:\n${errors}")
  if(status EQUAL 66 AND errors MATCHES "ThreadSanitizer: data race" AND errors MATCHES "/${SOURCE}:")
    if(WANTED STREQUAL "never")
      message(FATAL_ERROR "there should be no data race: ${said}")
    endif()
    math(EXPR reports "${reports} + 1")
  elseif(NOT status EQUAL 0 OR errors MATCHES "ThreadSanitizer")
    message(FATAL_ERROR "this is neither a data race in ${SOURCE} nor silence: ${said}")
  elseif(WANTED STREQUAL "always")
    message(FATAL_ERROR "a data race in ${SOURCE} was not reported: ${said}")
  endif()
endforeach()
if(WANTED STREQUAL "once" AND reports EQUAL 0)
  message(FATAL_ERROR "a data race in ${SOURCE} was not reported in ${TIMES} runs: ${said}")
endif()
