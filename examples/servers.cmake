# The larger examples, each a folder: servers and a client as they are run, with command lines and tests by other people's programs.
# Built where TENON_EXAMPLES_SERVERS asks for them: ./run check net.

find_package(CLI11 CONFIG REQUIRED)
find_package(Python3 REQUIRED COMPONENTS Interpreter)

# tenon_server(NAME [LIBRARY...]): examples/NAME/*.cpp, and its test, test/net/NAME_test.py, which is given the program.
function(tenon_server name)
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/examples/${name}/*.cpp")
  add_executable(example_${name} ${sources})
  set_target_properties(example_${name} PROPERTIES OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/examples")
  tenon_target_defaults(example_${name})
  target_link_libraries(example_${name} PRIVATE tenon::net CLI11::CLI11 ${ARGN})
  if(TENON_TESTS)
    add_test(NAME net.${name}
      COMMAND "${Python3_EXECUTABLE}" "${PROJECT_SOURCE_DIR}/test/net/${name}_test.py" "$<TARGET_FILE:example_${name}>")
    set_tests_properties(net.${name} PROPERTIES LABELS net TIMEOUT 300)
  endif()
endfunction()

tenon_server(kv)
