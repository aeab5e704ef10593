// So many goroutines at once, each on a stack that must be its own: `parked N`.

#include <atomic>
#include <cstddef>
#include <cstdio>
#include <cstdlib>

#include <tenon/tenon.hpp>

int main(int, char** argv) {
  const auto n = static_cast<std::size_t>(std::atoll(argv[1]));
  std::atomic<std::size_t> parked = 0;
  std::atomic<std::size_t> intact = 0;
  tenon::run([&](const tenon::context&) {
    const auto gate = tenon::make_chan<void>();
    tenon::wait_group all;
    for (std::size_t i = 0; i < n; ++i) {
      all.go([&, i] {
        volatile std::size_t mine[32];
        for (auto& word : mine) word = i;
        ++parked;
        (void)gate.recv();
        bool same = true;
        for (const auto& word : mine) same = same && word == i;
        if (same) ++intact;
      });
    }
    while (parked != n) tenon::yield();
    gate.close();
    all.wait();
  });
  std::printf("%zu parked, %zu stacks intact\n", parked.load(), intact.load());
}
