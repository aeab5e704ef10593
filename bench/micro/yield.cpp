#include <tenon/go.hpp>
#include <tenon/yield.hpp>

#include "harness.hpp"
#include "rows.hpp"

namespace bench {

void yield(std::int64_t n) {
  const auto yields = [n] {
    std::int64_t count = 0;
    for (std::int64_t i = 0; i < n / 2; ++i) {
      tenon::yield();
      ++count;
    }
    return count;
  };
  auto other = tenon::go(yields);
  const std::int64_t mine = yields();
  expect("the number of yields", mine + other.join(), n);
}

}  // namespace bench
