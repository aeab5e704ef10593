// expect: error: ignoring return.*nodiscard
// Go: vet's unusedresult, errcheck
#include <tenon/tenon.hpp>

#pragma GCC diagnostic error "-Wunused-result"

void f(tenon::group& g) { g.wait(); }
