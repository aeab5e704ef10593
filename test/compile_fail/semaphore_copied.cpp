// expect: error: (use of deleted function .*semaphore|call to deleted constructor of .*semaphore|overload resolution selected deleted operator)
// Go: vet's copylocks
#include <tenon/tenon.hpp>

void f(const tenon::semaphore& a) { tenon::semaphore b(a); }
