// Starts a goroutine before main, where no runtime can be.

#include <cstdio>

#include <tenon/tenon.hpp>

namespace {

struct impatient {
  impatient() {
    auto g = tenon::go([] { std::puts("ran"); });
    g.join();
  }
};

impatient before_main;

}  // namespace

int main() {
  std::puts("came back");
  return 0;
}
