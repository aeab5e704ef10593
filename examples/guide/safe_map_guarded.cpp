// Guide: "Mutexes", the SafeMap with `guarded`.
//
// The class of safe_map.cpp. Notice: there is no lock to forget, because the map cannot be reached without it, and no
// reference to the map that could leave: `with([](auto& m) -> auto& { return m; })` does not compile.

#include <iostream>
#include <map>
#include <string>

#include <tenon/tenon.hpp>

namespace tn = tenon;

// [snippet]
class safe_map {
 public:
  [[nodiscard]] std::string get(const std::string& key) const {
    return data_.with([&](const auto& m) {
      const auto at = m.find(key);
      return at == m.end() ? std::string() : at->second;
    });
  }
  void set(const std::string& key, std::string value) {
    data_.with([&](auto& m) { m[key] = std::move(value); });
  }

 private:
  tn::guarded<std::map<std::string, std::string>> data_;
};
// [/snippet]

int main() {
  return tn::run([](tn::context ctx) {
    safe_map m;
    tn::group writers(ctx);
    writers.go_n(10, [&m](int i) { m.set("key" + std::to_string(i), "value" + std::to_string(i)); });
    std::cout << writers.wait().message() << '\n';
    std::cout << m.get("key0") << ' ' << m.get("key9") << " '" << m.get("key10") << "'\n";
  });
}
