#include "sim/strategy.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/chooser.hpp"
#include "base/fatal.hpp"

namespace tenon::detail {

namespace {

constexpr std::uint32_t time_odds = 8;

/// Independent of its neighbours: seeds in a row give related streams otherwise.
random_source source_of(std::uint64_t seed, std::uint64_t schedule) noexcept {
  std::uint64_t z = seed + (schedule + 1) * 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return random_source(z ^ (z >> 31U));
}

/// Writes as much as there is room for.
class text_writer {
 public:
  text_writer(char* to, std::size_t size) noexcept : at_(to), end_(to + size - 1) { *at_ = '\0'; }

  text_writer& operator<<(char c) noexcept {
    if (at_ == end_) return *this;
    *at_++ = c;
    *at_ = '\0';
    return *this;
  }
  text_writer& operator<<(std::uint64_t n) noexcept {
    char digits[20];
    const auto [end, failed] = std::to_chars(digits, digits + sizeof digits, n);
    for (const char* d = digits; d != end; ++d) *this << *d;
    return *this;
  }

 private:
  char* at_;
  char* end_;
};

// ---------------------------------------------------------------- random

class random_walk final : public strategy {
 public:
  random_walk(std::uint64_t seed, std::uint64_t first, bool only_one)
      : seed_(seed), next_(first), left_(only_one ? 1 : ~std::uint64_t{0}) {}

  bool begin() override {
    if (left_ == 0) return false;
    --left_;
    choices_ = source_of(seed_, next_++);
    return true;
  }

  std::uint32_t pick(const alternatives& next) override {
    if (!next.time) return choices_.below(next.n);
    if (choices_.below(time_odds) == 0) return next.n - 1;
    return choices_.below(next.n - 1);
  }

  std::uint32_t choose(std::uint32_t n) override { return choices_.below(n); }
  void yielded(std::uint32_t) override {}

  void replay(char* to, std::size_t size) const noexcept override {
    text_writer(to, size) << 'r' << seed_ << '.' << next_;
  }

 private:
  std::uint64_t seed_;
  std::uint64_t next_;
  std::uint64_t left_;
  random_source choices_{1};
};

// ---------------------------------------------------------------- priorities

class priorities final : public strategy {
 public:
  struct one {
    std::uint64_t schedule;
    std::uint32_t steps;
  };
  priorities(std::uint64_t seed, unsigned depth, std::optional<one> only)
      : seed_(seed), depth_(std::max(depth, 1U)), next_(only ? only->schedule : 0), only_(only) {}

  bool begin() override {
    if (only_ && begun_) return false;
    begun_ = true;
    most_steps_ = only_ ? only_->steps : std::max(most_steps_, steps_);
    choices_ = source_of(seed_, next_++);
    steps_ = 0;
    lowest_ = 0;
    priority_.clear();
    changes_.clear();
    for (unsigned i = 1; i < depth_; ++i) changes_.push_back(choices_.below(std::max(most_steps_, 1U)));
    std::sort(changes_.begin(), changes_.end());
    return true;
  }

  std::uint32_t pick(const alternatives& next) override {
    const std::uint32_t goroutines = next.n - (next.time ? 1 : 0);
    const std::uint32_t first = best(next.who, goroutines);
    if (!std::binary_search(changes_.begin(), changes_.end(), steps_++)) return first;
    if (next.time && choices_.below(2) == 0) return next.n - 1;
    of(next.who[first]) = --lowest_;
    return best(next.who, goroutines);
  }

  std::uint32_t choose(std::uint32_t n) override { return choices_.below(n); }
  void yielded(std::uint32_t who) override { of(who) = --lowest_; }

  void replay(char* to, std::size_t size) const noexcept override {
    text_writer(to, size) << 'p' << seed_ << '.' << next_ << '.' << std::uint64_t{most_steps_} << '.'
                          << std::uint64_t{depth_};
  }

 private:
  /// Above all that have been lowered.
  std::int64_t fresh() noexcept { return 1 + static_cast<std::int64_t>(choices_.below(~std::uint32_t{0})); }

