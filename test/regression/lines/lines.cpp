// Goroutines that block in the program's own functions, as users build them: this one source is compiled with several
// flags, as tenon_prog_lines_<flags>. `lines dump`: all are asleep, so that all stacks are printed. `lines relock`: a
// lock taken again. Each line that a report must name is announced on stdout: "<what> blocks in <function> at
// lines.cpp:<line>".

#include <cstdio>
#include <cstring>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include <tenon/chan.hpp>
#include <tenon/go.hpp>
#include <tenon/group.hpp>
#include <tenon/mutex.hpp>
#include <tenon/run.hpp>
#include <tenon/select.hpp>
#include <tenon/shared_mutex.hpp>
#include <tenon/wait_group.hpp>
#include <tenon/yield.hpp>

// Stands on the line of the call that blocks.
#define BLOCKS(name) std::printf(name " blocks in %s at lines.cpp:%d\n", __func__, __LINE__)

#include "shared.hpp"

// clang-format off: each call stands on the line that announces it

using ints = tenon::chan<int>;

namespace shop {

struct till {
  ints coins;
  int take() {
    BLOCKS("member"); return coins.recv().value_or(0);
  }
};

template <class T>
T first_of(tenon::chan<T>& c) {
  BLOCKS("template"); return *c.recv();
}

inline int inlined(ints& c) {
  BLOCKS("inlined"); return c.recv().value_or(0);
}

[[gnu::noinline]] int kept(ints& c) {
  BLOCKS("kept"); return c.recv().value_or(0);
}

}  // namespace shop

namespace {

int of_this_file(ints& c) {
  BLOCKS("of this file"); return c.recv().value_or(0);
}

void sends(ints& c) {
  BLOCKS("sends"); c.send(1);
}

void selects(ints& a, ints& b) {
  BLOCKS("selects"); tenon::select(tenon::recv(a), tenon::recv(b));
}

void locks(tenon::mutex& mu) {
  BLOCKS("locks"); const std::lock_guard hold(mu);
  std::puts("came back");
}

void reads(tenon::shared_mutex& mu) {
  BLOCKS("reads"); const std::shared_lock hold(mu);
  std::puts("came back");
}

void waits(tenon::wait_group& wg) {
  BLOCKS("waits"); wg.wait();
}

tenon::error member_of_group(ints& c) {
  BLOCKS("of a group"); (void)c.recv();
  return {};
}

void stage(tenon::sender<int>& out) {
  BLOCKS("stage"); out.send(1);
}

int dump() {
  return tenon::run([](tenon::group& root) {
    ints c = tenon::make_chan<int>();
    ints other = tenon::make_chan<int>();
    tenon::mutex mu;
    mu.lock();
    tenon::shared_mutex shared;
    shared.lock();
    tenon::wait_group wg;
    wg.add(1);
    shop::till till{c};
    std::vector<tenon::goroutine<>> all;
    all.push_back(tenon::go({.name = "member"}, [&] { std::printf("%d\n", till.take()); }));
    all.push_back(tenon::go({.name = "template"}, [&] { std::printf("%d\n", shop::first_of(c)); }));
    all.push_back(tenon::go({.name = "inlined"}, [&] { std::printf("%d\n", shop::inlined(c)); }));
    all.push_back(tenon::go({.name = "kept"}, [&] { std::printf("%d\n", shop::kept(c)); }));
    all.push_back(tenon::go({.name = "of this file"}, [&] { std::printf("%d\n", of_this_file(c)); }));
    all.push_back(tenon::go({.name = "sends"}, [&] { sends(other); }));
    all.push_back(tenon::go({.name = "selects"}, [&] { selects(c, c); }));
    all.push_back(tenon::go({.name = "locks"}, [&] { locks(mu); }));
    all.push_back(tenon::go({.name = "reads"}, [&] { reads(shared); }));
    all.push_back(tenon::go({.name = "waits"}, [&] { waits(wg); }));
    all.push_back(tenon::go({.name = "lambda"}, [&] {
      const auto outer = [&] {
        const auto inner = [&] {
          BLOCKS("lambda"); return c.recv().value_or(0);
        };
        return inner() + 1;
      };
      std::printf("%d\n", outer());
    }));
    all.push_back(tenon::go({.name = "spawner"}, [&] {
      tenon::group g(root.ctx());
      g.go([&] { return member_of_group(c); });
      auto unread = g.produce<int>([](tenon::sender<int>& out) { stage(out); });
      wg.go([&] {
        BLOCKS("of a wait group"); (void)c.recv();
        std::puts("came back");
      });
      BLOCKS("spawner"); (void)g.wait();
      (void)unread.recv();
    }));
    BLOCKS("goroutine 1"); all.front().join();
  });
}

int relock() {
  return tenon::run(
      [] {
        tenon::shared_mutex table;
        BLOCKS("first"); const std::shared_lock outer(table);
        auto w = tenon::go([&] { const std::lock_guard l(table); });
        for (; table.try_lock_shared(); table.unlock_shared()) tenon::yield();  // until the writer waits
        BLOCKS("again"); const std::shared_lock inner(table);
        w.join();
      },
      {.check_locks = true});
}

}  // namespace

// clang-format on

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (shop::price_of_a_dozen() != shop::price(shop::weight(6))) return 1;
  return argc > 1 && std::strcmp(argv[1], "relock") == 0 ? relock() : dump();
}
