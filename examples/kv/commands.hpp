#pragma once

// The commands: what each takes, does and replies.

#include "connection.hpp"

namespace kv {

struct commands {
  /// Adds the reply, if there is one, to the connection's output.
  static void carry_out(connection& c, const arguments& request);

 private:
  struct table;
};

}  // namespace kv
