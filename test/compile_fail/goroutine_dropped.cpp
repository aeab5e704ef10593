// expect: error: ignoring return.*nodiscard.*a goroutine has an owner
// Go has nothing like it: Go's goroutines have no owner
#include <tenon/tenon.hpp>

#pragma GCC diagnostic error "-Wunused-result"

void f() {
  tenon::go([] {});
}
