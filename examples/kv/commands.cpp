#include "commands.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace kv {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using clock = store::clock;

/// The protocol's words are ASCII.
constexpr char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

bool is(std::string_view text, std::string_view word) { return std::ranges::equal(text, word, {}, upper); }

constexpr std::string_view not_a_number = "ERR value is not an integer or out of range";
constexpr std::string_view syntax = "ERR syntax error";

/// So long from now; nothing if that is beyond what the clock can say.
std::optional<store::time_point> from_now(std::int64_t n, milliseconds unit) {
  const store::time_point now = clock::now();
  const auto most = std::chrono::duration_cast<milliseconds>(store::never - now) / unit;
  if (n >= most || n <= -most) return {};
  return now + n * unit;
}

/// What is left, rounded up, in these units; -1: for ever, -2: no such key.
std::int64_t left(const std::optional<store::time_point>& expiry, milliseconds unit) {
  if (!expiry) return -2;
  if (*expiry == store::never) return -1;
  const auto rest = std::chrono::ceil<milliseconds>(*expiry - clock::now());
  return (rest + unit - milliseconds(1)) / unit;
}

}  // namespace

struct commands::table {
  using command = void (*)(connection&, const arguments&);
  /// The first eight characters of a name, in which no two are alike, as a number.
  static constexpr std::uint64_t prefix_of(std::string_view name) {
    std::uint64_t n = 0;
    for (const char ch : name.substr(0, 8)) n = n << 8U | static_cast<unsigned char>(upper(ch));
    return n;
  }
  struct row {
    std::string_view name;
    command f;
    std::size_t least;  // arguments, the name included
    std::size_t most;
    std::uint64_t prefix = prefix_of(name);
  };

  static void ping(connection& c, const arguments& a) {
    if (a.size() > 1) {
      add_text(c.out_, a[1]);
    } else {
      add_simple(c.out_, "PONG");
    }
  }
  static void echo(connection& c, const arguments& a) { add_text(c.out_, a[1]); }
  static void quit(connection& c, const arguments&) {
    add_simple(c.out_, "OK");
    c.quits_ = true;
  }
  static void ok(connection& c, const arguments&) { add_simple(c.out_, "OK"); }
  static void empty(connection& c, const arguments&) { add_array(c.out_, 0); }

  static void get(connection& c, const arguments& a) {
    c.db_.keys.with([&](store& keys) { add_value(c.out_, keys.get(a[1])); });
  }
  static void mget(connection& c, const arguments& a) {
    add_array(c.out_, a.size() - 1);
    c.db_.keys.with([&](store& keys) {
      for (std::size_t i = 1; i < a.size(); ++i) add_value(c.out_, keys.get(a[i]));
    });
  }
  static void mset(connection& c, const arguments& a) {
    if (a.size() % 2 == 0) return add_error(c.out_, "ERR wrong number of arguments for 'mset' command");
    c.db_.keys.with([&](store& keys) {
      for (std::size_t i = 1; i < a.size(); i += 2) keys.set(a[i], a[i + 1], store::never);
    });
    add_simple(c.out_, "OK");
  }

  // SET key value [NX|XX] [GET] [EX seconds|PX milliseconds|KEEPTTL]
  static void set(connection& c, const arguments& a) {
    bool only_new = false;
    bool only_old = false;
    bool wants_old = false;
    std::optional<store::time_point> expires = store::never;
    for (std::size_t i = 3; i < a.size(); ++i) {
      if (is(a[i], "NX")) {
        only_new = true;
      } else if (is(a[i], "XX")) {
        only_old = true;
      } else if (is(a[i], "GET")) {
        wants_old = true;
      } else if (is(a[i], "KEEPTTL")) {
        expires.reset();
      } else if ((is(a[i], "EX") || is(a[i], "PX")) && i + 1 < a.size()) {
        const auto n = to_number(a[i + 1]);
        if (!n) return add_error(c.out_, not_a_number);
        expires = from_now(*n, is(a[i], "EX") ? seconds(1) : milliseconds(1));
        if (*n <= 0 || !expires) return add_error(c.out_, "ERR invalid expire time in 'set' command");
        ++i;
      } else {
        return add_error(c.out_, syntax);
      }
    }
    if (only_new && only_old) return add_error(c.out_, syntax);
    c.db_.keys.with([&](store& keys) {
      const std::string* old = only_new || only_old || wants_old ? keys.get(a[1]) : nullptr;
      const bool set = !(only_new && old != nullptr) && !(only_old && old == nullptr);
      if (wants_old) {
        add_value(c.out_, old);
      } else if (set) {
        add_simple(c.out_, "OK");
      } else {
        add_nothing(c.out_);
      }
      if (set) keys.set(a[1], a[2], expires);
    });
  }

