# The larger examples, each a folder: servers and a client as one would run them, tested by other people's programs.
# Built where TENON_EXAMPLES_SERVERS asks for them: ./run check net.

find_package(CLI11 CONFIG REQUIRED)
# The system's Python first: that is the one for which apt has the websockets of httpd's test.
find_program(TENON_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
find_program(TENON_PYTHON NAMES python3 REQUIRED)
mark_as_advanced(TENON_PYTHON)

# tenon_server(NAME [LIBRARY...]): examples/NAME/*.cpp, and its test, test/net/NAME_test.py, which is given the program.
function(tenon_server name)
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/examples/${name}/*.cpp")
  add_executable(example_${name} ${sources})
  set_target_properties(example_${name} PROPERTIES OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/examples")
  tenon_target_defaults(example_${name})
  target_link_libraries(example_${name} PRIVATE tenon::net CLI11::CLI11 ${ARGN})
  if(TENON_TESTS)
    add_test(NAME net.${name}
      COMMAND "${TENON_PYTHON}" "${PROJECT_SOURCE_DIR}/test/net/${name}_test.py" "$<TARGET_FILE:example_${name}>")
    set_tests_properties(net.${name} PROPERTIES LABELS net TIMEOUT 300)
  endif()
endfunction()

tenon_server(kv)
find_path(TENON_BOOST_INCLUDE_DIR boost/beast.hpp)
find_package(OpenSSL)
if(TENON_BOOST_INCLUDE_DIR AND OPENSSL_FOUND)
  tenon_server(http_hello tenon::asio)
  tenon_server(httpd tenon::asio OpenSSL::SSL)
  tenon_server(fetch tenon::asio OpenSSL::SSL)
else()
  message(STATUS "tenon: Boost or OpenSSL not found (Debian and Ubuntu: libboost-dev libssl-dev); http_hello, httpd and fetch are left out")
endif()
