// expect: error: ignoring return.*nodiscard
// Go: none: a generator that sends without a look at its context's end goes on for ever
#include <tenon/tenon.hpp>

#pragma GCC diagnostic error "-Wunused-result"

void f(tenon::pipeline& p) {
  (void)p.generate<int>([](tenon::emitter<int>& emit) { emit(1); });
}
