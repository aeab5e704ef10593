// The example, as a program for echo_test.cpp.
#include "../../examples/echo.cpp"
