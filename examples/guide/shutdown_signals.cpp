// Guide: "Don't Propagate Request Context to Background Work", at the shutdown: what begins it.
//
// A service manager stops a server with SIGTERM. `with_signals` makes that the end of a context, and every call that has
// this context, or a child of it, ends. Notice: the server needs no handler, no flag and no polling, and the cause says
// which signal it was. A second one does what it always did: it ends a server that does not react to the first.

#include <csignal>
#include <iostream>
#include <string>

#include <tenon/tenon.hpp>

namespace tn = tenon;

// [snippet]
void serve(const tn::context& ctx, const tn::recv_chan<std::string>& requests) {
  for (const std::string& request : requests.range(ctx)) std::cout << "answered " << request << '\n';
  std::cout << "stopped: " << tn::cause(ctx).message() << '\n';
}

int main() {
  return tn::run([](tn::group& root) {
    const auto until_told = tn::with_signals(root.ctx(), {SIGINT, SIGTERM});
    auto requests = tn::make_chan<std::string>();
    root.go([requests] {
      for (const char* request : {"a", "b", "c"}) requests.send(request);
      std::raise(SIGTERM);  // as the service manager would
    });
    serve(until_told.ctx(), requests);
  });
}
// [/snippet]
