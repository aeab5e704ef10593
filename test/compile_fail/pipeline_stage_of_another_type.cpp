// expect: static assertion failed.*f is called as f.context, T. or f.T., T being the element
// within: 6
#include <string>

#include <tenon/tenon.hpp>

void f(tenon::pipeline& p, const tenon::recv_chan<int>& in) {
  (void)p.transform(in, [](const std::string& s) { return s.size(); });
}
