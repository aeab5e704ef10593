#include <tenon/tenon.hpp>

#include <cstdio>

int main() {
  int answer = 0;
  tenon::run([&](tenon::context) {
    auto c = tenon::make_chan<int>();
    auto g = tenon::go([&] { c.send(42); });
    answer = c.recv().value_or(-1);
    g.join();
  });
  std::printf("%d\n", answer);
  return answer == 42 ? 0 : 1;
}