  static void del(connection& c, const arguments& a) {
    count(c, a, [](store& keys, std::string_view key) { return keys.remove(key); });
  }
  static void exists(connection& c, const arguments& a) {
    count(c, a, [](store& keys, std::string_view key) { return keys.get(key) != nullptr; });
  }
  static void append(connection& c, const arguments& a) {
    c.db_.keys.with([&](store& keys) {
      std::string& value = keys.change(a[1]);
      value += a[2];
      add_number(c.out_, static_cast<std::int64_t>(value.size()));
    });
  }
  static void strlen(connection& c, const arguments& a) {
    c.db_.keys.with([&](store& keys) {
      const std::string* value = keys.get(a[1]);
      add_number(c.out_, value != nullptr ? static_cast<std::int64_t>(value->size()) : 0);
    });
  }

  static void incr(connection& c, const arguments& a) { add(c, a[1], 1); }
  static void decr(connection& c, const arguments& a) { add(c, a[1], -1); }
  static void incrby(connection& c, const arguments& a) {
    const auto n = to_number(a[2]);
    n ? add(c, a[1], *n) : add_error(c.out_, not_a_number);
  }
  static void decrby(connection& c, const arguments& a) {
    const auto n = to_number(a[2]);
    n && *n != std::numeric_limits<std::int64_t>::min() ? add(c, a[1], -*n) : add_error(c.out_, not_a_number);
  }

  static void expire(connection& c, const arguments& a) { set_expiry(c, a, seconds(1)); }
  static void pexpire(connection& c, const arguments& a) { set_expiry(c, a, milliseconds(1)); }
  static void persist(connection& c, const arguments& a) {
    c.db_.keys.with([&](store& keys) {
      const auto old = keys.expiry(a[1]);
      const bool changes = old && *old != store::never;
      if (changes) (void)keys.expire(a[1], store::never);
      add_number(c.out_, changes ? 1 : 0);
    });
  }
  static void ttl(connection& c, const arguments& a) {
    c.db_.keys.with([&](store& keys) { add_number(c.out_, left(keys.expiry(a[1]), seconds(1))); });
  }
  static void pttl(connection& c, const arguments& a) {
    c.db_.keys.with([&](store& keys) { add_number(c.out_, left(keys.expiry(a[1]), milliseconds(1))); });
  }

  static void dbsize(connection& c, const arguments&) {
    c.db_.keys.with([&](store& keys) { add_number(c.out_, static_cast<std::int64_t>(keys.size())); });
  }
  static void flushall(connection& c, const arguments&) {
    c.db_.keys.with([](store& keys) { keys.clear(); });
    add_simple(c.out_, "OK");
  }
  static void info(connection& c, const arguments&) {
    c.count();
    add_text(c.out_, "# Stats\r\ntotal_commands_processed:" + std::to_string(c.db_.commands) + "\r\n");
  }
  // CONFIG GET name...: nothing is kept on disk.
  static void config(connection& c, const arguments& a) {
    if (!is(a[1], "GET")) return add_error(c.out_, "ERR only CONFIG GET is known");
    add_array(c.out_, 2 * (a.size() - 2));
    for (std::size_t i = 2; i < a.size(); ++i) {
      add_text(c.out_, a[i]);
      add_text(c.out_, is(a[i], "APPENDONLY") ? "no" : "");
    }
  }

  static void publish(connection& c, const arguments& a) {
    add_number(c.out_, static_cast<std::int64_t>(c.db_.channels.publish(a[1], a[2])));
  }
  static void subscribe(connection& c, const arguments& a) {
    for (std::size_t i = 1; i < a.size(); ++i) c.subscribe(a[i]);
  }
  static void unsubscribe(connection& c, const arguments& a) {
    for (std::size_t i = 1; i < a.size(); ++i) c.unsubscribe(a[i]);
    if (a.size() > 1) return;
    if (!c.subscriber_ || c.subscriber_->channels.empty()) {
      add_array(c.out_, 3);
      add_text(c.out_, "unsubscribe");
      add_nothing(c.out_);
      return add_number(c.out_, 0);
    }
    while (!c.subscriber_->channels.empty()) c.unsubscribe(std::string(*c.subscriber_->channels.begin()));
  }

