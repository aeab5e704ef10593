#include "support/random.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

namespace tenon_test {

seed_in_use::seed_in_use(std::uint64_t otherwise) : seed_(otherwise) {
  if (const char* text = std::getenv("TENON_TEST_SEED")) seed_ = std::strtoull(text, nullptr, 0);
}

seed_in_use::~seed_in_use() {
  if (testing::Test::HasFailure()) {
    std::fprintf(stderr, "the seed was %#llx; TENON_TEST_SEED sets it\n", static_cast<unsigned long long>(seed_));
  }
}

}  // namespace tenon_test
