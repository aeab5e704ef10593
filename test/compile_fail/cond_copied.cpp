// expect: error: (use of deleted function .*cond|call to deleted constructor of .*cond|overload resolution selected deleted operator)
// Go: vet's copylocks; sync/cond_test.go TestCondCopy
#include <tenon/tenon.hpp>

void f(const tenon::cond& a) { tenon::cond b(a); }