  std::int64_t& of(std::uint32_t who) {
    if (who >= priority_.size()) priority_.resize(who + 1, 0);
    if (priority_[who] == 0) priority_[who] = fresh();
    return priority_[who];
  }

  std::uint32_t best(const std::uint32_t* who, std::uint32_t n) {
    std::uint32_t first = 0;
    for (std::uint32_t i = 1; i < n; ++i) {
      if (of(who[i]) > of(who[first])) first = i;
    }
    return first;
  }

  std::uint64_t seed_;
  unsigned depth_;
  std::uint64_t next_;
  std::optional<one> only_;
  bool begun_ = false;
  random_source choices_{1};
  std::uint32_t steps_ = 0;
  std::uint32_t most_steps_ = 0;  // of the schedules before: where changes may fall
  std::int64_t lowest_ = 0;
  std::vector<std::int64_t> priority_;  // by number; 0: none yet
  std::vector<std::uint32_t> changes_;
};

// ---------------------------------------------------------------- exhaustive

/// A choice on the way to where the schedule is.
struct branch {
  std::uint32_t taken;
  std::uint32_t n;
  std::uint32_t free;  // this many of the first alternatives cost nothing, each of the others a preemption
  unsigned used;       // preemptions before it
};

/// Choices other than 0, each with the number of zeros before it.
void write_path(const branch* path, std::size_t n, char* to, std::size_t size) noexcept {
  text_writer text(to, size);
  text << 'x';
  bool first = true;
  std::uint64_t zeros = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (path[i].taken == 0) {
      ++zeros;
      continue;
    }
    if (!first) text << '-';
    text << zeros << '.' << std::uint64_t{path[i].taken};
    first = false;
    zeros = 0;
  }
}

class exhaustive final : public strategy {
 public:
  exhaustive(unsigned preemptions, bool prune) : most_(preemptions), prune_(prune) {}

  bool begin() override {
    if (begun_ && !advance()) {
      if (bound_ == most_ || !cut_) return false;
      ++bound_;
      cut_ = false;
      path_.clear();
      met_.clear();
    }
    begun_ = true;
    depth_ = 0;
    used_ = 0;
    known_ = false;
    return true;
  }

  std::uint32_t pick(const alternatives& next) override {
    const std::uint32_t can_go = next.n - (next.time ? 1 : 0);
    return at(next.n, next.may_stay ? 1 : can_go, &next.state);
  }

  std::uint32_t choose(std::uint32_t n) override { return at(n, n, nullptr); }
  void yielded(std::uint32_t) override {}
  void replay(char* to, std::size_t size) const noexcept override { write_path(path_.data(), path_.size(), to, size); }
  [[nodiscard]] std::size_t pruned() const override { return pruned_; }

 private:
  std::uint32_t at(std::uint32_t n, std::uint32_t free, const std::uint64_t* state) {
    if (n == 1) return 0;
    if (depth_ == path_.size()) {
      if (!known_ && prune_ && state != nullptr && !is_new(*state)) {
        known_ = true;
        ++pruned_;
      }
      // What follows a known state has been explored from there: to its end by the way that costs nothing.
      if (known_) return 0;
      path_.push_back({0, n, free, used_});
    }
    const branch& b = path_[depth_++];
    if (b.n != n) {
      fatal(
          "tenon: explore: the program does not repeat itself: it met other choices after the same ones. What it does must depend on "
          "the order of its goroutines alone: not on time of its own, random numbers, addresses or what an earlier schedule left behind");
    }
    if (b.taken >= free) ++used_;
    return b.taken;
  }

  bool is_new(std::uint64_t state) {
    const unsigned left = bound_ - used_;
    const auto [it, fresh] = met_.try_emplace(state, left);
    if (fresh) return true;
    if (it->second >= left) return false;
    it->second = left;
    return true;
  }

  /// To the next path within the bound, by depth first.
  bool advance() {
    while (!path_.empty()) {
      branch& b = path_.back();
      if (b.taken + 1 < b.n) {
        if (b.taken + 1 < b.free || b.used < bound_) {
          ++b.taken;
          return true;
        }
        cut_ = true;
      }
      path_.pop_back();
    }
    return false;
  }

