// Guide: "Rules", 1: synchronous by default.
//
// `word_count` is a plain function: it takes a value, returns a value, may throw, and knows nothing of goroutines.
// Notice: the caller adds the concurrency in one word, and results and exceptions come back as if it had called the
// function itself.

#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <tenon/tenon.hpp>

namespace tn = tenon;

// [snippet]
int word_count(const std::string& text) {
  if (text.empty()) throw std::invalid_argument("no text");
  std::istringstream in(text);
  int n = 0;
  for (std::string word; in >> word;) ++n;
  return n;
}
// [/snippet]

int main() {
  std::cout << "as a function: " << word_count("no runtime needed") << '\n';

  return tn::run([] {
    const std::vector<std::string> texts = {"one", "two words", "", "and three words"};
    // [snippet]
    std::vector<tn::goroutine<int>> counts;
    for (const std::string& text : texts) counts.push_back(tn::go(word_count, text));
    for (auto& count : counts) {
      try {
        std::cout << count.join() << '\n';
      } catch (const std::invalid_argument& e) {
        std::cout << e.what() << '\n';
      }
    }
    // [/snippet]
  });
}
