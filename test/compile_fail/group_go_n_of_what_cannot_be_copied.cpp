// expect: static assertion failed.*what f captures cannot be copied: capture a std::shared_ptr
// within: 6
#include <memory>

#include <tenon/tenon.hpp>

void f(tenon::group& g) {
  g.go_n(3, [p = std::make_unique<int>(1)](int) {});
}
