// expect: error: ignoring return.*nodiscard.*dropping the permit
// Go has nothing like it: Release is called by hand
#include <tenon/tenon.hpp>

#pragma GCC diagnostic error "-Wunused-result"

void f(tenon::semaphore& s) { s.hold(); }
