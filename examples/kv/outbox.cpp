#include "outbox.hpp"

#include <mutex>

namespace kv {

bool outbox::try_put(std::string_view text) {
  const std::lock_guard hold(mu_);
  if (text_.size() >= most) return false;
  text_ += text;
  filled_.signal();
  return true;
}

tenon::error outbox::put(const tenon::context& ctx, std::string_view text) {
  std::unique_lock hold(mu_);
  if (!room_.wait(hold, ctx, [this] { return text_.size() < most; })) return ctx.err();
  text_ += text;
  filled_.signal();
  return nullptr;
}

bool outbox::take(const tenon::context& ctx, std::string& all) {
  all.clear();
  std::unique_lock hold(mu_);
  if (!filled_.wait(hold, ctx, [this] { return !text_.empty() || closed_; })) return false;
  all.swap(text_);
  room_.signal();  // the connection itself is the only one that waits
  return !all.empty();
}

void outbox::close() {
  const std::lock_guard hold(mu_);
  closed_ = true;
  filled_.signal();
}

}  // namespace kv
