// expect: error: (no match for .*operator=|no viable overloaded '=')
// Go: chan int is not chan int64
#include <tenon/tenon.hpp>

void f(tenon::chan<long>& a, const tenon::chan<int>& b) { a = b; }
