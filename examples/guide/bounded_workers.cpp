// Guide: "Bounded Parallelism".
//
// Twenty workers digest the files of a tree that the program makes first. Notice: the number of goroutines does not
// depend on the number of files; each wait ends when the group's context is canceled; reading is wrapped in
// `blocking`, so that a slow disk stops nobody else. bounded_pipeline.cpp leaves all of this to `tn::pipeline`.

#include <iostream>
#include <map>
#include <utility>

#include <tenon/tenon.hpp>

#include "temporary_tree.hpp"

namespace tn = tenon;
namespace fs = std::filesystem;

using result = std::pair<fs::path, std::uint64_t>;

// [snippet]
tn::recv_chan<fs::path> walk_files(tn::group& g, fs::path root) {
  return g.produce<fs::path>([=](tn::sender<fs::path>& out, tn::context ctx) {
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      if (entry.is_regular_file() && !out.send(ctx, entry.path())) break;
    }
    return ctx.err();
  });
}

tn::recv_chan<result> digest_files(tn::group& g, int workers, tn::recv_chan<fs::path> paths) {
  return g.produce_n<result>(workers, [=](tn::sender<result>& out, tn::context ctx) {
    for (const fs::path& path : paths.range(ctx)) {
      const std::string data = tn::blocking(read_file, path);  // throws: cancels the group
      if (!out.send(ctx, {path, fnv1a(data)})) break;
    }
    return ctx.err();
  });
}
// [/snippet]

int main() {
  const temporary_tree tree(40);
  return tn::run([&tree](tn::group& root) -> tn::error {
    // [snippet]
    tn::group g(root.ctx());
    std::map<fs::path, std::uint64_t> digests;
    for (const auto& [path, digest] : digest_files(g, 20, walk_files(g, tree.root()))) {
      digests[path.lexically_relative(tree.root())] = digest;
    }
    if (tn::error e = g.wait()) return e;
    // [/snippet]
    std::cout << digests.size() << " files\n" << std::hex;
    for (const char* name : {"dir0/file0", "dir1/file1", "dir4/file39"}) {
      std::cout << digests.at(name) << "  " << name << '\n';
    }
    return nullptr;
  });
}
