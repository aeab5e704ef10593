// Guide: "Mutexes".
//
// The four rules. Notice: a named member and no base class; valid as it is, without any initialisation; no copies,
// which the compiler sees to, also for the class around it; and the unlock is the end of a scope.

#include <iostream>
#include <map>
#include <mutex>
#include <string>
#include <type_traits>

#include <tenon/tenon.hpp>

// [snippet]
class safe_map {
 public:
  [[nodiscard]] std::string get(const std::string& key) const {
    const std::lock_guard hold(mu_);  // unlocks on every way out, exceptions included
    const auto at = data_.find(key);
    return at == data_.end() ? "" : at->second;
  }
  void set(const std::string& key, std::string value) {
    const std::lock_guard hold(mu_);
    data_[key] = std::move(value);
  }

 private:
  mutable tenon::mutex mu_;  // protects data_
  std::map<std::string, std::string> data_;
};

static_assert(!std::is_copy_constructible_v<tenon::mutex> && !std::is_copy_assignable_v<tenon::mutex>);
static_assert(!std::is_copy_constructible_v<safe_map>, "whoever has a mutex cannot be copied either");
// [/snippet]

int main() {
  tenon::run([](tenon::context) {
    safe_map m;
    {
      tenon::wait_group writers;
      for (int i = 0; i < 10; ++i) {
        writers.go([&m, i] { m.set("key" + std::to_string(i), "value" + std::to_string(i)); });
      }
    }  // the group's destructor waits
    std::cout << m.get("key0") << ' ' << m.get("key9") << " '" << m.get("key10") << "'\n";
  });
}
