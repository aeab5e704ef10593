// A group, a channel and a deadline; with an argument, under a std::mutex, which a wait must not be.

#include <tenon/tenon.hpp>

#include <chrono>
#include <cstdio>
#include <mutex>

int main(int argc, char**) {
  int answer = 0;
  std::mutex mu;
  tenon::run([&](tenon::group& root) {
    std::unique_lock hold(mu, std::defer_lock);
    if (argc > 1) {
      hold.lock();
      tenon::sleep_for(std::chrono::milliseconds(1));  // what follows need not wait: the value may be there
    }
    auto c = tenon::make_chan<int>();
    root.go([c](const tenon::context& ctx) { (void)c.send(ctx, 42); });
    auto soon = tenon::with_timeout(root.ctx(), std::chrono::minutes(1));
    answer = c.recv(soon.ctx()).value_or(-1);
  });
  std::printf("%d\n", answer);
  return answer == 42 ? 0 : 1;
}
