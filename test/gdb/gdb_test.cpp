// A debugger that stops in a goroutine sees the whole stack, from the user's function to the goroutine's start.

#include <gtest/gtest.h>

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
