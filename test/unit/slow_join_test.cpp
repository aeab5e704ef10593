// An owner that has waited long says for whom.

#include <gtest/gtest.h>

#include <unistd.h>

#include <chrono>
#include <string>

#include <tenon/tenon.hpp>

#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::context;

/// What comes on stderr while it is there: read() waits for the next piece.
class captured_stderr {
 public:
  captured_stderr() : before_(::dup(STDERR_FILENO)) {
    EXPECT_EQ(::pipe(ends_), 0);
    ::dup2(ends_[1], STDERR_FILENO);
  }
  captured_stderr(const captured_stderr&) = delete;
  captured_stderr& operator=(const captured_stderr&) = delete;
  ~captured_stderr() {
    ::dup2(before_, STDERR_FILENO);
    for (const int fd : {before_, ends_[0], ends_[1]}) ::close(fd);
  }
  std::string read_until(const std::string& last) {
    while (text_.find(last) == std::string::npos) {
      char piece[1024];
      const ssize_t n = tenon::blocking([&] { return ::read(ends_[0], piece, sizeof piece); });
      if (n <= 0) break;
      text_.append(piece, static_cast<std::size_t>(n));
    }
    return text_;
  }

 private:
  int before_;
  int ends_[2] = {-1, -1};
  std::string text_;
};

// Go: none: nothing is fire-and-forget, so an owner may have to wait
TEST(Overdue, ADroppedHandleNamesTheGoroutineThatIgnoresItsContext) {
  captured_stderr err;
  std::string said;
  tenon::run(
      [&](tenon::group& root) {
        const auto leave = tenon::make_chan<void>();
        root.go([&] {
          said = err.read_until("slow_join_test.cpp:");
          leave.close();
        });
        const auto deaf = tenon::go({.name = "deaf"}, [leave](const context&) { (void)leave.recv(); });
        tenon_test::await_waiting(1);
      },
      {.workers = 1, .report_after = 1ms});
  EXPECT_NE(said.find("has waited 0.001 s for the end of goroutine"), std::string::npos) << said;
  EXPECT_NE(said.find("\"deaf\" [chan receive], started at"), std::string::npos) << said;
}

TEST(Overdue, AGroupNamesItsMembers) {
  captured_stderr err;
  std::string said;
  tenon::run(
      [&](tenon::group& root) {
        const auto leave = tenon::make_chan<void>();
        root.go([&] {
          said = err.read_until("and 5 more");
          leave.close();
        });
        tenon::group g(root.ctx());
        g.go_n(15, [leave] { (void)leave.recv(); });
        tenon_test::await_waiting(15);
      },
      {.workers = 1, .report_after = 1ms});
  EXPECT_NE(said.find("has waited 0.001 s for the end of its group's goroutines:\n  goroutine"), std::string::npos)
      << said;
  std::size_t named = 0;
  for (std::size_t at = 0; (at = said.find("[chan receive], started at", at)) != std::string::npos; ++at) ++named;
  EXPECT_EQ(named, 10U) << said;
}

TEST(Overdue, TheEndOfARunNamesWhoKeepsItUp) {
  captured_stderr err;
  std::string said;
  tenon::run(
      [&](tenon::group& root) {
        const auto leave = tenon::make_chan<void>();
        root.go([leave] { (void)leave.recv(); });
        root.go([&err, &said, leave] {
          said = err.read_until("[chan receive]");
          leave.close();
        });
        tenon_test::await_waiting(1);
        root.cancel();
      },
      {.workers = 1, .report_after = 1ms});
  EXPECT_NE(said.find("its group's goroutines:\n"), std::string::npos) << said;
}

}  // namespace
