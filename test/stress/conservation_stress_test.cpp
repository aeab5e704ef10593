// Ten million operations on channels by every way there is, while channels close, are nil and waits are canceled: nothing is lost
// and nothing comes twice, by count and by sum. With 1, 2 and 8 workers.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <tenon/tenon.hpp>

#include "stress/watchdog.hpp"
#include "support/random.hpp"
#include "support/scale.hpp"

namespace {

using tenon_test::random_source;
using tenon_test::seed_in_use;
using owned = std::unique_ptr<std::uint64_t>;

// ---- what is counted ------------------------------------------------------------------------------------------------

// Spreads a number over all bits, so that sums tell sets of numbers apart.
std::uint64_t spread(std::uint64_t number) { return random_source(number)(); }

struct tally {
  std::uint64_t sends = 0;
  std::uint64_t sent = 0;  // the sum, as the other one
  std::uint64_t receives = 0;
  std::uint64_t received = 0;

  void send(std::uint64_t number) {
    ++sends;
    sent += spread(number);
  }
  void receive(std::uint64_t number) {
    ++receives;
    received += spread(number);
  }
  void operator+=(const tally& other) {
    sends += other.sends;
    sent += other.sent;
    receives += other.receives;
    received += other.received;
  }
};

template <class T>
T value_for(std::uint64_t number);
template <>
int value_for<int>(std::uint64_t number) {
  return static_cast<int>(number);
}
template <>
owned value_for<owned>(std::uint64_t number) {
  return std::make_unique<std::uint64_t>(number);
}
std::uint64_t number_of(int value) { return static_cast<std::uint64_t>(value); }
std::uint64_t number_of(const owned& value) { return value == nullptr ? 0 : *value; }

// ---- the channels ---------------------------------------------------------------------------------------------------

template <class T>
struct lane {
  tenon::chan<T> c;
  std::atomic<bool> closed = false;  // set before it is closed, by whoever closes it
  tally left;                        // what was in it at the end

  explicit lane(std::int64_t capacity) : c(tenon::make_chan<T>(capacity, "a storm")) {}
  void close() {
    if (!closed.exchange(true)) c.close();
  }
  void drain() {
    while (const auto v = c.try_recv()) left.receive(number_of(*v));
    EXPECT_EQ(c.len(), 0U);
  }
};

struct season {
  std::array<lane<int>, 3> numbers{lane<int>(0), lane<int>(1), lane<int>(8)};
  std::array<lane<owned>, 3> owners{lane<owned>(0), lane<owned>(1), lane<owned>(8)};
  tenon::cancel_scope scope;
  bool may_cancel;
  std::atomic<unsigned> senders;

  season(const tenon::context& root, bool cancels, unsigned s)
      : scope(tenon::with_cancel(root)), may_cancel(cancels), senders(s) {}
  template <class F>
  void each_lane(F&& f) {
    for (auto& l : numbers) f(l);
    for (auto& l : owners) f(l);
  }
  void close_one(std::uint64_t which) { which < 3 ? numbers[which].close() : owners[which - 3].close(); }
};

// ---- one participant's side of a channel ----------------------------------------------------------------------------

// Its cases are made once and used again and again: disabled, moved, given another value.
class port {
 public:
  port() = default;
  port(const port&) = delete;
  port& operator=(const port&) = delete;
  virtual ~port() = default;
  virtual tenon::select_case& offer(std::uint64_t& next, random_source& random, bool may_be_nil) = 0;
  virtual tenon::select_case& ask(random_source& random, bool may_be_nil) = 0;
  virtual void settle() = 0;  // after the select
  virtual void send_alone(season& s, std::uint64_t& next, random_source& random) = 0;
  virtual void receive_alone(season& s, random_source& random) = 0;
  [[nodiscard]] bool is_dead() const { return dead_; }
  [[nodiscard]] const tally& counted() const { return mine_; }

 protected:
  tally mine_;
  bool dead_ = false;
};

template <class T>
class port_of final : public port {
 public:
  explicit port_of(lane<T>& l) : lane_(l), out_(tenon::send(l.c, value_for<T>(0))), in_(tenon::recv(l.c)) {
    (void)out_.take();
  }

  tenon::select_case& offer(std::uint64_t& next, random_source& random, bool may_be_nil) override {
    if (!offered_) {
      offered_ = next++;
      out_.set(value_for<T>(*offered_));
    }
    if (may_be_nil && random.one_in(16)) {
      T kept = out_.take();
      out_.disable();
      disabled_ = true;
      out_.set(std::move(kept));
    } else if (random.one_in(16)) {
      auto elsewhere = std::move(out_);
      out_ = std::move(elsewhere);
    }
    offering_ = true;
    return out_;
  }

