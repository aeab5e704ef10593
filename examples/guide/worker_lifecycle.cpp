// Guide: "Worker With Lifecycle Management".
//
// A class that owns its goroutine: the constructor starts it, the context stops it, `wait` joins it. Notice: there is
// no done channel; the handle is the thing to wait for. It is the last member, so it is joined before what it uses
// goes away, and it captured `this`, so a worker is neither copied nor moved.

#include <iostream>

#include <tenon/tenon.hpp>

// [snippet]
class worker {
 public:
  explicit worker(const tenon::context& ctx) : loop_(tenon::go(ctx, [this](tenon::context c) { return run(c); })) {}
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;

  /// False once the worker has been stopped.
  [[nodiscard]] bool submit(const tenon::context& ctx, int job) { return jobs_.send(ctx, job); }

  /// Blocks until the worker has stopped; how many jobs it did.
  int wait() { return loop_.join(); }

 private:
  int run(const tenon::context& ctx) {
    int done = 0;
    while (auto job = jobs_.recv(ctx)) {
      sum_ += *job;
      ++done;
    }
    return done;  // ctx was canceled
  }

  tenon::chan<int> jobs_ = tenon::make_chan<int>();
  int sum_ = 0;
  tenon::goroutine<int> loop_;  // last
};
// [/snippet]

int main() {
  tenon::run([](tenon::context root) {
    auto scope = tenon::with_cancel(root);
    const tenon::context ctx = scope.ctx();
    worker w(ctx);
    int accepted = 0;
    for (int job : {10, 20, 30}) accepted += w.submit(ctx, job);
    scope.cancel();
    std::cout << "accepted " << accepted << ", done " << w.wait() << '\n';
    std::cout << "after the stop: " << (w.submit(ctx, 40) ? "accepted" : "refused") << '\n';

    const worker forgotten(root);  // nobody cancels or waits: the destructor of its handle does both
  });
  std::cout << "nothing is left running\n";
}
