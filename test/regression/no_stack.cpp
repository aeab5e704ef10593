// A program that may not have more address space: `no_stack <case>`.

#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <new>
#include <stdexcept>
#include <string>

#include <tenon/tenon.hpp>

namespace {

using std::size_t;

/// From now on no more than so many bytes beyond what there is.
void limit(size_t further) {
  std::ifstream statm("/proc/self/statm");
  size_t pages = 0;
  statm >> pages;
  rlimit now{};
  if (::getrlimit(RLIMIT_AS, &now) != 0) std::abort();
  now.rlim_cur = pages * 4096 + further;
  if (::setrlimit(RLIMIT_AS, &now) != 0) std::abort();
}

/// Starts goroutines that wait until it throws; says so; lets them go.
template <class Start>
void until_none_is_left(tenon::group& root, const Start& start) {
  const auto leave = tenon::make_chan<void>();
  tenon::group g(root.ctx());
  int started = 0;
  limit(size_t{256} << 20U);
  try {
    for (;; ++started) start(g, leave);
  } catch (const std::bad_alloc& e) {
    std::printf("%d started\n%s\n", started, e.what());
  }
  leave.close();
  const tenon::error e = g.wait();
  std::printf("all have ended: %s\n", e.message().c_str());
}

}  // namespace

int main(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "";
  static char buffer[4096];
  std::setvbuf(stdout, buffer, _IOLBF, sizeof buffer);
  const tenon::run_options two = {.workers = 2};
  if (name == "member") {
    return tenon::run(
        [](tenon::group& root) {
          until_none_is_left(
              root, [](tenon::group& g, const tenon::chan<void>& leave) { g.go([leave] { (void)leave.recv(); }); });
        },
        two);
  }
  if (name == "stage") {
    return tenon::run(
        [](tenon::group& root) {
          until_none_is_left(root, [](tenon::group& g, const tenon::chan<void>& leave) {
            (void)g.produce<int>([leave](tenon::sender<int>&) { (void)leave.recv(); });
          });
        },
        two);
  }
  if (name == "handle") {
    return tenon::run(
        [](tenon::group& root) {
          std::vector<tenon::goroutine<>> all;
          all.reserve(100'000);
          until_none_is_left(root, [&](tenon::group&, const tenon::chan<void>& leave) {
            all.push_back(tenon::go([leave] { (void)leave.recv(); }));
          });
          for (auto& g : all) g.join();
        },
        two);
  }
  if (name == "wait_group") {
    return tenon::run(
        [](tenon::group& root) {
          tenon::wait_group wg;
          until_none_is_left(
              root, [&](tenon::group&, const tenon::chan<void>& leave) { wg.go([leave] { (void)leave.recv(); }); });
          wg.wait();
        },
        two);
  }
  if (name == "run") {
    limit(size_t{512} << 20U);
    try {
      (void)tenon::run([] {}, {.workers = 2, .main_stack_size = size_t{1} << 30U});
    } catch (const tenon::no_stack& e) {
      std::printf("%s\n", e.what());
    }
    return tenon::run([] { std::puts("the next run"); }, two);
  }
  std::fprintf(stderr, "usage: no_stack member|stage|handle|wait_group|run\n");
  return 64;
}
