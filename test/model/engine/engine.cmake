# The engine of test/model, as part of the library: objects that are compiled apart, because all else has its accesses reported to it.

file(GLOB tenon_model_sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_LIST_DIR}/*.cpp")
list(FILTER tenon_model_sources EXCLUDE REGEX "operator_new\\.cpp$")  # of the test program

# What is explored: its atomics are modelled, and the compiler reports its other accesses (race.cpp).
function(tenon_model_target target)
  target_compile_definitions(${target} PUBLIC "$<BUILD_INTERFACE:TENON_MODEL=1>")
  target_include_directories(${target} PUBLIC "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/test>")
  target_compile_options(${target} PUBLIC "$<BUILD_INTERFACE:$<$<COMPILE_LANGUAGE:CXX>:-fsanitize=thread>>")
endfunction()

add_library(tenon_model_engine OBJECT ${tenon_model_sources})
tenon_target_defaults(tenon_model_engine)
target_compile_features(tenon_model_engine PRIVATE cxx_std_20)
target_include_directories(tenon_model_engine PRIVATE "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/src"
                           "${PROJECT_SOURCE_DIR}/test")
target_compile_definitions(tenon_model_engine PRIVATE TENON_MODEL=1)
set_target_properties(tenon_model_engine PROPERTIES POSITION_INDEPENDENT_CODE ON)
list(APPEND tenon_sources $<TARGET_OBJECTS:tenon_model_engine>)
