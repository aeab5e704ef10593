// `race_go CASE` runs one of the programs of test/races/go_cases.hpp as goroutines, and says nothing itself: that is for ThreadSanitizer. Of another
// name it prints which there are, and ends with status 2.

#include <cstdio>
#include <string_view>
#include <utility>

#include <tenon/tenon.hpp>

namespace races {

class task {
 public:
  template <class F>
  explicit task(F f) : its_(tenon::go(std::move(f))) {}
  task(const task&) = delete;
  task& operator=(const task&) = delete;
  // Not the handle's destructor: that cancels first, and what comes before that happens before whatever the goroutine starts later.
  ~task() {
    if (!joined_) join();
  }
  void join() {
    joined_ = true;
    its_.join();
  }

 private:
  tenon::goroutine<void> its_;
  bool joined_ = false;
};

}  // namespace races

#include "../go_cases.hpp"

int main(int argc, char** argv) {
  const std::string_view wanted = argc == 2 ? argv[1] : "";
  for (const races::race_case& c : races::race_cases) {
    if (wanted != c.name) continue;
    tenon::run_options options;
    options.check_locks = false;  // in some a lock is handed on
    return tenon::run([&c] { c.run(); }, options);
  }
  std::fprintf(stderr, "usage: race_go CASE, of these:\n");
  for (const races::race_case& c : races::race_cases) {
    std::fprintf(stderr, "  %-32s %s\n", c.name, c.is_a_race ? "a race" : "none");
  }
  return 2;
}
