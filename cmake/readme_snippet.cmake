# Takes the first ```cpp block of README and the first ```text block after it, and writes them to SNIPPET.cpp and
# SNIPPET.expected. Files that would not change are left alone, so that nothing is rebuilt for nothing.
cmake_minimum_required(VERSION 3.25)

function(take_block language rest_name block_name)
  set(rest "${${rest_name}}")
  string(FIND "${rest}" "\n```${language}\n" open)
  if(open EQUAL -1)
    message(FATAL_ERROR "README.md has no ```${language} block where one is expected: "
                        "first the program (```cpp), after it what the program prints (```text)")
  endif()
  string(LENGTH "\n```${language}" fence)
  math(EXPR start "${open} + ${fence}")
  string(SUBSTRING "${rest}" ${start} -1 rest)
  string(FIND "${rest}" "\n```" close)
  if(close EQUAL -1)
    message(FATAL_ERROR "README.md: a ```${language} block is not closed")
  endif()
  string(SUBSTRING "${rest}" 1 ${close} block)  # without the fence's own line end, with the last line's
  string(SUBSTRING "${rest}" ${close} -1 rest)
  set(${block_name} "${block}" PARENT_SCOPE)
  set(${rest_name} "${rest}" PARENT_SCOPE)
endfunction()

function(write_if_different file content)
  file(WRITE "${file}.new" "${content}")
  execute_process(COMMAND "${CMAKE_COMMAND}" -E copy_if_different "${file}.new" "${file}")
  file(REMOVE "${file}.new")
endfunction()

file(READ "${README}" text)
take_block(cpp text program)
take_block(text text expected)
write_if_different("${SNIPPET}.cpp" "${program}")
write_if_different("${SNIPPET}.expected" "${expected}")
