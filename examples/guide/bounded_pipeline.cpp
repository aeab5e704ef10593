// Guide: "Bounded Parallelism", with `tn::pipeline`.
//
// The program of bounded_workers.cpp. Notice what is not there: no channel is made or closed, no goroutine started,
// no cancellation passed on; and the results come in the order of the files, although twenty workers make them.

#include <algorithm>
#include <iostream>
#include <vector>

#include <tenon/tenon.hpp>

#include "temporary_tree.hpp"

namespace tn = tenon;
namespace fs = std::filesystem;

struct result {
  std::string name;
  std::uint64_t digest = 0;
};

std::vector<fs::path> files_in(const fs::path& root) {
  std::vector<fs::path> all;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (entry.is_regular_file()) all.push_back(entry.path());
  }
  std::ranges::sort(all);
  return all;
}

int main() {
  const temporary_tree tree(40);
  return tn::run([&tree](tn::context ctx) -> tn::error {
    std::vector<result> sums;
    // [snippet]
    tn::pipeline p(ctx);
    const auto paths = p.generate(files_in(tree.root()));
    const auto digests = p.transform({.workers = 20}, paths, [](const fs::path& path) {
      return result{path.filename(), fnv1a(tn::blocking(read_file, path))};
    });
    p.for_each(digests, [&sums](const result& r) { sums.push_back(r); });
    if (tn::error e = p.wait()) return e;
    // [/snippet]

    std::cout << sums.size() << " files, the first and the last:\n" << std::hex;
    std::cout << sums.front().digest << "  " << sums.front().name << '\n';
    std::cout << sums.back().digest << "  " << sums.back().name << '\n';
    return nullptr;
  });
}
