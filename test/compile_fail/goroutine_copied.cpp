// expect: error: (use of deleted function .*goroutine|call to deleted constructor of .*goroutine)
// Go has nothing like it: a goroutine has one owner
#include <tenon/tenon.hpp>

void f(const tenon::goroutine<>& a) { tenon::goroutine<> b(a); }
