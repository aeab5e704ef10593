// Guide: "Don't Propagate Request Context to Background Work", the bug.
//
// A handler answers, and leaves a publication to the background under the context of its request. Notice: the request
// ends with the handler, and the publication with it, before the broker has answered. Even so nobody forgets the
// goroutine: the server owns it. request_without_cancel.cpp is the fix.

#include <iostream>
#include <string>

#include <tenon/tenon.hpp>

class server {
 public:
  // [snippet]
  std::string handle(const tenon::context& request) {
    std::string response = "hello";
    publishing_ = tenon::go(request, [this](tenon::context ctx) {  // the bug
      return publish(ctx);
    });
    return response;
  }
  // [/snippet]

  tenon::error join() { return publishing_.join(); }
  tenon::chan<void> broker_ack = tenon::make_chan<void>();

 private:
  tenon::error publish(const tenon::context& ctx) {
    if (broker_ack.recv(ctx)) return nullptr;
    return ctx.err();
  }

  tenon::goroutine<tenon::error> publishing_;
};

int main() {
  tenon::run([](tenon::context root) {
    server s;
    {
      auto end_of_request_scope = tenon::with_cancel(root);
      const tenon::context request = end_of_request_scope.ctx();
      std::cout << "response: " << s.handle(request) << '\n';
    }  // the response is out: the request's context is canceled
    std::cout << "publication: " << s.join().message() << '\n';
    std::cout << "the broker finds somebody: " << (s.broker_ack.try_send(void{}) ? "yes" : "no") << '\n';
  });
}
