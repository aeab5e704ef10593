// Guide: "Channels vs Mutexes", third row: a channel hands the ownership of a resource on.
//
// Two buffers go round between a reader, who fills them, and a writer, who empties them. Notice: a buffer is a
// `unique_ptr`, so the channel cannot copy it. Whoever has sent it has it no more: that two goroutines use one buffer
// at the same time is not a rule to remember but a thing that cannot be written.

#include <iostream>
#include <memory>
#include <string>

#include <tenon/tenon.hpp>

namespace tn = tenon;

using buffer = std::unique_ptr<std::string>;

int main() {
  return tn::run([](tn::group& g) {
    // [snippet]
    const auto empty = tn::make_chan<buffer>(2, "there are two buffers");
    for (int i = 0; i < 2; ++i) empty.send(std::make_unique<std::string>());

    const auto full = g.produce<buffer>([=](tn::sender<buffer>& out) {  // the reader
      for (const char* text : {"measure", "mark", "saw", "chisel", "fit"}) {
        buffer b = *empty.recv();
        b->assign(text);
        out.send(std::move(b));
      }
    });

    std::size_t written = 0;
    for (buffer b : full) {  // the writer
      written += b->size();
      std::cout << *b << '\n';
      empty.send(std::move(b));
    }
    // [/snippet]
    std::cout << written << " bytes; buffers at rest: " << empty.len() << '\n';
  });
}
