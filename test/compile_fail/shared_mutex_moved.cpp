// expect: error: (use of deleted function .*shared_mutex|call to deleted constructor of .*shared_mutex|overload resolution selected deleted operator)
// Go: vet's copylocks
#include <tenon/tenon.hpp>

void f(tenon::shared_mutex& a) { tenon::shared_mutex b(std::move(a)); }
