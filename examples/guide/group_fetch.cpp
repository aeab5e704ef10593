// Guide: "errgroup".
//
// Six pages are fetched at once; one of them is missing. Notice: the first failure is what `wait` returns, it cancels
// the context of the others, and that context knows it as its cause.

#include <atomic>
#include <iostream>
#include <string>
#include <vector>

#include <tenon/tenon.hpp>

namespace tn = tenon;
using namespace std::chrono_literals;

std::atomic<int> fetched = 0;
std::atomic<int> given_up = 0;

/// Stands for the network: /missing is not there, /slow takes an hour.
tn::error fetch(const tn::context& ctx, const std::string& url) {
  if (url == "/missing") return tn::error(url + ": 404 not found");
  if (url == "/slow" && !tn::sleep_for(ctx, 1h)) {
    std::string why = tn::cause(ctx).message();
    if (++given_up == 1) std::cout << "gave up, because of " << why << '\n';
    return ctx.err();
  }
  ++fetched;
  return nullptr;
}

// [snippet]
tn::error fetch_all(tn::context ctx, std::vector<std::string> urls) {
  tn::group g(ctx);
  for (const std::string& url : urls) {
    g.go([url](tn::context c) { return fetch(c, url); });
  }
  return g.wait();
}
// [/snippet]

int main() {
  return tn::run([](tn::context root) {
    const tn::error e = fetch_all(root, {"/", "/slow", "/about", "/slow", "/missing", "/slow"});
    std::cout << "failed: " << e.message() << '\n';
    std::cout << "fetched " << fetched << ", given up " << given_up << '\n';
    std::cout << "the caller's context is canceled: " << (root.is_canceled() ? "yes" : "no") << '\n';
  });
}
