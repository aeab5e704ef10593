// expect: static assertion failed.*a channel is the input of a stage as it is
// within: 6
#include <tenon/tenon.hpp>

void f(tenon::pipeline& p, const tenon::recv_chan<int>& in) { (void)p.generate(in); }
