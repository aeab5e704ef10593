#pragma once

// What is to be written to a connection, by more than itself. Bounded in bytes: who does not read is found out. Thread-safe.

#include <cstddef>
#include <string>
#include <string_view>

#include <tenon/cond.hpp>
#include <tenon/context.hpp>
#include <tenon/error.hpp>
#include <tenon/mutex.hpp>

namespace kv {

class outbox {
 public:
  /// Adds `text`. False, and nothing is added, where the other side is `most` bytes behind. Never waits.
  bool try_put(std::string_view text);
  /// Waits for room if it is.
  tenon::error put(const tenon::context& ctx, std::string_view text);
  /// Waits until there is something, and takes it all, in place of what `all` has. False: it has been closed, and there is nothing left, or `ctx` has ended.
  bool take(const tenon::context& ctx, std::string& all);
  /// No more is put.
  void close();

 private:
  static constexpr std::size_t most = 8 << 20U;

  tenon::mutex mu_;
  tenon::cond room_;
  tenon::cond filled_;
  std::string text_;  // guarded by mu_, as is the next
  bool closed_ = false;
};

}  // namespace kv
