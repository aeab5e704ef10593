#include "printer.hpp"

#include <unistd.h>

namespace md5all {

printer::printer(const options& chosen, const std::atomic<std::uint64_t>& bytes)
    : bytes_(bytes),
      on_one_screen_(::isatty(STDOUT_FILENO) == 1),
      progress_(chosen.progress),
      lines_(STDOUT_FILENO, chosen.zero ? '\0' : '\n') {}

tn::error printer::print(const tn::context& ctx, const outcome& o) {
  if (!o.line) {
    ++failures_;
    progress_.clear();
    complain(o.line.err().message());
    return nullptr;
  }
  ++so_far_.files;
  lines_.add(*o.line);
  return lines_.wants_flush() ? flush(ctx) : nullptr;
}

tn::error printer::refresh(const tn::context& ctx) {
  if (tn::error e = flush(ctx)) return e;
  so_far_.bytes = bytes_;
  progress_.draw(so_far_);
  return nullptr;
}

tn::error printer::finish(const tn::context& ctx) {
  tn::error e = flush(ctx);
  progress_.clear();
  if (e) return e;
  return ctx.is_canceled() ? ctx.err() : lines_.finish();
}

tn::error printer::flush(const tn::context& ctx) {
  if (lines_.empty()) return nullptr;
  if (on_one_screen_) progress_.clear();
  return lines_.flush(ctx);
}

}  // namespace md5all
