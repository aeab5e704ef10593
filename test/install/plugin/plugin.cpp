#include <tenon/tenon.hpp>

extern "C" int answer() {
  int answer = 0;
  tenon::run([&](tenon::group& root) {
    auto c = tenon::make_chan<int>();
    root.go([c] { c.send(42); });
    answer = c.recv().value_or(-1);
  });
  return answer;
}
