// Frames and recursions that do not fit their stacks: `large_frames <case> [KiB]`. The lines named in stack_test.cpp are marked.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <tenon/tenon.hpp>

namespace {

using std::size_t;

/// A large local buffer, of which only the lowest bytes are used.
template <size_t KiB>
[[gnu::noinline]] size_t format_report(int n) {
  char report[KiB * 1024];
  const int length = std::snprintf(report, sizeof report, "report %d %0*d", n, 3000, n);
  asm volatile("" : : "r"(report) : "memory");
  return static_cast<size_t>(length);
}

/// The same by one store, as code does it that was compiled without probes: nothing between here and there is touched.
[[gnu::noinline]] void store_below(size_t bytes) {
  const volatile char here = 0;
  auto at = reinterpret_cast<std::uintptr_t>(&here) - bytes;
  asm volatile("" : "+r"(at));  // to the compiler, not a place outside of `here`, where nothing may be stored
  *reinterpret_cast<volatile char*>(at) = 1;
}

// The call after the call keeps it from being turned into a loop.
[[gnu::noinline]] unsigned recurse(unsigned depth) {
  volatile char frame[512];
  std::memset(const_cast<char*>(frame), static_cast<int>(depth & 0x7FU), sizeof frame);
  if (depth == 0) return 0;
  return recurse(depth - 1) + static_cast<unsigned>(frame[depth % sizeof frame]);
}

/// A hundred goroutines hold a pattern in their frames; others, on the stacks between, run `f`. How many patterns are damaged.
template <class F>
int damaged_by(size_t stack_size, const F& f) {
  int damaged = 0;
  tenon::run(
      [&](tenon::group& g) {
        const auto go_on = tenon::make_chan<void>();
        for (int i = 0; i < 100; ++i) {
          g.go([&, i] {
            long mine[256];
            for (long& x : mine) x = i;
            asm volatile("" : : "r"(mine) : "memory");
            (void)go_on.recv();
            for (const long& x : mine) {
              if (x != i) {
                ++damaged;
                break;
              }
            }
          });
        }
        tenon::yield();
        for (int i = 0; i < 100; ++i) tenon::go([&] { f(i); }).join();
        go_on.close();
        (void)!g.wait();
      },
      {.workers = 1, .stack_size = stack_size});
  return damaged;
}

/// Goes 16 MiB deep, in each kind of goroutine, with a stack that was asked for.
void everywhere() {
  constexpr size_t large = size_t{64} << 20U;
  const auto deep = [] { return recurse(20000); };
  const auto total = tenon::make_chan<unsigned>(100, "there are fewer members");
  const int status = tenon::run(
      [&](tenon::group& root) {
        total.send(deep());
        tenon::group g(root.ctx());
        g.go({.name = "member", .stack_size = large}, [&] { total.send(deep()); });
        g.go_n({.name = "members", .stack_size = large}, 2, [&](int) { total.send(deep()); });
        if (!g.try_go({.stack_size = large}, [&] { total.send(deep()); })) return 1;
        const auto stage = [&](tenon::sender<unsigned>& out) { out.send(deep()); };
        total.send(*g.produce<unsigned>({.name = "stage", .stack_size = large}, stage).recv());
        total.send(*g.produce<unsigned>({.stack_size = large}, 1, stage).recv());
        total.send(*g.produce<unsigned>({.stack_size = large}, 2, "one is sent", stage).recv());
        for (const unsigned n : g.produce_n<unsigned>({.name = "stages", .stack_size = large}, 2, stage)) total.send(n);
        tenon::wait_group wg;
        wg.go({.name = "function", .stack_size = large}, [&] { total.send(deep()); });
        wg.wait();
        tenon::pipeline p(root.ctx());
        const auto numbers = p.generate<int>({.name = "source", .stack_size = large}, [&](auto& emit) {
          total.send(deep());
          (void)emit(1);
        });
        const auto same = p.transform({.workers = 2, .name = "step", .stack_size = large}, numbers, [&](int n) {
          total.send(deep());
          return n;
        });
        const auto kept = p.filter({.stack_size = large}, same, [&](int) { return deep() != 1; });
        p.for_each({.stack_size = large}, kept, [&](int) { total.send(deep()); });
        p.go({.stack_size = large}, [&] { total.send(deep()); });
        if (p.wait() || g.wait()) return 1;
        auto handle = tenon::go({.stack_size = large}, deep);
        total.send(handle.join());
        return 0;
      },
      {.main_stack_size = large});
  std::printf("status %d, %lld times\n", status, static_cast<long long>(total.len()));
}

void overflow_of(const std::string& kind) {
  volatile unsigned depth = 1U << 30U;
  const auto deep = [&] { (void)recurse(depth); };
  tenon::run([&](tenon::group& root) {
    if (kind == "member") root.go({.name = "digger"}, deep);
    if (kind == "stage") (void)root.produce<int>([&](tenon::sender<int>&) { deep(); }).recv();
    if (kind == "function") {
      tenon::wait_group wg;
      wg.go(deep);
      wg.wait();
    }
    if (kind == "main") deep();
    if (kind == "handle") tenon::go(deep).join();
    if (kind == "timer") {
      const tenon::timer t(std::chrono::nanoseconds(1), deep);
      tenon::sleep_for(std::chrono::hours(1));
    }
  });
}

}  // namespace

int main(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "";
  const std::string what = argc > 2 ? argv[2] : "";
  constexpr size_t usual = 256 * 1024;
  if (name == "frame") {
    const auto run = [&](const auto& f) { std::printf("damaged: %d\n", damaged_by(usual, f)); };
    if (what == "200") run([](int i) { (void)format_report<200>(i); });
    if (what == "258") run([](int i) { (void)format_report<258>(i); });
    if (what == "260") run([](int i) { (void)format_report<260>(i); });
    if (what == "264") run([](int i) { (void)format_report<264>(i); });
    if (what == "320") run([](int i) { (void)format_report<320>(i); });
    if (what == "1000") run([](int i) { (void)format_report<1000>(i); });
  } else if (name == "small") {
    const auto run = [&](const auto& f) { std::printf("damaged: %d\n", damaged_by(16 * 1024, f)); };
    if (what == "24") run([](int i) { (void)format_report<24>(i); });
    if (what == "60") run([](int i) { (void)format_report<60>(i); });
  } else if (name == "store") {
    const size_t bytes = static_cast<size_t>(std::atol(what.c_str())) * 1024;
    std::printf("damaged: %d\n", damaged_by(usual, [bytes](int) { store_below(bytes); }));
  } else if (name == "everywhere") {
    everywhere();
  } else if (name == "overflow") {
    overflow_of(what);
  } else {
    std::fprintf(stderr, "usage: large_frames frame|small|store KiB, everywhere, overflow KIND\n");
    return 64;
  }
  return 0;
}
