// expect: error: ignoring return.*nodiscard
// Go: errcheck
#include <tenon/tenon.hpp>

#pragma GCC diagnostic error "-Wunused-result"

tenon::error write();
void f() { write(); }