  tenon::select_case& ask(random_source& random, bool may_be_nil) override {
    if (may_be_nil && random.one_in(16)) {
      in_.disable();
      disabled_ = true;
    } else if (random.one_in(16)) {
      auto elsewhere = std::move(in_);
      in_ = std::move(elsewhere);
    }
    asking_ = true;
    return in_;
  }

  void settle() override {
    if (offering_) {
      if (out_) {
        EXPECT_FALSE(disabled_);
        mine_.send(*offered_);
        offered_.reset();
      } else {
        T kept = out_.take();
        EXPECT_EQ(number_of(kept), *offered_) << "a value that was not sent is still there";
        if (disabled_) out_ = tenon::send(lane_.c, value_for<T>(0));
        out_.set(std::move(kept));
      }
    }
    if (asking_) {
      EXPECT_FALSE(in_ && disabled_);
      if (in_ && !in_.closed()) mine_.receive(number_of(*in_));
      if (disabled_) in_ = tenon::recv(lane_.c);
    }
    dead_ = dead_ || (in_ && in_.closed()) || (offering_ && lane_.closed);
    offering_ = asking_ = disabled_ = false;
  }

  void send_alone(season& s, std::uint64_t& next, random_source& random) override {
    const std::uint64_t number = next++;
    T value = value_for<T>(number);
    bool sent = true;
    try {
      switch (random.below(s.may_cancel ? 2 : 3)) {
        case 0: sent = lane_.c.send(s.scope.ctx(), std::move(value)); break;
        case 1: sent = lane_.c.try_send(std::move(value)); break;
        default: lane_.c.send(std::move(value));
      }
    } catch (const tenon::panic& p) {
      EXPECT_STREQ(p.what(), "send on closed channel");
      dead_ = true;
      return;
    }
    if (sent) {
      mine_.send(number);
    } else {
      EXPECT_EQ(number_of(value), number) << "a value that was not sent is still there";  // NOLINT: not moved from
    }
  }

  void receive_alone(season& s, random_source& random) override {
    std::optional<T> value;
    const std::uint64_t how = random.below(s.may_cancel ? 2 : 3);
    switch (how) {
      case 0: value = lane_.c.recv(s.scope.ctx()); break;
      case 1: value = lane_.c.try_recv(); break;
      default: value = lane_.c.recv();
    }
    if (value) {
      mine_.receive(number_of(*value));
    } else if (how == 2 || (how == 0 && !s.scope.ctx().is_canceled())) {
      dead_ = true;
    }
  }

 private:
  lane<T>& lane_;
  tenon::send_case<T> out_;
  tenon::recv_case<T> in_;
  std::optional<std::uint64_t> offered_;  // the number of what is in out_
  bool offering_ = false;
  bool asking_ = false;
  bool disabled_ = false;
};

// ---- participants ---------------------------------------------------------------------------------------------------

enum class role { sender, receiver, sweeper, mixer };

class participant {
 public:
  participant(season& s, role r, unsigned number, std::uint64_t seed)
      : season_(s),
        role_(r),
        random_(seed),
        next_((std::uint64_t{number} + 1) << 24U),
        stop_(tenon::recv(s.scope.ctx().done())) {
    s.each_lane([&]<class T>(lane<T>& l) { ports_.push_back(std::make_unique<port_of<T>>(l)); });
  }

  /// `step(n)` is called before each of a sender's operations.
  template <class F>
  void play(std::uint64_t operations, F&& step) {
    std::vector<port*> alive;
    for (std::uint64_t n = 0; role_ != role::sender || n < operations; ++n) {
      if (role_ == role::sender) step(n);
      alive.clear();
      for (const auto& p : ports_) {
        if (!p->is_dead()) alive.push_back(p.get());
      }
      if (alive.empty() || season_.scope.ctx().is_canceled()) break;
      if (role_ != role::sweeper && random_.one_in(3)) {
        port& p = *alive[random_.below(alive.size())];
        sends() ? p.send_alone(season_, next_, random_) : p.receive_alone(season_, random_);
      } else {
        select_some(alive);
      }
      if (random_.one_in(64)) tenon::yield();
    }
    if (role_ == role::sender && season_.senders.fetch_sub(1) == 1) {
      season_.each_lane([](auto& l) { l.close(); });
    }
  }

