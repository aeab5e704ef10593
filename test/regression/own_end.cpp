// Goroutines that wait for their own end: `own_end <case>`. Another goroutine is awake all the time, so that it is no deadlock of all.

#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include <tenon/tenon.hpp>

using namespace std::chrono_literals;

namespace {

void group_wait(tenon::group& root) {
  tenon::group g(root.ctx());
  g.go([&g] { (void)g.wait(); });
  (void)g.wait();
}

void root_wait(tenon::group& root) {
  root.go([&root] { (void)root.wait(); });
}

void group_destroyed(tenon::group& root) {
  auto g = std::make_unique<tenon::group>(root.ctx());
  g->go([&g] { g.reset(); });
  tenon::sleep_for(1h);
}

void pipeline_destroyed(tenon::group& root) {
  auto p = std::make_unique<tenon::pipeline>(root.ctx());
  auto numbers = p->generate<int>([&p](auto&) { p.reset(); });
  (void)numbers.recv();
}

void wait_group_wait(tenon::group&) {
  tenon::wait_group wg;
  wg.go([&wg] { wg.wait(); });
  wg.wait();
}

void timer_destroyed(tenon::group&) {
  auto t = std::make_unique<tenon::timer>();
  auto assigned = tenon::make_chan<void>();
  *t = tenon::timer(1ms, [&] {
    (void)assigned.recv();
    t.reset();
  });
  assigned.close();
  tenon::sleep_for(1h);
}

void handle(tenon::group&) {
  tenon::goroutine<> self;
  auto given = tenon::make_chan<void>();
  self = tenon::go([&] {
    (void)given.recv();
    self.wait();
  });
  given.send();
  tenon::sleep_for(1h);
}

void after_func_dropped(tenon::group&) {
  auto scope = tenon::with_cancel(tenon::background());
  auto dropped = tenon::make_chan<void>();
  auto ready = tenon::make_chan<void>();
  std::optional<tenon::after_func_handle> h;
  h.emplace(tenon::after_func(scope.ctx(), [&] {
    (void)ready.recv();
    h.reset();
    dropped.close();
  }));
  scope.cancel();
  ready.close();
  (void)dropped.recv();
}

void wait_with_a_context(tenon::group& root) {
  tenon::group g(root.ctx());
  g.go([&g] {
    auto soon = tenon::with_timeout(tenon::background(), 1ms);
    (void)g.wait(soon.ctx());
  });
  (void)g.wait();
}

constexpr std::pair<const char*, void (*)(tenon::group&)> cases[] = {
    {"group_wait", group_wait},
    {"root_wait", root_wait},
    {"group_destroyed", group_destroyed},
    {"pipeline_destroyed", pipeline_destroyed},
    {"wait_group_wait", wait_group_wait},
    {"timer_destroyed", timer_destroyed},
    {"handle", handle},
    {"after_func_dropped", after_func_dropped},
    {"wait_with_a_context", wait_with_a_context},
};

}  // namespace

int main(int, char** argv) {
  for (const auto& [name, body] : cases) {
    if (std::strcmp(name, argv[1]) != 0) continue;
    return tenon::run([body = body](tenon::group& root) {
      tenon::group others(tenon::background());
      others.go([](tenon::context ctx) {
        while (tenon::sleep_for(ctx, 1ms)) {
        }
      });
      body(root);
    });
  }
  return 9;
}
