// Dumps and reports name the user's function and line, however the user has compiled the program.

#include <gtest/gtest.h>

#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "support/subprocess.hpp"

namespace {

using tenon_test::ending;
using tenon_test::has_line;
using tenon_test::lines_of;
using tenon_test::run_program;

struct announced {
  std::string what;
  std::string function;
  std::string place;  // "lines.cpp:12"
};

std::vector<announced> announced_by(const ending& e) {
  std::vector<announced> all;
  for (const std::string& line : lines_of(e.out)) {
    const std::size_t in = line.find(" blocks in ");
    const std::size_t at = line.find(" at lines.cpp:");
    if (in == std::string::npos || at == std::string::npos) continue;
    all.push_back({line.substr(0, in), line.substr(in + 11, at - in - 11), line.substr(at + 4)});
  }
  return all;
}

/// The programs end by a deadlock, which an emulator hides.
#define SKIP_WHERE_A_DEADLOCK_GOES_UNSEEN() \
  if (tenon_test::emulated()) GTEST_SKIP() << "the emulator's own threads look like threads that may wake a goroutine"

/// The first frame of each goroutine: two lines, the function and the place.
std::vector<std::string> innermost_frames(const std::string& dump) {
  std::vector<std::string> all;
  std::vector<std::string> lines = lines_of(dump);
  std::erase_if(lines, [](const std::string& line) { return line.starts_with("\t("); });  // what is waited for
  for (std::size_t i = 0; i + 2 < lines.size(); ++i) {
    if (lines[i].starts_with("goroutine ") && lines[i].ends_with(":"))
      all.push_back(lines[i + 1] + "\n" + lines[i + 2]);
  }
  return all;
}

class LinesOf : public testing::TestWithParam<std::string> {};

TEST_P(LinesOf, ParkedGoroutinesAreTheUsersInnermost) {
  SKIP_WHERE_A_DEADLOCK_GOES_UNSEEN();
  if (!TENON_TEST_LINES) GTEST_SKIP() << "the library was built without libbacktrace";
  const ending e = run_program("lines_" + GetParam());
  const std::vector<announced> all = announced_by(e);
  ASSERT_EQ(all.size(), 16U) << e.describe();
  const std::vector<std::string> frames = innermost_frames(e.err);
  for (const announced& a : all) {
    bool named = false;
    for (const std::string& frame : frames) {
      const std::string function = frame.substr(0, frame.find('\n'));
      named = named || (frame.ends_with("/" + a.place) && function.find(a.function) != std::string::npos);
    }
    EXPECT_TRUE(named) << a.what << ": " << a.function << " at " << a.place << " is on top of no stack\n"
                       << e.describe();
  }
  EXPECT_FALSE(has_line(e.err, "^tenon::|^std::")) << "a frame of the library is among the user's\n" << e.describe();
}

TEST_P(LinesOf, ALockTakenAgainAreTheUsers) {
  if (!TENON_TEST_LINES) GTEST_SKIP() << "the library was built without libbacktrace";
  const ending e = run_program("lines_" + GetParam(), {"relock"});
  const std::vector<announced> both = announced_by(e);
  ASSERT_EQ(both.size(), 2U) << e.describe();
  for (const announced& a : both) {
    EXPECT_TRUE(has_line(e.err, "/" + a.place + "$")) << a.what << " at " << a.place << "\n" << e.describe();
  }
  EXPECT_EQ(e.err.find("lock_slow"), std::string::npos) << e.describe();
  EXPECT_EQ(e.err.find("tenon::backtrace"), std::string::npos) << e.describe();
}

/// The flags of the programs that are built: "O0_g O2_g1".
std::vector<std::string> flags_built() {
  std::istringstream list(TENON_TEST_LINES_OF);
  return {std::istream_iterator<std::string>(list), {}};
}

INSTANTIATE_TEST_SUITE_P(By, LinesOf, testing::ValuesIn(flags_built()),
                         [](const testing::TestParamInfo<std::string>& info) { return info.param; });

// ---- where there is less to read ------------------------------------------------------------------------------------

TEST(Symbols, WithoutDebugInformationFunctionsAreNamed) {
  SKIP_WHERE_A_DEADLOCK_GOES_UNSEEN();
  const ending e = run_program("lines_O0_g0");
  for (const char* function :
       {"shop::kept(", "shop::till::take(", "shop::first_of<int>(", "(anonymous namespace)::waits("}) {
    EXPECT_NE(e.err.find(function), std::string::npos) << function << "\n" << e.describe();
  }
  EXPECT_TRUE(has_line(e.err, "^\t/.*tenon_prog_lines_O0_g0\\+0x[0-9a-f]+$")) << e.describe();
}

TEST(Symbols, OfAStrippedProgramAreAddressesThatAddr2lineTakes) {
  SKIP_WHERE_A_DEADLOCK_GOES_UNSEEN();
  const ending e = run_program("lines_stripped");
  EXPECT_TRUE(has_line(e.err, "^/.*tenon_prog_lines_stripped\\+0x[0-9a-f]+$")) << e.describe();
  EXPECT_FALSE(has_line(e.err, "\\?\\?")) << e.describe();
  EXPECT_FALSE(has_line(e.err, "\\+[0-9]+$")) << "without 0x it is read as hexadecimal all the same\n" << e.describe();
}

// ---- deep stacks, and many ------------------------------------------------------------------------------------------

// Go: runtime/traceback.go: the innermost 50 and the outermost 50
TEST(OverflowReport, ShowsTheOutermostFramesToo) {
  const ending e = run_program("overflow", {"plain"});
  if (tenon_test::emulated() && has_line(e.err, "QEMU internal SIGSEGV")) {
    GTEST_SKIP() << "this emulator takes a fault at a guard for its own and does not deliver it";
  }
  EXPECT_TRUE(has_line(e.err, R"(go\(\{\.stack_size = …\}, f\) gives it more; docs/stacks\.md)")) << e.describe();
  const std::string part = tenon_test::dump_part(e.err, "[running]");
  if (tenon_test::sanitized() && !tenon_test::under_address_sanitizer() &&
      part.find("its stack could not be read") != std::string::npos) {
    GTEST_SKIP() << "ThreadSanitizer holds the signal back that reads a stack while a fault's handler runs";
  }
  const std::size_t gap = part.find(" frames elided ...\n");
  ASSERT_NE(gap, std::string::npos) << e.describe();
  EXPECT_TRUE(has_line(part, "^\\.\\.\\. [1-9][0-9]* frames elided \\.\\.\\.$")) << part;
  EXPECT_NE(part.find("overflow_user_recurse"), std::string::npos) << part;
  EXPECT_LT(part.find("overflow_user_recurse"), gap) << part;
  EXPECT_NE(part.find("overflow_user_recurse", gap), std::string::npos) << part;
  if (!TENON_TEST_LINES) return;
  // The line that began it comes last.
  const std::vector<std::string> lines = lines_of(part);
  const std::string started = lines_of(e.out).at(0).substr(sizeof("started at ") - 1);
  ASSERT_GE(lines.size(), 2U);
  EXPECT_TRUE(lines[lines.size() - 2].ends_with("/" + started)) << part;
}

TEST(AlikeGoroutines, ArePrintedOnceWithTheirNumber) {
  SKIP_WHERE_A_DEADLOCK_GOES_UNSEEN();
  const int n = tenon_test::sanitized() ? 300 : 20'000;
  const ending e = run_program("alike", {std::to_string(n)});
  std::vector<std::string> headers;
  for (const std::string& line : lines_of(e.err)) {
    if (line.starts_with("goroutine ")) headers.push_back(line);
  }
  ASSERT_EQ(headers.size(), 6U) << e.describe();
  EXPECT_EQ(headers[0], "goroutine 1 [goroutine join]:");
  EXPECT_EQ(headers[1], "goroutine 2 [chan receive] and " + std::to_string(n - 1) + " others like it (3, 5-" +
                            std::to_string(n + 2) + "):");
  EXPECT_EQ(headers[2], "goroutine 4 \"odd\" [chan receive]:") << "one with a name of its own";
  const std::string next = std::to_string(n + 3);
  EXPECT_EQ(headers[3], "goroutine " + next + " [chan receive] and 1 other like it (" + std::to_string(n + 4) + "):")
      << "started elsewhere";
  EXPECT_EQ(headers[4], "goroutine " + std::to_string(n + 5) + " [chan send]:") << "with another stack";
  EXPECT_EQ(headers[5], "goroutine " + std::to_string(n + 6) + " [chan send]:") << "at a channel that looks different";
  EXPECT_LT(lines_of(e.err).size(), 60U) << e.describe();
}

}  // namespace
