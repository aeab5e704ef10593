// What signals do to a program: `signals <case>`.

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <thread>

#include <tenon/tenon.hpp>

using namespace std::chrono_literals;

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const char* name = argc > 1 ? argv[1] : "";
  if (std::strcmp(name, "cancel") == 0) {
    // Nothing but a signal can wake it, and that is no deadlock.
    tenon::run([](tenon::context root) {
      auto g = tenon::go(root, [](tenon::context ctx) {
        tenon::chan<int> nil;
        const bool got = nil.recv(ctx).has_value();
        std::printf("goroutine: %d %s\n", got, ctx.err().message().c_str());
      });
      std::puts("ready");
      (void)root.done().recv();
      g.join();
      std::printf("root: %s\n", root.err().message().c_str());
    });
    std::puts("done");
  } else if (std::strcmp(name, "stubborn") == 0) {
    // Canceled once, it goes on: the second signal has to end it.
    tenon::run([](tenon::context root) {
      std::puts("ready");
      (void)root.done().recv();
      std::puts("canceled");
      tenon::sleep_for(1h);
    });
  } else if (std::strcmp(name, "off") == 0) {
    tenon::run(
        [](tenon::context) {
          std::puts("ready");
          tenon::sleep_for(1h);
        },
        {.cancel_on_interrupt = false});
  } else if (std::strcmp(name, "after") == 0) {
    // A run that is over has given the signals back.
    tenon::run([](tenon::context) {});
    std::puts("ready");
    std::this_thread::sleep_for(1h);
  } else if (std::strcmp(name, "second run") == 0) {
    for (int i = 0; i < 2; ++i) {
      tenon::run([i](tenon::context root) {
        std::printf("ready %d\n", i);
        (void)root.done().recv();
        std::printf("canceled %d\n", i);
      });
    }
    std::puts("done");
  } else if (std::strcmp(name, "drain") == 0) {
    // It watches for the signal itself: the root goes on, so that what has begun may finish.
    const int status = tenon::run([](tenon::group& root) {
      for (int i = 0; i < 2; ++i) {
        const auto told = tenon::with_signals(root.ctx(), {SIGINT, SIGTERM});
        std::printf("ready %d\n", i);
        (void)told.ctx().done().recv();
        std::printf("%s; root %s\n", tenon::cause(told.ctx()).message().c_str(),
                    root.ctx().is_canceled() ? "canceled" : "goes on");
      }
    });
    std::printf("done %d\n", status);
  } else if (std::strcmp(name, "dump") == 0) {
    // Each SIGTERM is a round. A dump whose beginning has been seen has been written when `dump` returns.
    tenon::run(
        [](tenon::group& root) {
          root.go({.name = "sleeper"}, [](const tenon::context& ctx) { (void)tenon::sleep_for(ctx, 1h); });
          auto told = tenon::with_signals(root.ctx(), {SIGTERM});
          while (tenon::dump().find("[sleep]") == std::string::npos) tenon::yield();
          std::puts("ready");
          for (int i = 0; i < 3; ++i) {
            (void)told.ctx().done().recv();
            (void)tenon::dump();
            told = tenon::with_signals(root.ctx(), {SIGTERM});
            std::fprintf(stderr, "\nround %d\n", i);
          }
          root.cancel();
        },
        {.dump_on_signal = SIGUSR1});
    std::puts("done");
  } else if (std::strcmp(name, "drain for ever") == 0) {
    tenon::run([](tenon::group& root) {
      const auto told = tenon::with_signals(root.ctx(), {SIGINT, SIGTERM});
      std::puts("ready");
      (void)told.ctx().done().recv();
      std::puts("draining");
      tenon::sleep_for(1h);
    });
  } else if (std::strcmp(name, "wrapped") == 0) {
    return tenon::run([](const tenon::context& root) {
      std::puts("ready");
      (void)root.done().recv();
      return tenon::error("serve", root.err());
    });
  } else if (std::strcmp(name, "urgent") == 0) {
    std::signal(SIGURG, [](int) { (void)!::write(STDOUT_FILENO, "urgent\n", 7); });
    tenon::run([] { std::raise(SIGURG); });
    std::raise(SIGURG);
  } else if (std::strcmp(name, "watch before") == 0) {
    std::optional before(tenon::with_signals(tenon::background(), {SIGINT}));
    tenon::run([&] { before.reset(); });
    std::puts("ready");
    std::raise(SIGINT);
    std::puts("came back");
  } else if (std::strcmp(name, "watch during") == 0) {
    std::optional<tenon::signal_scope> during;
    tenon::run([&] { during.emplace(tenon::with_signals(tenon::background(), {SIGINT})); });
    std::puts("ready");
    std::raise(SIGINT);
    (void)during->ctx().done().recv();
    std::puts("told");
    during.reset();
    std::raise(SIGINT);
    std::puts("came back");
  } else if (std::strcmp(name, "refused run") == 0) {
    tenon::run([](const tenon::context& root) {
      try {
        tenon::run([] {}, {.dump_on_sigquit = false});
      } catch (const tenon::panic&) {
        std::puts("ready");
      }
      (void)root.done().recv();
      std::puts("canceled");
    });
  } else if (std::strcmp(name, "quit left alone") == 0) {
    tenon::run([] {});
    tenon::run([] { std::raise(SIGQUIT); }, {.dump_on_sigquit = false});
    std::puts("came back");
  } else {
    std::fprintf(
        stderr,
        "usage: signals cancel|stubborn|off|after|second run|drain|dump|drain for ever|wrapped|urgent|watch before|quit left alone\n");
    return 64;
  }
  return 0;
}