  static const row* find(std::string_view name);

 private:
  static void add_value(std::string& out, const std::string* value) {
    value != nullptr ? add_text(out, *value) : add_nothing(out);
  }

  template <class F>
  static void count(connection& c, const arguments& a, F f) {
    c.db_.keys.with([&](store& keys) {
      add_number(c.out_, std::count_if(a.begin() + 1, a.end(), [&](std::string_view key) { return f(keys, key); }));
    });
  }

  static void add(connection& c, std::string_view key, std::int64_t n) {
    c.db_.keys.with([&](store& keys) {
      const std::string* old = keys.get(key);
      const auto value = old != nullptr ? to_number(*old) : 0;
      std::int64_t sum = 0;
      if (!value || __builtin_add_overflow(*value, n, &sum)) return add_error(c.out_, not_a_number);
      keys.change(key) = std::to_string(sum);
      add_number(c.out_, sum);
    });
  }

  static void set_expiry(connection& c, const arguments& a, milliseconds unit) {
    const auto n = to_number(a[2]);
    const auto when = n ? from_now(*n, unit) : std::nullopt;
    if (!when) return add_error(c.out_, not_a_number);
    c.db_.keys.with([&](store& keys) { add_number(c.out_, keys.expire(a[1], *when) ? 1 : 0); });
  }
};

const commands::table::row* commands::table::find(std::string_view name) {
  constexpr std::size_t any = std::numeric_limits<std::size_t>::max();
  static constexpr auto all = [] {
    auto rows = std::to_array<row>({
        {"PING", ping, 1, 2},
        {"ECHO", echo, 2, 2},
        {"QUIT", quit, 1, any},
        {"SELECT", ok, 2, 2},
        {"COMMAND", empty, 1, any},
        {"CLIENT", ok, 2, any},
        {"GET", get, 2, 2},
        {"MGET", mget, 2, any},
        {"SET", set, 3, any},
        {"MSET", mset, 3, any},
        {"DEL", del, 2, any},
        {"EXISTS", exists, 2, any},
        {"APPEND", append, 3, 3},
        {"STRLEN", strlen, 2, 2},
        {"INCR", incr, 2, 2},
        {"DECR", decr, 2, 2},
        {"INCRBY", incrby, 3, 3},
        {"DECRBY", decrby, 3, 3},
        {"EXPIRE", expire, 3, 3},
        {"PEXPIRE", pexpire, 3, 3},
        {"PERSIST", persist, 2, 2},
        {"TTL", ttl, 2, 2},
        {"PTTL", pttl, 2, 2},
        {"DBSIZE", dbsize, 1, 1},
        {"FLUSHALL", flushall, 1, 2},
        {"FLUSHDB", flushall, 1, 2},
        {"INFO", info, 1, any},
        {"CONFIG", config, 3, any},
        {"PUBLISH", publish, 3, 3},
        {"SUBSCRIBE", subscribe, 2, any},
        {"UNSUBSCRIBE", unsubscribe, 1, any},
    });
    std::ranges::sort(rows, {}, &row::prefix);
    return rows;
  }();
  const auto* const at = std::ranges::lower_bound(all, prefix_of(name), {}, &row::prefix);
  return at != all.end() && is(name, at->name) ? at : nullptr;
}

void commands::carry_out(connection& c, const arguments& request) {
  const table::row* row = table::find(request[0]);
  if (row != nullptr && request.size() >= row->least && request.size() <= row->most) return row->f(c, request);
  std::string name(request[0].substr(0, 64));
  std::ranges::replace_if(name, [](unsigned char ch) { return std::iscntrl(ch) != 0; }, '?');  // a reply is one line
  add_error(c.out_, row == nullptr ? "ERR unknown command '" + name + "'"
                                   : "ERR wrong number of arguments for '" + name + "' command");
}

}  // namespace kv
