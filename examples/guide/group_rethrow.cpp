// Guide: "errgroup", where tasks fail by throwing.
//
// Notice: an exception ends its task and not the program; it is the group's failure, and `rethrow` throws the very
// same object, with its type and what is in it. To look at the text alone, `message` is enough.

#include <iostream>
#include <stdexcept>
#include <string>

#include <tenon/tenon.hpp>

namespace tn = tenon;

struct http_error : std::runtime_error {
  int status;
  http_error(int s, const std::string& what) : std::runtime_error(what), status(s) {}
};

std::string fetch(const std::string& url) {
  if (url == "/missing") throw http_error(404, url + ": not found");
  return "page " + url;
}

int main() {
  return tn::run([](tn::context root) {
    // [snippet]
    tn::group g(root);
    for (const char* url : {"/", "/missing", "/about"}) {
      g.go([url] { (void)fetch(url); });
    }
    if (tn::error e = g.wait()) {
      std::cout << "failed: " << e.message() << '\n';
      try {
        e.rethrow();
      } catch (const http_error& h) {
        std::cout << "with status " << h.status << '\n';
      }
    }
    // [/snippet]
  });
}
