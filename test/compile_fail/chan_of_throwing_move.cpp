// expect: static assertion failed.*must be nothrow-move-constructible
// Go has nothing like it: Go's moves cannot fail
#include <tenon/tenon.hpp>

struct throwing {
  throwing() = default;
  throwing(throwing&&) {}  // may throw: it does not say noexcept
};
void f() { (void)tenon::make_chan<throwing>(); }
