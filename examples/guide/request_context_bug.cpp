// Guide: "Don't Propagate Request Context to Background Work", the bug.
//
// A handler answers, and leaves a publication to the background under the context of its request. Notice: the request
// ends with the handler, and the publication with it, before the broker has answered. Even so nobody forgets the
// goroutine: the server's group owns it. request_without_cancel.cpp is the fix.

#include <iostream>
#include <string>

#include <tenon/tenon.hpp>

namespace tn = tenon;

class server {
 public:
  explicit server(const tn::context& ctx) : background_(ctx) {}
  // [snippet]
  std::string handle(tn::context request) {
    background_.go([this, request] { return publish(request); });  // the bug
    return "hello";
  }
  // [/snippet]
  tn::error shut_down() { return background_.wait(); }

 private:
  tn::error publish(const tn::context& ctx) {
    if (broker_ack_.recv(ctx)) return nullptr;
    return ctx.err();
  }

  tn::chan<void> broker_ack_ = tn::make_chan<void>();
  tn::group background_;  // last: it ends before what its members use
};

int main() {
  return tn::run([](tn::context root) {
    server s(root);
    {
      auto scope = tn::with_cancel(root);
      std::cout << "response: " << s.handle(scope.ctx()) << '\n';
    }  // the response is out: the request's context is canceled
    std::cout << "publication: " << s.shut_down().message() << '\n';
  });
}
