// expect-ok
// What the other files of this folder get wrong, done right: if this does not compile, their failures mean nothing.
#include <memory>
#include <optional>

#include <tenon/tenon.hpp>

int main() {
  const tenon::chan<int> c = tenon::make_chan<int>();
  const tenon::recv_chan<int> cr = c;
  const tenon::send_chan<int> cs = c;
  const tenon::chan<int> same = c;
  c.send(0);
  cs.send(0);
  std::optional<int> v = c.recv();
  v = cr.recv();
  v = cr.try_recv();
  auto next = tenon::recv(c);
  tenon::select(tenon::send(c, 0), next, tenon::recv(cr), tenon::send(cs, 0), tenon::otherwise);
  if (next) v = *next;
  for (int x : cr) v = x;
  for ([[maybe_unused]] auto&& ignored : c) {
  }
  same.close();
  cs.close();

  tenon::mutex mu;
  tenon::wait_group wg;
  mu.lock();
  mu.unlock();
  wg.wait();
  auto g = tenon::go([] { return 1; });
  const int one = g.join();
  tenon::goroutine<int> moved = tenon::go([one] { return one; });
  g = std::move(moved);
  const tenon::error e = tenon::canceled();
  auto scope = tenon::with_cancel(tenon::background());
  const tenon::context ctx = scope.ctx();
  const bool sent = c.send(ctx, 1);
  const auto few = tenon::make_chan<int>(1);
  const auto many = tenon::make_chan<int>(100, "the hundred are all there are");
  tenon::sender one_sender(few);
  const tenon::sender<int> another = one_sender.clone();
  tenon::chan<void> signal = tenon::make_chan<void>(1);
  signal.send();
  (void)signal.recv();
  tenon::group group(ctx);
  group.go([](const tenon::context& c) { return c.err(); });
  if (group.wait()) return 2;
  const auto owners = tenon::make_chan<std::unique_ptr<int>>();
  owners.send(std::make_unique<int>(1));
  return e && sent ? 1 : 0;
}
