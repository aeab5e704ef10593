// The programs of Go's race detector (test/races/go_cases.hpp), in every order: the engine finds each race by the accesses alone, and none where
// there is none. So it is tested itself, by verdicts that are not its own. What it says of each stands in docs/races.md.

#include <gtest/gtest.h>

#include <cstdio>
#include <ostream>
#include <string>

#include "model/engine/model.hpp"
#include "model/programs.hpp"

namespace races {
using task = tenon::model::thread;
}
#include "races/go_cases.hpp"

namespace races {

inline void PrintTo(const race_case& c, std::ostream* out) { *out << (c.go_name == nullptr ? c.name : c.go_name); }

}  // namespace races

namespace model = tenon::model;

namespace {

std::string name_of_case(const testing::TestParamInfo<races::race_case>& info) { return info.param.name; }

}  // namespace

class Races : public testing::TestWithParam<races::race_case> {};

INSTANTIATE_TEST_SUITE_P(Go, Races, testing::ValuesIn(races::race_cases), name_of_case);

TEST_P(Races, AreFoundWhereThereAreAny) {
  const races::race_case& c = GetParam();
  if (!c.is_a_race) return model::expect_holds(model::memory_model::c11, c.run);
  model::prepare();
  const model::result r = model::explore(model::options_for(model::memory_model::c11), c.run);
  EXPECT_TRUE(r.found) << "in " << r.executions << " executions";
  EXPECT_TRUE(r.failure.starts_with("a race: ")) << r.report;
  std::printf("  execution %llu: %s\n", static_cast<unsigned long long>(r.executions), r.failure.c_str());
}
