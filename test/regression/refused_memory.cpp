// Memory is refused where a wait begins, or a goroutine: `refused_memory <case>`. One allocation of this thread fails, and all must be as before.

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <utility>

#include <tenon/os/os.hpp>
#include <tenon/tenon.hpp>

namespace {

thread_local bool refuse = false;
std::atomic<std::size_t> most{SIZE_MAX};  // for one allocation

using namespace std::chrono_literals;

/// Overwrites what a call has left below.
[[gnu::noinline]] void overwrite() {
  volatile char stack[16 * 1024];
  std::memset(const_cast<char*>(stack), 0xA5, sizeof stack);
}

template <class F>
void refused(const F& f) {
  refuse = true;
  try {
    f();
    std::puts("not refused");
  } catch (const std::bad_alloc&) {
    std::puts("refused");
  }
  refuse = false;
  overwrite();
}

/// The first timer of a worker: its heap allocates. Nothing may stay in the context's list.
void sleep_with_a_context() {
  tenon::run(
      [](const tenon::context& root) {
        const auto scope = tenon::with_cancel(root);
        (void)scope.ctx().done();  // has been made
        refused([&] { (void)tenon::sleep_for(scope.ctx(), 1h); });
        auto other = tenon::go([&] { (void)tenon::sleep_for(scope.ctx(), 1h); });
        tenon::yield();
        scope.cancel();
        other.join();
        std::puts("canceled");
      },
      {.workers = 1});
}

void sleep_without() {
  tenon::run(
      [] {
        refused([&] { tenon::sleep_for(1h); });
        tenon::sleep_for(1ms);
        std::puts("slept");
      },
      {.workers = 1});
}

/// It writes without end, and would wait for ever for a reader who has given up.
void output() {
  tenon::run([](const tenon::context& root) {
    most = std::size_t{1} << 20U;
    const tenon::error e = tenon::os::command(root, {"yes"}).output().err();
    most = SIZE_MAX;
    std::puts(e.message().c_str());
  });
}

/// The context of a goroutine with a handle is made when it first starts another.
void start_of_another() {
  tenon::run(
      [] {
        tenon::go([] {
          refused([] { tenon::go([] {}).join(); });
          tenon::go([] { std::puts("started"); }).join();
        }).join();
      },
      {.workers = 1, .check_locks = false});  // whose records of locks are the first to be refused
  std::puts("ended");
}

}  // namespace

// Not inlined: compilers would see that what one gives the other frees by another name.
[[gnu::noinline]] void* operator new(std::size_t n) {
  if (n > most.load(std::memory_order_relaxed)) throw std::bad_alloc();
  if (refuse) {
    refuse = false;
    throw std::bad_alloc();
  }
  if (void* p = std::malloc(n)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t n, const std::nothrow_t&) noexcept {
  return std::exchange(refuse, false) ? nullptr : std::malloc(n);
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }

int main(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "";
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (name == "sleep_with_a_context") sleep_with_a_context();
  if (name == "sleep_without") sleep_without();
  if (name == "output") output();
  if (name == "start_of_another") start_of_another();
  return 0;
}
