// Guide: "Channels vs Mutexes", third row: a channel hands the ownership of a resource on.
//
// Two buffers go round between a reader, who fills them, and a writer, who empties them. Notice: a buffer is a
// `unique_ptr`, so the channel cannot copy it. Whoever has sent it has it no more: that two goroutines use one buffer
// at the same time is not a rule to remember but a thing that cannot be written.

#include <iostream>
#include <memory>
#include <string>

#include <tenon/tenon.hpp>

using buffer = std::unique_ptr<std::string>;

int main() {
  tenon::run([](tenon::context) {
    // [snippet]
    const auto empty = tenon::make_chan<buffer>(2, "there are two buffers");
    const auto full = tenon::make_chan<buffer>();
    for (int i = 0; i < 2; ++i) empty.send(std::make_unique<std::string>());

    auto reader = tenon::go([&empty, out = tenon::sender(full)] {
      bool gave_up_every_one = true;
      for (const char* text : {"measure", "mark", "saw", "chisel", "fit"}) {
        buffer b = *empty.recv();
        b->assign(text);
        out.send(std::move(b));
        gave_up_every_one &= b == nullptr;
      }
      return gave_up_every_one;
    });

    std::size_t written = 0;
    for (buffer b : full) {
      written += b->size();
      std::cout << *b << '\n';
      empty.send(std::move(b));  // back to the reader
    }
    // [/snippet]
    std::cout << written << " bytes; the reader kept a buffer: " << (reader.join() ? "no" : "yes")
              << "; buffers at rest: " << empty.len() << '\n';
  });
}
