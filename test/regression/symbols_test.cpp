// What a frame's name tells, and the names that files' symbol tables give.

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "diag/symbol_table.hpp"
#include "diag/symbols.hpp"

namespace {

using tenon::diag::origin;

TEST(Symbols, TellWhoseAFunctionIs) {
  const std::pair<const char*, origin> names[] = {
      {"_ZN5tenon5mutex9lock_slowEPNS_6detail9chan_coreE", origin::tenon},
      {"_ZN5tenon6detail9run_ownedIZ4mainEUlvE_EEvPv", origin::internal},
      {"_ZNK5tenon12_GLOBAL__N_17on_quitEi", origin::internal},
      {"_ZN5tenon9backtraceEPPKvj", origin::internal},
      // A function of the program's, whatever its result and arguments are.
      {"_Z5fetchIiEN5tenon5errorET_", origin::program},
      {"_ZN4shop5fetchERN5tenon4chanIiEE", origin::program},
      {"_ZZN4shop4saleERN5tenon4chanIiEEENKUlvE_clEv", origin::program},
      {"_ZL6staticv", origin::program},
      {"_ZN10tenon_shop5fetchEv", origin::program},
      // What is local to one of the library's is the library's.
      {"_ZZN5tenon5group2goIZ4mainEUlvE_EEvOT_ENKUlvE_clEv", origin::tenon},
      {"_ZNSt10lock_guardIN5tenon5mutexEEC2ERS1_", origin::standard},
      {"_ZNKSt6vectorIiSaIiEE4sizeEv", origin::standard},
      {"_ZSt4sortIPiEvT_S1_", origin::standard},
      {"_ZNSs4swapERSs", origin::standard},
      {"_ZN9__gnu_cxx3fooEv", origin::standard},
      {"_ZSt13__invoke_implIvRZ4mainEUlvE_JEET_St14__invoke_otherOT0_DpOT1_", origin::internal},
      {"_ZSt6invokeIRZ4mainEUlvE_JEEvOT_DpOT0_", origin::internal},
      {"_ZThn16_N4shop4sale3endEv", origin::program},
      {"_ZThn16_N5tenon4sale3endEv", origin::tenon},
      {"_ZTv0_n24_NSt9basic_iosIcE3endEv", origin::standard},
  };
  for (const auto& [name, from] : names) {
    bool known = false;
    EXPECT_EQ(tenon::diag::origin_of(name, known), from) << name;
    EXPECT_TRUE(known) << name;
  }
  for (const char* name : {"main", "", "_Z", "_ZN", "_Z99x", "_ZN12_GLOBAL__N_14sendEv", "_ZT", "_ZTh", "_ZTv0_"}) {
    bool known = true;
    EXPECT_EQ(tenon::diag::origin_of(name, known), origin::program) << name;
    EXPECT_FALSE(known) << name;
  }
}

bool any_file(std::string_view) { return true; }

constexpr int line_of_next = __LINE__ + 1;
[[gnu::noinline]] int nobody_else_can_call_this(int n) { return n * 3; }

TEST(Symbols, OfOneFileOnlyAreInItsTable) {
  const auto address = reinterpret_cast<std::uintptr_t>(&nobody_else_can_call_this);
  const tenon::diag::table_entry entry = tenon::diag::look_up(address + 1, any_file);
  EXPECT_NE(entry.linkage_name.find("nobody_else_can_call_this"), std::string::npos) << entry.linkage_name;
  EXPECT_NE(entry.module.find("tenon_regression_tests"), std::string::npos) << entry.module;
  EXPECT_TRUE(entry.file.ends_with("/symbols_test.cpp")) << entry.file;
  EXPECT_EQ(entry.line, line_of_next);
  EXPECT_NE(entry.address, 0U);
  EXPECT_LE(entry.address, address + 1);
}

TEST(Symbols, OfSharedLibrariesAreFoundToo) {
  const tenon::diag::table_entry entry =
      tenon::diag::look_up(reinterpret_cast<std::uintptr_t>(&::getenv) + 1, any_file);
  EXPECT_NE(entry.linkage_name.find("getenv"), std::string::npos) << entry.linkage_name;
}

TEST(Symbols, OutsideOfEveryModuleThereAreNone) {
  const tenon::diag::table_entry entry = tenon::diag::look_up(16, any_file);
  EXPECT_EQ(entry.linkage_name, "");
  EXPECT_EQ(entry.module, "");
  EXPECT_EQ(entry.address, 16U);
  const auto symbols = tenon::diag::symbolize(reinterpret_cast<const void*>(17));
  ASSERT_EQ(symbols.size(), 1U);
  EXPECT_EQ(symbols[0].function, "");
  EXPECT_EQ(symbols[0].address, 16U);
}

}  // namespace
