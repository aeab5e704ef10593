#pragma once

// Of these, both files of the program have `price`, and one has `weight`. The linker keeps one of the two, and by both
// files' debug information it is theirs: GCC 12's libbacktrace then finds nothing of what follows it in the file that
// has `weight`.

namespace shop {

inline int weight(int n) { return n * 2; }
inline int price(int n) { return n * 3; }

int price_of_a_dozen();

}  // namespace shop
