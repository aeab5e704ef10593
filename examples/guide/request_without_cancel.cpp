// Guide: "Don't Propagate Request Context to Background Work", the fix.
//
// `without_cancel` keeps the values of a request, here its id for the log, and drops its end; the work gets a deadline
// of its own instead. Notice: detached from the request is not forgotten. The background work belongs to the server,
// and a shutdown waits for it, for as long as its grace period lasts.

#include <iostream>
#include <string>

#include <tenon/tenon.hpp>

namespace tn = tenon;
using namespace std::chrono_literals;

inline constexpr tn::context_key<std::string> request_id{"request id"};

class server {
 public:
  explicit server(const tn::context& ctx) : background_(ctx) {}
  // [snippet]
  std::string handle(tn::context request) {
    background_.go([this, detached = tn::without_cancel(request)] {
      auto scope = tn::with_timeout(detached, 30s);
      return publish(scope.ctx());
    });
    return "hello";
  }

  /// Waits for what the requests have left behind, but not for ever.
  tn::error shut_down(tn::context ctx) {
    auto grace = tn::with_timeout(ctx, 5s);
    return background_.wait(grace.ctx());
  }
  // [/snippet]
  void broker_answers() const { broker_ack_.send(); }

 private:
  tn::error publish(const tn::context& ctx) {
    if (!broker_ack_.recv(ctx)) return ctx.err();
    std::cout << *ctx.value(request_id) << ": published\n";
    return nullptr;
  }

  tn::chan<void> broker_ack_ = tn::make_chan<void>();
  tn::group background_;  // last: it ends before what its members use
};

int main() {
  return tn::run([](tn::context root) {
    server s(root);
    {
      auto scope = tn::with_cancel(tn::with_value(root, request_id, "request 7"));
      std::cout << "response: " << s.handle(scope.ctx()) << '\n';
    }  // the response is out: the request's context is canceled
    s.broker_answers();
    const tn::error e = s.shut_down(root);
    std::cout << "shut down: " << e.message() << '\n';
  });
}
