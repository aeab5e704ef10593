// What a project that takes tenon::os does with it: a file, a program, a deadline.
#include <chrono>
#include <iostream>
#include <utility>

#include <tenon/os/os.hpp>
#include <tenon/tenon.hpp>

namespace tn = tenon;

int main() {
  return tn::run([](const tn::context& root) -> tn::error {
    auto here = tn::os::file::open(root, "/proc/self/status");
    if (!here) return here.err();
    const auto text = here->read_all(root);
    if (!text) return text.err();
    auto answer = tn::os::command(tn::within(root, std::chrono::seconds(20)), {"cat"}).output("42\n");
    if (!answer) return answer.err();
    std::cout << *answer;
    return nullptr;
  });
}
