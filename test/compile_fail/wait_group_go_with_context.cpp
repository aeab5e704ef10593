// expect: static assertion failed.*what else it needs, it captures, a context too
// within: 6
// Go: sync.WaitGroup.Go takes func()
#include <tenon/tenon.hpp>

void f(tenon::wait_group& wg) {
  wg.go([](const tenon::context&) {});
}
