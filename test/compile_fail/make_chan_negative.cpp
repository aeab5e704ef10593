// expect: error:.*(a_capacity_above_1_wants_its_reason|consteval)
// Go: test/fixedbugs/issue4085a.go, negative size in make; test/makechan.go, a negative constant
#include <tenon/tenon.hpp>

void f() { (void)tenon::make_chan<int>(-1); }
