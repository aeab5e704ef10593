// Programs and files under load: started, waited for, signaled, canceled and left by many at once; closed among their users.

#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include <tenon/os/os.hpp>
#include <tenon/tenon.hpp>

#include "stress/workers_case.hpp"
#include "support/random.hpp"
#include "support/scale.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::context;
using tenon::error;
using tenon::group;
using tenon::net::errc;
using tenon::os::command;
using tenon::os::file;
using tenon::os::process;
using tenon::os::stdio;
using tenon_test::random_source;
using tenon_test::scaled;
using tenon_test::seed_in_use;
using tenon_test::watchdog;

int open_descriptors() {
  int n = 0;
  for (int fd = 0; fd < 1000; ++fd) n += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return n;
}

using OsStress = tenon_test::workers_case;
INSTANTIATE_TEST_SUITE_P(Workers, OsStress, testing::ValuesIn(tenon_test::worker_counts()),
                         testing::PrintToStringParamName());

/// A program's life, of which chance decides how it ends. The program copies its input, or sleeps for ever.
error one_life(const context& ctx, random_source& random) {
  const auto scope = tenon::with_cancel(ctx);
  const bool copies = random.one_in(2);
  auto started =
      command(scope.ctx(), copies ? std::vector<std::string>{"cat"} : std::vector<std::string>{"sleep", "1000"},
              {.in = stdio::pipe, .out = stdio::pipe, .grace = 1h, .own_group = random.one_in(2)})
          .start();
  if (!started) return started.err();
  process& p = *started;
  group others(ctx);
  if (random.one_in(2)) others.go([&p] { return p.wait().err(); });
  if (copies) {
    const std::string text = std::to_string(random.below(1'000'000)) + "\n";
    if (error e = p.in.write_all(ctx, text)) return e;
    auto back = p.out.read_until(ctx, "\n");
    if (!back) return back.err();
    if (*back != text) return error("it copied " + *back);
  }
  switch (random.below(copies ? 4 : 3)) {
    case 0: scope.cancel(); break;
    case 1: {
      const error e = p.signal(SIGTERM);
      if (e && !e.is(std::errc::no_such_process)) return e;
      break;
    }
    case 2: {
      // Left as it is: its owner goes. Unless somebody else waits for it still.
      scope.cancel();
      return others.wait();
    }
    default: (void)p.in.close(); break;
  }
  auto how = p.wait();
  if (!how) return how.err();
  if (!how->success() && how->signal() != SIGTERM) return how->err("neither done nor told to end");
  return others.wait();
}

TEST_P(OsStress, ProgramsEndHoweverTheyAreLeft) {
  const seed_in_use seed;
  const std::size_t rounds = scaled(40, 6);
  in_run([&](const context& root) {
    EXPECT_FALSE(command(root, {"true"}).run());
    const int before = open_descriptors();
    group all(root);
    all.go_n(8, [&](const context& ctx, int who) -> error {
      random_source random(seed.of(static_cast<std::uint64_t>(who)));
      for (std::size_t round = 0; round < rounds; ++round) {
        if (error e = one_life(ctx, random)) return e;
        watchdog::step();
      }
      return nullptr;
    });
    const error e = all.wait();
    EXPECT_FALSE(e) << e.message();
    EXPECT_EQ(open_descriptors(), before);
  });
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "no child is left";
}

// brpc#3028, tokio#4301
TEST_P(OsStress, AThousandProgramsWhileOthersWork) {
  const std::size_t programs = scaled(1000, 60);
  in_run([&](const context& root) {
    std::atomic<bool> over = false;
    group work(root);
    const auto c = tenon::make_chan<int>();
    work.go([&](const context& ctx) {
      while (!over.load() && c.send(ctx, 1)) {
      }
      c.close();
    });
    work.go([&] {
      for ([[maybe_unused]] int v : c) {
      }
    });
    group all(root);
    all.set_limit(16);
    for (std::size_t i = 0; i < programs; ++i) {
      all.go([i](const context& ctx) -> error {
        auto out = command(ctx, {"echo", std::to_string(i)}).output();
        watchdog::step();
        if (!out) return out.err();
        return *out == std::to_string(i) + "\n" ? error() : error("it said " + *out);
      });
    }
    const error e = all.wait();
    EXPECT_FALSE(e) << e.message();
    over = true;
    EXPECT_FALSE(work.wait());
  });
}

// Every file has a byte of its own. A call that met the number of a closed file again, which another's has by then, would read that one's.
TEST_P(OsStress, AFileIsClosedAmongItsUsers) {
  const seed_in_use seed;
  const std::size_t rounds = scaled(100, 15);
  std::string folder = testing::TempDir() + "tenon_os_stress_XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  std::atomic<std::size_t> strangers = 0;
  in_run([&](const context& root) {
    group all(root);
    all.go_n(6, [&](const context& ctx, int who) -> error {
      random_source random(seed.of(static_cast<std::uint64_t>(who)));
      const char mine = static_cast<char>('a' + who);
      const std::string path = folder + "/" + mine;
      if (error e = tenon::os::write_file(ctx, path, std::string(8000, mine))) return e;
      for (std::size_t round = 0; round < rounds; ++round) {
        auto f = file::open(ctx, path).value();
        group users(ctx);
        users.go_n(3, [&](const context& c, int i) -> error {
          std::array<char, 1000> block{};
          for (;;) {
            const auto n = f.read_at(c, static_cast<std::uint64_t>(i) * 1000, block);
            if (!n) return n.err() == errc::closed ? nullptr : n.err();
            for (const char b : block) strangers += b != mine ? 1 : 0;
          }
        });
        for (std::uint64_t i = random.below(20); i > 0; --i) tenon::yield();
        if (error e = f.close()) return e;
        if (error e = users.wait()) return e;
        watchdog::step();
      }
      return nullptr;
    });
    const error e = all.wait();
    EXPECT_FALSE(e) << e.message();
  });
  EXPECT_EQ(strangers, 0U);
  EXPECT_EQ(::system(("rm -r " + folder).c_str()), 0);
}

}  // namespace
