// A program that goes on running, with its pipes as streams: questions go in, answers come out.
//
// Notice: the pipes are streams like sockets, with `read_until` and `write_all`; `in.close()` is the end of its input; the writer is a goroutine of its own, since a
// program that answers at length stops reading when its answers are not taken.

#include <iostream>
#include <string>
#include <utility>

#include <tenon/os/os.hpp>
#include <tenon/tenon.hpp>

namespace tn = tenon;

// [snippet]
tn::error number_lines(const tn::context& ctx, int lines) {
  using tn::os::stdio;
  auto p = tn::os::command(ctx, {"cat", "-n"}, {.in = stdio::pipe, .out = stdio::pipe}).start();
  if (!p) return p.err();

  tn::group g(ctx);
  g.go([lines, in = std::move(p->in)](const tn::context& c) mutable -> tn::error {
    for (int i = 0; i < lines; ++i) {
      if (tn::error e = in.write_all(c, "line " + std::to_string(i * i) + "\n")) return e;
    }
    return in.close();
  });

  for (;;) {
    auto line = p->out.read_until(ctx, "\n");
    if (line.err() == tn::net::eof()) break;
    if (!line) return line.err();
    std::cout << line->substr(line->find_first_not_of(' '));
  }
  if (tn::error e = g.wait()) return e;
  auto how = p->wait();
  return how ? how->err("cat") : how.err();
}
// [/snippet]

int main() {
  return tn::run([](const tn::context& root) { return number_lines(root, 4); });
}
