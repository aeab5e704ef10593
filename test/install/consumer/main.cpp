// A group, a channel and a deadline.

#include <tenon/tenon.hpp>

#include <chrono>
#include <cstdio>

int main() {
  int answer = 0;
  tenon::run([&](tenon::group& root) {
    auto c = tenon::make_chan<int>();
    root.go([c](const tenon::context& ctx) { (void)c.send(ctx, 42); });
    auto soon = tenon::with_timeout(root.ctx(), std::chrono::minutes(1));
    answer = c.recv(soon.ctx()).value_or(-1);
  });
  std::printf("%d\n", answer);
  return answer == 42 ? 0 : 1;
}
