// expect: error: (use of deleted function .*once|call to deleted constructor of .*once|overload resolution selected deleted operator)
// Go: vet's copylocks
#include <tenon/tenon.hpp>

void f(tenon::once& a) { tenon::once b(std::move(a)); }
