// expect: error: (use of deleted function .*rate_limiter|call to deleted constructor of .*rate_limiter|overload resolution selected deleted operator)
// Go: vet's copylocks
#include <tenon/tenon.hpp>

void f(const tenon::rate_limiter& a) { tenon::rate_limiter b(a); }
