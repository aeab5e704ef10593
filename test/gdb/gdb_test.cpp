// A debugger that stops in a goroutine sees the whole stack, from the user's function to the goroutine's start.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "support/subprocess.hpp"

namespace {

using tenon_test::ending;

bool gdb_is_here() {
  try {
    tenon_test::program p({"gdb", "--version"});
    return p.finish().status == 0;
  } catch (const std::exception&) {
    return false;
  }
}

/// gdb, with these commands and arguments.
ending gdb(const std::vector<std::string>& commands, const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {"gdb", "-nx", "-batch", "-ex", "set debuginfod enabled off"};
  for (const std::string& c : commands) words.insert(words.end(), {"-ex", c});
  words.insert(words.end(), arguments.begin(), arguments.end());
  tenon_test::program p(words);
  return p.finish();
}

std::string between(const std::string& text, const std::string& from, const std::string& to) {
  const std::size_t begin = text.find(from);
  if (begin == std::string::npos) return "";
  const std::size_t end = text.find(to, begin);
  return text.substr(begin, end == std::string::npos ? end : end - begin);
}

const std::vector<std::string> look_in = {"source " TENON_SOURCE_DIR "/tools/gdb/tenon.py",
                                          "info goroutines",
                                          "echo \\n==receiver\\n",
                                          "goroutine 2 bt",
                                          "echo \\n==locker\\n",
                                          "goroutine 3 bt",
                                          "echo \\n==runs\\n",
                                          "goroutine 1 bt",
                                          "echo \\n==own\\n",
                                          "bt",
                                          "echo \\n==end\\n"};

void expect_goroutines(const ending& e) {
  const auto shows = [&](const std::string& line) {
    EXPECT_TRUE(tenon_test::has_line(e.out, line)) << line << "\n" << e.describe();
  };
  shows(R"re(^\* 1 \[running\], created at .*gdb_goroutines\.cpp:[0-9]+$)re");
  shows(R"re(^  2 "receiver" \[chan receive\], created at .*gdb_goroutines\.cpp:[0-9]+$)re");
  shows(R"re(^  3 "locker" \[sync\.Mutex\.Lock\], created at .*gdb_goroutines\.cpp:[0-9]+$)re");
  shows(R"re(^  4 "fresh" \[runnable\], created at .*gdb_goroutines\.cpp:[0-9]+$)re");
  const std::string receiver = between(e.out, "==receiver", "==locker");
  const std::string locker = between(e.out, "==locker", "==runs");
  const std::string runs = between(e.out, "==runs", "==own");
  const std::string own = between(e.out, "==own", "==end");
  EXPECT_NE(receiver.find("gdb_receives"), std::string::npos) << e.describe();
  EXPECT_NE(receiver.find("tenon_goroutine_start"), std::string::npos) << e.describe();
  EXPECT_EQ(receiver.find("gdb_traps"), std::string::npos) << e.describe();
  EXPECT_NE(locker.find("gdb_locks"), std::string::npos) << e.describe();
  EXPECT_NE(locker.find("tenon_goroutine_start"), std::string::npos) << e.describe();
  EXPECT_NE(runs.find("gdb_traps"), std::string::npos) << e.describe();
  // Afterwards gdb is where it was.
  EXPECT_NE(own.find("gdb_traps"), std::string::npos) << e.describe();
  EXPECT_EQ(own.find("gdb_locks"), std::string::npos) << e.describe();
}

bool gdb_is_of_use() { return !tenon_test::emulated() && !tenon_test::sanitized() && gdb_is_here(); }

// Go: runtime/runtime-gdb.py, "info goroutines" and "goroutine N bt"
TEST(GdbGoroutines, AreListedWithTheirStacksInAProgramThatRuns) {
  if (!gdb_is_of_use()) GTEST_SKIP() << "no gdb, or nothing that it can read";
  std::vector<std::string> commands = {"run"};
  commands.insert(commands.end(), look_in.begin(), look_in.end());
  commands.emplace_back("kill");
  const ending e = gdb(commands, {"--args", tenon_test::program_command("gdb_goroutines").front()});
  if (e.err.find("ptrace") != std::string::npos) GTEST_SKIP() << "programs may not be traced here: " << e.err;
  expect_goroutines(e);
}

TEST(GdbGoroutines, AreListedWithTheirStacksInACore) {
  if (!gdb_is_of_use()) GTEST_SKIP() << "no gdb, or nothing that it can read";
  const std::string program = tenon_test::program_command("gdb_goroutines").front();
  std::string pattern;
  std::getline(std::ifstream("/proc/sys/kernel/core_pattern"), pattern);
  if (pattern.empty() || pattern.find_first_of("|/") != std::string::npos) GTEST_SKIP() << "cores go to " << pattern;
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "tenon_gdb_goroutines";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  (void)tenon_test::program({"sh", "-c", "cd \"$0\" && ulimit -c unlimited && exec \"$1\"", folder, program}).finish();
  if (std::filesystem::is_empty(folder)) GTEST_SKIP() << "no core is written here";
  expect_goroutines(gdb(look_in, {program, std::filesystem::directory_iterator(folder)->path()}));
  std::filesystem::remove_all(folder);
}

TEST(GdbGoroutines, AreListedInAStrippedProgram) {
  if (!gdb_is_of_use()) GTEST_SKIP() << "no gdb, or nothing that it can read";
  const std::string stripped = testing::TempDir() + "tenon_gdb_stripped";
  const std::string program = tenon_test::program_command("gdb_goroutines").front();
  ASSERT_EQ(tenon_test::program({"strip", "-o", stripped, program}).finish().status, 0);
  std::vector<std::string> commands = {"run"};
  commands.insert(commands.end(), look_in.begin(), look_in.end());
  commands.emplace_back("kill");
  const ending e = gdb(commands, {"--args", stripped});
  std::filesystem::remove(stripped);
  if (e.err.find("ptrace") != std::string::npos) GTEST_SKIP() << "programs may not be traced here: " << e.err;
  EXPECT_TRUE(
      tenon_test::has_line(e.out, R"re(^  2 "receiver" \[chan receive\], created at .*gdb_goroutines\.cpp:[0-9]+$)re"))
      << e.describe();
  EXPECT_TRUE(tenon_test::has_line(between(e.out, "==receiver", "==locker"), "^#[5-9] ")) << e.describe();
}

TEST(GdbGoroutines, WhatIsAskedForInVainIsSaid) {
  if (!gdb_is_of_use()) GTEST_SKIP() << "no gdb, or nothing that it can read";
  const ending e = gdb({"run", "source " TENON_SOURCE_DIR "/tools/gdb/tenon.py", "goroutine 99 bt", "goroutine x bt",
                        "goroutine", "goroutine 4 bt", "kill"},
                       {"--args", tenon_test::program_command("gdb_goroutines").front()});
  if (e.err.find("ptrace") != std::string::npos) GTEST_SKIP() << "programs may not be traced here: " << e.err;
  for (const char* words : {"there is no goroutine 99", "\"x\" is not the number of one", "usage: goroutine N COMMAND",
                            "goroutine 4 has not run yet"}) {
    EXPECT_NE(e.err.find(words), std::string::npos) << words << "\n" << e.describe();
  }
}

// Go: runtime/runtime-gdb_test.go TestGdbBacktrace
TEST(Gdb, SeesAGoroutinesStackToItsEnd) {
  if (tenon_test::emulated()) GTEST_SKIP() << "a debugger of this machine does not read another processor's programs";
  if (tenon_test::sanitized()) GTEST_SKIP() << "a debugger and a sanitizer get in each other's way";
  if (!gdb_is_here()) GTEST_SKIP() << "no gdb on PATH";
  std::vector<std::string> command = {
      "gdb", "-nx", "-batch", "-ex", "set debuginfod enabled off", "-ex", "run", "-ex", "bt", "-ex", "kill", "--args"};
  for (const std::string& word : tenon_test::program_command("gdb_stop")) command.push_back(word);
  tenon_test::program p(command);
  const ending& e = p.finish();
  if (e.err.find("ptrace") != std::string::npos && e.out.find("SIGTRAP") == std::string::npos) {
    GTEST_SKIP() << "programs may not be traced here: " << e.err;
  }
  const std::size_t inner = e.out.find("gdb_user_inner");
  const std::size_t outer = e.out.find("gdb_user_outer");
  const std::size_t entry = e.out.find("tenon_goroutine_start");
  ASSERT_NE(inner, std::string::npos) << e.describe();
  ASSERT_NE(outer, std::string::npos) << e.describe();
  ASSERT_NE(entry, std::string::npos) << e.describe();
  EXPECT_LT(inner, outer) << e.describe();
  EXPECT_LT(outer, entry) << e.describe();
  // Nothing is below the start, and gdb is content with that.
  const std::string below = e.out.substr(e.out.find('\n', entry) + 1);
  EXPECT_NE(below.rfind("#", 0), 0U) << "a frame below the start\n" << e.describe();
  for (const char* complaint : {"corrupt stack", "previous frame", "Cannot access memory", "?? ()"}) {
    EXPECT_EQ((e.out + e.err).find(complaint), std::string::npos) << complaint << "\n" << e.describe();
  }
}

}  // namespace
