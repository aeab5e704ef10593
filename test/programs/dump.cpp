// One goroutine in each state, then "ready" on stdout: something to send SIGQUIT to. `dump [quiet]`; quiet leaves SIGQUIT
// to its default.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <thread>
#include <vector>

#include <tenon/tenon.hpp>

#include "sched/goroutine.hpp"

using namespace std::chrono_literals;

extern "C" {

[[gnu::noinline]] void dump_user_recv(tenon::chan<int>& c) {
  (void)c.recv();
  std::puts("came back");
}

[[gnu::noinline]] void dump_user_send(tenon::chan<int>& c) {
  c.send(1);
  std::puts("came back");
}

[[gnu::noinline]] void dump_user_sleep() {
  tenon::sleep_for(1h);
  std::puts("came back");
}

[[gnu::noinline]] void dump_user_lock(tenon::mutex& mu) {
  mu.lock();
  std::puts("came back");
}

[[gnu::noinline]] void dump_user_wait(tenon::wait_group& wg) {
  wg.wait();
  std::puts("came back");
}

[[gnu::noinline]] void dump_user_read(tenon::shared_mutex& mu) {
  const std::shared_lock hold(mu);
  std::puts("came back");
}

[[gnu::noinline]] void dump_user_write(tenon::shared_mutex& mu) {
  const std::unique_lock hold(mu);
  std::puts("came back");
}

[[gnu::noinline]] void dump_user_await(tenon::cond& changed) {
  tenon::mutex mu;
  std::unique_lock hold(mu);
  changed.wait(hold);
  std::puts("came back");
}

[[gnu::noinline]] void dump_user_acquire(tenon::semaphore& units) {
  units.acquire();
  std::puts("came back");
}

[[gnu::noinline]] void dump_user_join(tenon::goroutine<>& other) {
  other.join();
  std::puts("came back");
}

[[gnu::noinline]] void dump_user_select(tenon::chan<int>& a, tenon::chan<int>& b) {
  tenon::select(tenon::recv(a), tenon::recv(b));
  std::puts("came back");
}

[[gnu::noinline]] void dump_user_deep(tenon::chan<int>& c, int depth) {
  if (depth == 0) {
    dump_user_recv(c);
  } else {
    dump_user_deep(c, depth - 1);
  }
  std::puts("came back");
}

}  // extern "C"

namespace {

// Says where the goroutine called `name` is started: on the line of the call.
void started(const char* name, int line) { std::printf("%s started at dump.cpp:%d\n", name, line); }

/// How many goroutines have come to where they wait.
std::size_t waiting() {
  std::size_t n = 0;
  tenon::stacks::for_each(
      [](const tenon::stack_slot& slot, void* n) {
        using namespace tenon::detail;
        *static_cast<std::size_t*>(n) += descriptor_of(slot)->state.load() == goroutine_state::waiting ? 1 : 0;
      },
      &n);
  return n;
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  tenon::run_options options;
  options.workers = 2;
  options.dump_on_sigquit = argc < 2 || std::strcmp(argv[1], "quiet") != 0;
  tenon::run(
      [](tenon::context) {
        auto a = tenon::make_chan<int>();
        auto b = tenon::make_chan<int>();
        auto full = tenon::make_chan<int>(2, "nobody sends a third");
        full.send(1);
        full.send(2);
        tenon::chan<int> nil;
        tenon::mutex mu;
        mu.lock();
        tenon::wait_group wg;
        wg.add(1);
        tenon::shared_mutex shared;
        shared.lock();
        tenon::cond changed;
        tenon::semaphore units(0);
        std::atomic<int> out{0};
        std::vector<tenon::goroutine<>> all;

        started("receiver", __LINE__ + 1);
        all.push_back(tenon::go({.name = "receiver"}, [&] { dump_user_recv(a); }));
        started("sender", __LINE__ + 1);
        all.push_back(tenon::go({.name = "sender"}, [&] { dump_user_send(b); }));
        started("filler", __LINE__ + 1);
        all.push_back(tenon::go({.name = "filler"}, [&] { dump_user_send(full); }));
        all.push_back(tenon::go({.name = "void taker"}, [&] { dump_user_recv(nil); }));
        all.push_back(tenon::go({.name = "void giver"}, [&] { dump_user_send(nil); }));
        all.push_back(tenon::go({.name = "chooser"}, [&] { dump_user_select(a, nil); }));
        all.push_back(tenon::go({.name = "hermit"}, [] { tenon::select(std::span<tenon::select_case* const>()); }));
        started("sleeper", __LINE__ + 1);
        all.push_back(tenon::go({.name = "sleeper"}, [] { dump_user_sleep(); }));
        all.push_back(tenon::go({.name = "locker"}, [&] { dump_user_lock(mu); }));
        all.push_back(tenon::go({.name = "waiter"}, [&] { dump_user_wait(wg); }));
        all.push_back(tenon::go({.name = "writer"}, [&] { dump_user_write(shared); }));
        all.push_back(tenon::go({.name = "reader"}, [&] { dump_user_read(shared); }));
        all.push_back(tenon::go({.name = "awaiter"}, [&] { dump_user_await(changed); }));
        all.push_back(tenon::go({.name = "acquirer"}, [&] { dump_user_acquire(units); }));
        auto endless = tenon::go({.name = "endless"}, [&] { dump_user_recv(a); });
        all.push_back(tenon::go({.name = "joiner"}, [&] { dump_user_join(endless); }));
        all.push_back(tenon::go({.name = "diver"}, [&] { dump_user_deep(a, 3); }));
        all.push_back(tenon::go({.name = "blocker"}, [&] {
          tenon::blocking([&] {
            ++out;
            std::this_thread::sleep_for(1h);
          });
        }));
        all.push_back(tenon::go({.name = "pinned"}, [&] {
          tenon::on_this_thread here;
          dump_user_recv(a);
        }));
        all.push_back(tenon::go([&] { dump_user_recv(a); }));
        const std::size_t others = all.size() + 1;  // and `endless`, and this one; but the blocker does not wait
        all.push_back(tenon::go({.name = "reporter"}, [&, others] {
          while (out.load() < 1 || waiting() < others) tenon::sleep_for(1ms);
          std::puts("ready");
          tenon::sleep_for(1h);
        }));
        all.front().join();
      },
      options);
  return 0;
}
