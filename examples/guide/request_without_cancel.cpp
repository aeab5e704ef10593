// Guide: "Don't Propagate Request Context to Background Work", the fix.
//
// `without_cancel` keeps the values of a request, here its id for the log, and drops its end. Notice: detached from
// the request is not forgotten. The background work belongs to the server, and a shutdown waits for it.

#include <iostream>
#include <string>

#include <tenon/tenon.hpp>

inline constexpr tenon::context_key<std::string> request_id{"request id"};

class server {
 public:
  // [snippet]
  std::string handle(const tenon::context& request) {
    std::string response = "hello";
    background_.go([this, ctx = tenon::without_cancel(request)] { publish(ctx); });
    return response;
  }

  /// Waits for what the requests have left behind, as long as `ctx` lets it.
  [[nodiscard]] bool shut_down(const tenon::context& ctx) { return background_.wait(ctx); }
  // [/snippet]

  tenon::chan<void> broker_ack = tenon::make_chan<void>();
  std::string log;

 private:
  void publish(const tenon::context& ctx) {
    log = *ctx.value(request_id) + (broker_ack.recv(ctx) ? ": published" : ": " + ctx.err().message());
  }

  tenon::wait_group background_;  // the last member: its destructor waits, too
};

int main() {
  tenon::run([](tenon::context root) {
    server s;
    {
      auto end_of_request_scope = tenon::with_cancel(tenon::with_value(root, request_id, "request 7"));
      const tenon::context request = end_of_request_scope.ctx();
      std::cout << "response: " << s.handle(request) << '\n';
    }  // the response is out: the request's context is canceled
    s.broker_ack.send(void{});
    std::cout << "shut down: " << (s.shut_down(root) ? "yes" : "no") << '\n';
    std::cout << s.log << '\n';
  });
}
