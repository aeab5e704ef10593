// expect: error: ignoring return.*nodiscard
// Go has nothing like it: Go may drop a received value, and says so by <-c
#include <tenon/tenon.hpp>

#pragma GCC diagnostic error "-Wunused-result"

void f(const tenon::chan<int>& c) { c.recv(); }
