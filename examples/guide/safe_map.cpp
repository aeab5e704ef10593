// Guide: "Mutexes", the SafeMap.
//
// A map and the mutex that protects it, in one class. Notice: every member locks, for as long as its scope lasts; and
// `get` returns a copy, since a reference would be used after the unlock. safe_map_guarded.cpp has the compiler see to
// both.

#include <iostream>
#include <map>
#include <mutex>
#include <string>

#include <tenon/tenon.hpp>

namespace tn = tenon;

// [snippet]
class safe_map {
 public:
  [[nodiscard]] std::string get(const std::string& key) const {
    const std::lock_guard hold(mu_);
    const auto at = data_.find(key);
    return at == data_.end() ? "" : at->second;
  }
  void set(const std::string& key, std::string value) {
    const std::lock_guard hold(mu_);
    data_[key] = std::move(value);
  }

 private:
  mutable tn::mutex mu_;  // protects data_
  std::map<std::string, std::string> data_;
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
