// expect: static assertion failed.*called as f.context. or f..: what else it needs, it captures
// within: 6
// Go: errgroup.Go takes func() error
#include <tenon/tenon.hpp>

void f(tenon::group& g) {
  g.go([](int) {});
}
