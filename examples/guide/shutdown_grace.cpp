// Guide: "Don't Propagate Request Context to Background Work", at the shutdown.
//
// The broker never answers, so the grace period runs out. Notice: `wait` then says so while the work goes on, and the
// end of the group cancels it. For that to reach the work its context has the request's values *and* the server's
// end: `without_cancel` gives the one, the stop token of the group's context the other.

#include <iostream>
#include <string>

#include <tenon/tenon.hpp>

namespace tn = tenon;
using namespace std::chrono_literals;

inline constexpr tn::context_key<std::string> request_id{"request id"};

// [snippet]
void publish(const tn::context& ctx, const tn::recv_chan<void>& broker_ack) {
  if (broker_ack.recv(ctx)) return;
  std::cout << *ctx.value(request_id) << ": not published, " << ctx.err().message() << '\n';
}

void serve(const tn::context& root, const tn::recv_chan<void>& broker_ack) {
  tn::group background(root);
  {
    auto request = tn::with_cancel(tn::with_value(root, request_id, "request 7"));
    background.go([&broker_ack, detached = tn::without_cancel(request.ctx())](tn::context server) {
      auto scope = tn::with_stop_token(detached, server.stop_token());
      publish(scope.ctx(), broker_ack);
    });
  }  // the response is out: the request's context is canceled

  auto grace = tn::with_timeout(root, 10ms);
  if (tn::error e = background.wait(grace.ctx())) std::cout << "grace period: " << e.message() << '\n';
}  // cancels and waits
// [/snippet]

int main() {
  return tn::run([](tn::context root) { serve(root, tn::make_chan<void>()); });
}
