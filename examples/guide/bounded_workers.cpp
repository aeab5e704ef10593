// Guide: "Bounded Parallelism".
//
// Twenty workers digest the files of a tree that the program makes first. Notice: the number of goroutines does not
// depend on the number of files; each wait ends when the group's context is canceled; reading is wrapped in
// `blocking`, so that a slow disk stops nobody else. bounded_pipeline.cpp leaves all of this to `tenon::pipeline`.

#include <iostream>
#include <map>

#include <tenon/tenon.hpp>

#include "temporary_tree.hpp"

namespace fs = std::filesystem;

struct result {
  fs::path path;
  std::uint64_t digest = 0;
};

tenon::recv_chan<fs::path> walk_files(tenon::group& group, const fs::path& root) {
  const auto paths = tenon::make_chan<fs::path>();
  group.go([root, tx = tenon::sender(paths)](const tenon::context& ctx) {
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      if (entry.is_regular_file() && !tx.send(ctx, entry.path())) return;
    }
  });
  return paths;
}

int main() {
  const temporary_tree tree(40);
  tenon::run([&tree](tenon::context ctx) {
    // [snippet]
    constexpr int workers = 20;
    tenon::group group(ctx);
    const auto paths = walk_files(group, tree.root());
    const auto results = tenon::make_chan<result>();
    tenon::sender tx(results);
    for (int i = 0; i < workers; ++i) {
      group.go([tx, paths](const tenon::context& c) {
        while (auto path = paths.recv(c)) {
          const std::string data = tenon::blocking(read_file, *path);  // throws: cancels the group
          if (!tx.send(c, {*path, fnv1a(data)})) return;
        }
      });
    }
    tx.release();  // the workers hold the remaining copies: the last one closes

    std::map<fs::path, std::uint64_t> digests;
    for (result r : results) digests[r.path.lexically_relative(tree.root())] = r.digest;
    if (tenon::error e = group.wait()) e.rethrow();
    // [/snippet]

    std::cout << digests.size() << " files\n" << std::hex;
    for (const char* name : {"dir0/file0", "dir1/file1", "dir4/file39"}) {
      std::cout << digests.at(name) << "  " << name << '\n';
    }
  });
}