  const unsigned most_;
  const bool prune_;
  unsigned bound_ = 0;
  bool begun_ = false;
  bool cut_ = false;  // the bound has kept a schedule out
  std::vector<branch> path_;
  std::size_t depth_ = 0;  // how many of path_ this schedule has taken
  unsigned used_ = 0;      // preemptions so far
  bool known_ = false;     // the state has been met before
  std::size_t pruned_ = 0;
  std::unordered_map<std::uint64_t, unsigned> met_;  // with how many preemptions left
};

/// The choices that a schedule of `exhaustive` took.
class fixed_path final : public strategy {
 public:
  explicit fixed_path(const std::vector<std::uint32_t>& path) {
    for (const std::uint32_t i : path) path_.push_back({i, 0, 0, 0});
  }

  bool begin() override { return !std::exchange(begun_, true); }
  std::uint32_t pick(const alternatives& next) override { return take(next.n); }
  std::uint32_t choose(std::uint32_t n) override { return take(n); }
  void yielded(std::uint32_t) override {}
  void replay(char* to, std::size_t size) const noexcept override { write_path(path_.data(), path_.size(), to, size); }

 private:
  std::uint32_t take(std::uint32_t n) {
    if (n == 1 || at_ == path_.size()) return 0;
    const std::uint32_t i = path_[at_++].taken;
    if (i >= n) fatal("tenon: TENON_REPLAY: the program has other choices than the one that it was printed for");
    return i;
  }

  std::vector<branch> path_;
  std::size_t at_ = 0;
  bool begun_ = false;
};

/// Numbers with single characters between them.
bool read_numbers(std::string_view text, std::string_view separators, std::vector<std::uint64_t>& numbers) {
  for (std::size_t i = 0;; ++i) {
    std::uint64_t n = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (failed != std::errc{}) return false;
    numbers.push_back(n);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.empty()) return true;
    if (text.front() != separators[i % separators.size()]) return false;
    text.remove_prefix(1);
  }
}

}  // namespace

std::unique_ptr<strategy> make_random(std::uint64_t seed) { return std::make_unique<random_walk>(seed, 0, false); }

std::unique_ptr<strategy> make_priorities(std::uint64_t seed, unsigned depth) {
  return std::make_unique<priorities>(seed, depth, std::nullopt);
}

std::unique_ptr<strategy> make_exhaustive(unsigned preemptions, bool prune) {
  return std::make_unique<exhaustive>(preemptions, prune);
}

std::unique_ptr<strategy> make_replay(const std::string& text) {
  constexpr std::size_t longest_path = 10'000'000;
  if (text.empty()) return nullptr;
  std::vector<std::uint64_t> n;
  if (text == "x") return std::make_unique<fixed_path>(std::vector<std::uint32_t>());
  if (!read_numbers(std::string_view(text).substr(1), text[0] == 'x' ? ".-" : ".", n)) return nullptr;
  switch (text[0]) {
    case 'r':
      if (n.size() != 2 || n[1] == 0) return nullptr;
      return std::make_unique<random_walk>(n[0], n[1] - 1, true);
    case 'p':
      if (n.size() != 4 || n[1] == 0 || n[2] > ~std::uint32_t{0} || n[3] > 1000) return nullptr;
      return std::make_unique<priorities>(n[0], static_cast<unsigned>(n[3]),
                                          priorities::one{n[1] - 1, static_cast<std::uint32_t>(n[2])});
    case 'x': {
      if (n.size() % 2 != 0) return nullptr;
      std::vector<std::uint32_t> path;
      for (std::size_t i = 0; i < n.size(); i += 2) {
        if (n[i] > longest_path - path.size() || n[i + 1] > ~std::uint32_t{0}) return nullptr;
        path.resize(path.size() + n[i], 0);
        path.push_back(static_cast<std::uint32_t>(n[i + 1]));
      }
      return std::make_unique<fixed_path>(path);
    }
    default: return nullptr;
  }
}

}  // namespace tenon::detail
