// expect: static assertion failed.*a member returns nothing, an error
// within: 6
// Go: errgroup.Go takes func() error
#include <tenon/tenon.hpp>

void f(tenon::group& g) {
  g.go([] { return std::string("value"); });
}
