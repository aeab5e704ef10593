#pragma once

/// What the programs of this folder share: `PROGRAM list` prints the names of the scenarios, `PROGRAM SCENARIO` runs one.

#include <exception>
#include <iostream>
#include <span>
#include <string>

#include <tenon/run.hpp>

namespace oracle {

/// As Go's fmt.Println.
template <class... A>
void println(const A&... a) {
  const char* space = "";
  ((std::cout << space << a, space = " "), ...);
  std::cout << std::endl;
}

/// What `f` threw, or as Go prints that there is nothing.
template <class F>
std::string panics(F&& f) {
  try {
    f();
    return "<nil>";
  } catch (const std::exception& e) {
    return e.what();
  }
}

struct scenario {
  const char* name;
  void (*body)();
};

inline int main_of(const char* program, std::span<const scenario> scenarios, int argc, char** argv) {
  std::cout << std::boolalpha;
  const std::string wanted = argc == 2 ? argv[1] : "";
  for (const scenario& s : scenarios) {
    if (wanted == "list") {
      std::cout << s.name << '\n';
    } else if (wanted == s.name) {
      tenon::run([&s](const tenon::context&) { s.body(); });
      return 0;
    }
  }
  if (wanted == "list") return 0;
  std::cerr << "usage: " << program << " list | SCENARIO\n";
  return 3;
}

}  // namespace oracle
