# Runs PROGRAM, with the argument CASE if there is one, built with ThreadSanitizer, TIMES times. WANTED:
#     reported   each time it reports a data race and names SOURCE, and the program ends with ThreadSanitizer's exit status, 66
#     silent     it never says anything, and the program ends with 0
cmake_minimum_required(VERSION 3.25)

foreach(time RANGE 1 ${TIMES})
  execute_process(COMMAND "${PROGRAM}" ${CASE} OUTPUT_VARIABLE out ERROR_VARIABLE errors RESULT_VARIABLE status)
  set(said "run ${time} of ${PROGRAM} ended with ${status}; on stdout:\n${out}\non stderr:\n${errors}")
  if(WANTED STREQUAL "reported")
    if(NOT errors MATCHES "ThreadSanitizer: data race" OR NOT errors MATCHES "/${SOURCE}:" OR NOT status EQUAL 66)
      message(FATAL_ERROR "a data race in ${SOURCE} was not reported: ${said}")
    endif()
  elseif(errors MATCHES "ThreadSanitizer" OR NOT status EQUAL 0)
    message(FATAL_ERROR "there should be no data race: ${said}")
  endif()
endforeach()
