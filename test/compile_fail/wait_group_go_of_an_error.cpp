// expect: static assertion failed.*nobody would see the error that f returns
// within: 6
// Go: sync.WaitGroup.Go takes func()
#include <tenon/tenon.hpp>

tenon::error work();

void f(tenon::wait_group& wg) { wg.go(work); }
