#pragma once

// A directory with files to work on, removed at the end of the scope; and a small digest (FNV-1a).

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>

class temporary_tree {
 public:
  explicit temporary_tree(int files) {
    std::string name = (std::filesystem::temp_directory_path() / "tenon-guide-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    root_ = name;
    for (int i = 0; i < files; ++i) {
      const auto dir = root_ / ("dir" + std::to_string(i % 5));
      std::filesystem::create_directory(dir);
      std::ofstream(dir / ("file" + std::to_string(i))) << "this is file number " << i << '\n';
    }
  }
  temporary_tree(const temporary_tree&) = delete;
  temporary_tree& operator=(const temporary_tree&) = delete;
  ~temporary_tree() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& root() const { return root_; }

 private:
  std::filesystem::path root_;
};

inline std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t h = 0xcbf29ce484222325U;
  for (const unsigned char byte : text) h = (h ^ byte) * 0x100000001b3U;
  return h;
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.filename().string());
  return {std::istreambuf_iterator<char>(in), {}};
}
