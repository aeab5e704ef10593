// expect: static assertion failed.*go takes a function alone: what else it needs, it captures
// Go: errgroup.Go takes func() error
#include <tenon/tenon.hpp>

void greet(int);

void f(tenon::group& g) { g.go(greet, 1); }
