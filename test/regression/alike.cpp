// `alike <n>`: n goroutines that wait alike, and some that differ from them in one thing; then all are asleep.

#include <cstdlib>
#include <vector>

#include <tenon/tenon.hpp>

namespace {

[[gnu::noinline]] void receive(tenon::chan<int>& c, const tenon::context& ctx = tenon::background()) {
  if (c.recv(ctx)) std::abort();
}

[[gnu::noinline]] void send(tenon::chan<int>& c) {
  c.send(1);
  std::abort();
}

}  // namespace

int main(int, char** argv) {
  const int n = std::atoi(argv[1]);
  tenon::run(
      [n] {
        auto c = tenon::make_chan<int>();
        const auto scope = tenon::with_cancel(tenon::background());  // with it they wait by another way of tenon's own
        auto two = tenon::make_chan<int>(2, "full");
        auto three = tenon::make_chan<int>(3, "full");
        for (int i = 0; i < 2; ++i) two.send(i);
        for (int i = 0; i < 3; ++i) three.send(i);
        std::vector<tenon::goroutine<>> all;
        for (int i = 0; i < n; ++i) {
          all.push_back(tenon::go([&c, ctx = i % 2 == 0 ? tenon::background() : scope.ctx()] { receive(c, ctx); }));
          if (i == 1) all.push_back(tenon::go({.name = "odd"}, [&] { receive(c); }));
        }
        for (int i = 0; i < 2; ++i) all.push_back(tenon::go([&] { receive(c); }));
        for (auto* full : {&two, &three}) all.push_back(tenon::go([full] { send(*full); }));
        all.front().join();
      },
      {.workers = 1, .stack_size = std::size_t{64} * 1024});
}
