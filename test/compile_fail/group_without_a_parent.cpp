// expect: error: (no matching function for call to .*group|no matching constructor)
// Go: a group has a context
#include <tenon/tenon.hpp>

void f() { tenon::group g{}; }
