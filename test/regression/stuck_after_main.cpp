// `f` returns, and members of the root group are left that nothing wakes: `stuck_after_main <case>`.

#include <chrono>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <utility>

#include <tenon/tenon.hpp>
#include <tenon/testing/run_virtual.hpp>

using namespace std::chrono_literals;

namespace {

const auto never = tenon::make_chan<int>();

int receive() {
  return tenon::run([](tenon::group& root) { root.go([] { (void)never.recv(); }); });
}

int receive_virtual() {
  return tenon::testing::run_virtual([](tenon::group& root) { root.go([] { (void)never.recv(); }); });
}

int crossed_mutexes() {
  static tenon::mutex a;
  static tenon::mutex b;
  return tenon::run([](tenon::group& root) {
    auto both_hold = std::make_shared<tenon::wait_group>();
    both_hold->add(2);
    for (auto [first, second] : {std::pair(&a, &b), std::pair(&b, &a)}) {
      root.go([=] {
        const std::lock_guard hold(*first);
        both_hold->done();
        both_hold->wait();
        const std::lock_guard never_got(*second);
      });
    }
  });
}

int stage_not_read() {
  return tenon::run([](tenon::group& root) { (void)root.produce<int>([](tenon::sender<int>& out) { out.send(1); }); });
}

int after_a_failure() {
  return tenon::run([](tenon::group& root) {
    root.go([] { (void)never.recv(); });
    root.go([] { throw std::runtime_error("producer failed"); });
  });
}

int with_grace() {
  return tenon::run([](tenon::group& root) { root.go([] { (void)never.recv(); }); }, {.grace = 1h});
}

int not_interruptible() {
  return tenon::run([](tenon::group& root) { root.go([] { (void)never.recv(); }); }, {.cancel_on_interrupt = false});
}

int wait_of_f() {
  return tenon::run([](tenon::group& root) {
    root.go([] { (void)never.recv(); });
    (void)root.wait();
  });
}

int canceled_with_grace() {
  return tenon::run(
      [](tenon::group& root) {
        root.go([] { (void)never.recv(); });
        root.cancel();
      },
      {.grace = 1ms});
}

int waits_for_interrupt() {
  return tenon::run([](tenon::group& root) {
    root.go([](tenon::context ctx) {
      std::puts("waiting");
      std::fflush(stdout);
      (void)ctx.done().recv();
      std::puts("interrupted");
    });
  });
}

constexpr std::pair<const char*, int (*)()> cases[] = {
    {"receive", receive},
    {"receive_virtual", receive_virtual},
    {"crossed_mutexes", crossed_mutexes},
    {"stage_not_read", stage_not_read},
    {"after_a_failure", after_a_failure},
    {"with_grace", with_grace},
    {"not_interruptible", not_interruptible},
    {"wait_of_f", wait_of_f},
    {"canceled_with_grace", canceled_with_grace},
    {"waits_for_interrupt", waits_for_interrupt},
};

}  // namespace

int main(int, char** argv) {
  for (const auto& [name, body] : cases) {
    if (std::strcmp(name, argv[1]) == 0) return body();
  }
  return 9;
}
