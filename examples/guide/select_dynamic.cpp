// Guide: "Nil Channels", for a number of channels known only at run time.
//
// Notice: the cases stand in a vector, and `select` takes a span of pointers to them and returns which one fired. Go
// needs its `reflect` package for this. Cases do not move while they are pointed to, so the vector is filled first.

#include <iostream>
#include <string>
#include <vector>

#include <tenon/tenon.hpp>

namespace tn = tenon;

// [snippet]
/// How many values each of the channels gave before it ended.
std::vector<int> count_each(const tn::context& ctx, const std::vector<tn::recv_chan<std::string>>& ins) {
  std::vector<tn::recv_case<std::string>> next;
  for (const auto& in : ins) next.push_back(tn::recv(in));
  auto stop = tn::recv(ctx.done());
  std::vector<tn::select_case*> cases;
  for (auto& one : next) cases.push_back(&one);
  cases.push_back(&stop);

  std::vector<int> counts(ins.size());
  for (std::size_t open = ins.size(); open > 0;) {
    const std::size_t fired = tn::select(cases);
    if (stop) break;
    if (next[fired].closed()) {
      next[fired].disable();
      --open;
    } else {
      ++counts[fired];
    }
  }
  return counts;
}
// [/snippet]

int main() {
  return tn::run([](tn::group& g) {
    std::vector<tn::recv_chan<std::string>> ins;
    for (int i = 1; i <= 5; ++i) {
      ins.push_back(g.produce<std::string>([i](tn::sender<std::string>& out) {
        for (int n = 0; n < 10 * i; ++n) out.send("plank");
      }));
    }
    for (int n : count_each(g.ctx(), ins)) std::cout << n << '\n';
  });
}
