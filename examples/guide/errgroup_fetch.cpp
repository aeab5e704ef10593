// Guide: "errgroup".
//
// Six pages are fetched at once; one of them is missing. Notice: the first failure is what `wait` returns, it cancels
// the context of the others, and that context knows it as its cause. A task fails by returning an error or by
// throwing.

#include <atomic>
#include <iostream>
#include <string>
#include <vector>

#include <tenon/tenon.hpp>

using namespace std::chrono_literals;

std::atomic<int> fetched = 0;
std::atomic<int> given_up = 0;

/// Stands for the network: /missing is not there, /slow takes an hour.
tenon::error fetch(const tenon::context& ctx, const std::string& url) {
  if (url == "/missing") return tenon::error(url + ": 404 not found");
  if (url == "/slow" && !tenon::sleep_for(ctx, 1h)) {
    ++given_up;
    return ctx.err();
  }
  ++fetched;
  return nullptr;
}

int main() {
  tenon::run([](tenon::context root) {
    const std::vector<std::string> urls = {"/", "/slow", "/about", "/slow", "/missing", "/slow"};
    // [snippet]
    tenon::group group(root);
    for (const std::string& url : urls) {
      group.go([&url](const tenon::context& ctx) { return fetch(ctx, url); });
    }
    if (tenon::error e = group.wait()) std::cout << "failed: " << e.message() << '\n';
    // [/snippet]
    std::cout << "fetched " << fetched << ", given up " << given_up << '\n';
    std::cout << "the others saw: " << group.ctx().err().message()
              << ", because of: " << tenon::cause(group.ctx()).message() << '\n';
    std::cout << "the caller's context is canceled: " << (root.is_canceled() ? "yes" : "no") << '\n';
  });
}
