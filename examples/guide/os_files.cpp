// Files: many at once, each read to its end in a goroutine that holds up no other.
//
// Notice: there is no pool of threads to size; a missing file is an error with its path, and ends the group; the folder goes away however the program ends.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <stdlib.h>

#include <tenon/os/os.hpp>
#include <tenon/tenon.hpp>

namespace tn = tenon;

// [snippet]
tn::result<std::int64_t> count_lines(const tn::context& ctx, const std::string& path) {
  auto f = tn::os::file::open(ctx, path);
  if (!f) return f.err();
  std::int64_t lines = 0;
  std::string block(64 * 1024, '\0');
  for (;;) {
    auto n = f->read_some(ctx, block);
    if (n.err() == tn::net::eof()) return lines;
    if (!n) return n.err();
    lines += std::count(block.begin(), block.begin() + static_cast<std::ptrdiff_t>(*n), '\n');
  }
}

tn::result<std::int64_t> count_all(const tn::context& ctx, const std::vector<std::string>& paths) {
  std::atomic<std::int64_t> sum = 0;
  tn::group g(ctx);
  for (const std::string& path : paths) {
    g.go([&sum, &path](const tn::context& c) {
      auto lines = count_lines(c, path);
      if (lines) sum += *lines;
      return lines.err();
    });
  }
  if (tn::error e = g.wait()) return e;
  return sum.load();
}
// [/snippet]

/// A folder that is removed in the end.
class folder {
 public:
  folder() {
    if (::mkdtemp(name_.data()) == nullptr) throw tn::panic("mkdtemp");
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  ~folder() { std::filesystem::remove_all(name_); }
  [[nodiscard]] std::string at(const std::string& name) const { return name_ + '/' + name; }

 private:
  std::string name_ = (std::filesystem::temp_directory_path() / "lines_XXXXXX").string();
};

int main() {
  return tn::run([](const tn::context& root) -> tn::error {
    const folder here;
    std::vector<std::string> paths;
    for (int i = 1; i <= 100; ++i) {
      paths.push_back(here.at("number " + std::to_string(i)));
      std::string text;
      for (int k = 0; k < i; ++k) text += "a line\n";
      if (tn::error e = tn::os::write_file(root, paths.back(), text)) return e;
    }
    auto sum = count_all(root, paths);
    if (!sum) return sum.err();
    std::cout << *sum << " lines\n";

    paths.push_back("/no/such/file");
    std::cout << count_all(root, paths).err().message() << '\n';
    return nullptr;
  });
}