  template <class T>
  [[nodiscard]] tally counted() const {
    tally all;
    for (const auto& p : ports_) {
      if (dynamic_cast<const port_of<T>*>(p.get()) != nullptr) all += p->counted();
    }
    return all;
  }

 private:
  bool sends() { return role_ == role::sender || (role_ == role::mixer && random_.one_in(2)); }

  void select_some(std::vector<port*>& alive) {
    // A sweeper asks all of them, so that whatever the others wait for, their values are taken in the end.
    const std::size_t count = role_ == role::sweeper ? alive.size() : 1 + random_.below(alive.size());
    cases_.clear();
    for (std::size_t i = 0; i < count; ++i) {
      std::swap(alive[i], alive[i + random_.below(alive.size() - i)]);
      // One of them stays: a select of nothing but nil channels would never end.
      const bool may_be_nil = i != 0 && role_ != role::sweeper;
      cases_.push_back(sends() ? &alive[i]->offer(next_, random_, may_be_nil) : &alive[i]->ask(random_, may_be_nil));
    }
    const bool has_default = random_.one_in(role_ == role::sweeper ? 4 : 8);
    if (!has_default) cases_.push_back(&stop_);
    bool idle = role_ == role::sweeper;
    try {
      idle = has_default ? tenon::select(cases_, tenon::otherwise) == count : (tenon::select(cases_), false);
    } catch (const tenon::panic& p) {
      EXPECT_STREQ(p.what(), "send on closed channel");
    }
    for (std::size_t i = 0; i < count; ++i) alive[i]->settle();
    if (idle && random_.one_in(4)) tenon::yield();
  }

  season& season_;
  const role role_;
  random_source random_;
  std::uint64_t next_;
  std::vector<std::unique_ptr<port>> ports_;
  std::vector<tenon::select_case*> cases_;
  tenon::recv_case<void> stop_;
};

class Conservation : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(Workers, Conservation, testing::ValuesIn(tenon_test::worker_counts()),
                         testing::PrintToStringParamName());

TEST_P(Conservation, TenMillionOperationsOverRandomSelects) {
  const seed_in_use seed;
  const tenon_test::watchdog dog;
  constexpr std::array roles{role::sender,   role::sender,   role::sender,  role::sender, role::receiver,
                             role::receiver, role::receiver, role::sweeper, role::mixer,  role::mixer};
  const std::uint64_t wanted = tenon_test::scaled(10'000'000);
  const std::uint64_t each = std::min<std::uint64_t>(5000, wanted / 40);
  std::uint64_t done = 0;
  std::uint64_t seasons = 0;
  for (; done < wanted && !HasFailure(); ++seasons) {
    tenon::run(
        [&](const tenon::context& root) {
          random_source random(seed.of(seasons << 8U));
          season s(root, random.one_in(4), 4);
          std::vector<std::unique_ptr<participant>> all;
          for (unsigned i = 0; i < roles.size(); ++i) {
            all.push_back(std::make_unique<participant>(s, roles[i], i, seed.of((seasons << 8U) + 1 + i)));
          }
          // When the first sender comes there, one of the channels closes, or everything is canceled.
          const std::uint64_t close_at = random.one_in(3) ? random.below(each) : each;
          const std::uint64_t closed = random.below(6);
          const std::uint64_t cancel_at = s.may_cancel ? random.below(each) : each;
          tenon::wait_group wg;
          for (unsigned i = 0; i < roles.size(); ++i) {
            wg.go([&, i] {
              all[i]->play(each, [&](std::uint64_t n) {
                if (i != 0) return;
                if (n == close_at) s.close_one(closed);
                if (n == cancel_at) s.scope.cancel();
                if (n % 256 == 0) tenon_test::watchdog::step();
              });
            });
          }
          wg.wait();
          s.each_lane([](auto& l) { l.drain(); });
          tally numbers;
          tally owners;
          for (const auto& l : s.numbers) numbers += l.left;
          for (const auto& l : s.owners) owners += l.left;
          for (const auto& p : all) {
            numbers += p->counted<int>();
            owners += p->counted<owned>();
          }
          EXPECT_EQ(numbers.sends, numbers.receives) << "season " << seasons;
          EXPECT_EQ(numbers.sent, numbers.received) << "season " << seasons;
          EXPECT_EQ(owners.sends, owners.receives) << "season " << seasons;
          EXPECT_EQ(owners.sent, owners.received) << "season " << seasons;
          done += numbers.sends + numbers.receives + owners.sends + owners.receives;
        },
        {.workers = GetParam()});
  }
  RecordProperty("seasons", std::to_string(seasons));
  RecordProperty("operations", std::to_string(done));
}

}  // namespace
