// expect: error: no matching (member )?function for call to .*go
// Go: errgroup.Go takes func() error
#include <tenon/tenon.hpp>

void f(tenon::group& g) {
  g.go([](int) {});
}
