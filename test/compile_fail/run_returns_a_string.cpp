// expect: static assertion failed.*f returns nothing, an exit status or an error
// within: 6
// Go: func main has no arguments and no return value
#include <tenon/tenon.hpp>

int main() {
  return tenon::run([](tenon::group&) { return std::string("done"); });
}
