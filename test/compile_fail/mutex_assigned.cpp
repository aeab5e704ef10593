// expect: error: (use of deleted function .*mutex|call to deleted constructor of .*mutex|overload resolution selected deleted operator)
// Go: vet's copylocks
#include <tenon/tenon.hpp>

void f(tenon::mutex& a, const tenon::mutex& b) { a = b; }
