# include/tenon/detail/requirements.hpp says what a compiler must have; here it is asked while CMake configures.

# tenon_requirements(): ends the configuration with the header's line if the compiler lacks something.
function(tenon_requirements)
  set(source "${PROJECT_BINARY_DIR}/requirements.cpp")
  file(CONFIGURE OUTPUT "${source}" CONTENT "#include <tenon/detail/requirements.hpp>\n")
  set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
  try_compile(met "${PROJECT_BINARY_DIR}/requirements" "${source}"
              CMAKE_FLAGS "-DINCLUDE_DIRECTORIES=${PROJECT_SOURCE_DIR}/include"
              CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF
              OUTPUT_VARIABLE said)
  set(is_met ${met})
  unset(met CACHE)
  if(is_met)
    return()
  endif()
  if(said MATCHES "\"?(tenon needs [^\n\"]*)")
    message(FATAL_ERROR "${CMAKE_MATCH_1} (the compiler is ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION})")
  endif()
  message(FATAL_ERROR "tenon: ${CMAKE_CXX_COMPILER} cannot compile requirements.hpp:\n${said}")
endfunction()
