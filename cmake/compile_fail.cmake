# Compiles SOURCE with COMPILER and FLAGS (separated by |), HEADER included first. It must fail with an error that says
# what the file's first line expects:
#     // expect: REGEX        (an extended regular expression, as grep -E reads it, found in the compiler's output)
#     // expect-ok            (the control: the file must compile)
# and may have, on the lines after it,
#     // options: OPTION ...  (what it is compiled with)
#     // within: N            (no more than N lines may come before the expected one)
# What the compiler said is left in OUTPUT.
cmake_minimum_required(VERSION 3.25)

file(STRINGS "${SOURCE}" first LIMIT_COUNT 1)
file(STRINGS "${SOURCE}" options LIMIT_COUNT 1 REGEX "^// options: ")
file(STRINGS "${SOURCE}" within LIMIT_COUNT 1 REGEX "^// within: [0-9]+$")
string(REPLACE "|" ";" flags "${FLAGS}")
if(options MATCHES "^// options: (.+)$")
  separate_arguments(options UNIX_COMMAND "${CMAKE_MATCH_1}")
  list(APPEND flags ${options})
  set(HEADER tenon/tenon.hpp)  # it was not precompiled with these
endif()
set(ENV{LC_ALL} C)
execute_process(
  COMMAND "${COMPILER}" ${flags} -include "${HEADER}" -fsyntax-only "${SOURCE}"
  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
file(WRITE "${OUTPUT}" "${output}")

if(first MATCHES "^// expect-ok *$")
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${SOURCE} must compile, but:\n${output}")
  endif()
elseif(first MATCHES "^// expect: (.+)$")
  set(regex "${CMAKE_MATCH_1}")
  if(status EQUAL 0)
    message(FATAL_ERROR "${SOURCE} compiles, but must fail with: ${regex}")
  endif()
  execute_process(COMMAND grep -E -q -- "${regex}" "${OUTPUT}" RESULT_VARIABLE missing)
  if(NOT missing EQUAL 0)
    message(FATAL_ERROR "${SOURCE} fails, as it must, but nothing in the output matches: ${regex}\n${output}")
  endif()
  if(within MATCHES "([0-9]+)")
    # Lines of the source, which g++ 14 shows with each step, do not count.
    execute_process(COMMAND grep -E -v "^ *[0-9]* \\|" "${OUTPUT}" COMMAND grep -E -n -m 1 -- "${regex}" OUTPUT_VARIABLE line)
    string(REGEX MATCH "^[0-9]+" line "${line}")
    string(REGEX MATCH "[0-9]+" within "${within}")
    math(EXPR before "${line} - 1")
    if(before GREATER within)
      message(FATAL_ERROR "${SOURCE}: ${before} lines come before the one that says what is wrong; ${within} may:\n${output}")
    endif()
  endif()
else()
  message(FATAL_ERROR "${SOURCE}: the first line must be '// expect: REGEX' or '// expect-ok'")
endif()
