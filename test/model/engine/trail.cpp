#include "model/engine/trail.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace tenon::model {

namespace {
constexpr char letters[] = "ptrfo";  // of the kinds
}

void trail::search(unsigned preemptions, unsigned reads) noexcept {
  mode_ = mode::all;
  preemptions_ = preemptions;
  reads_ = reads;
  made_.clear();
}

void trail::at_random(std::uint32_t seed) noexcept {
  mode_ = mode::random;
  random_ = 0x9e3779b97f4a7c15U * (seed + std::uint64_t{1});
}

void trail::repeat(const std::string& decisions) {
  mode_ = mode::replay;
  const char* at = decisions.c_str();
  const auto number = [&at] {
    char* end = nullptr;
    const auto n = std::strtoul(at, &end, 10);
    at = end;
    return n;
  };
  while (const char* letter = std::strchr(letters, *at == '\0' ? '?' : *at)) {
    ++at;
    decision d{};
    d.what = static_cast<kind>(letter - letters);
    d.point = number();
    if (*at == '.') d.nth = static_cast<std::uint32_t>((++at, number()));
    if (*at == ':') d.taken = static_cast<std::uint16_t>((++at, number()));
    wanted_.push_back(d);
    if (*at == ',') ++at;
  }
}

void trail::begin() noexcept {
  position_ = 0;
  preemptions_left_ = preemptions_;
  reads_left_ = reads_;
  point_ = 0;
  std::fill(std::begin(nth_), std::end(nth_), 0);
  if (mode_ != mode::all) made_.clear();
}

std::uint32_t trail::random_below(std::uint32_t n) noexcept {
  random_ ^= random_ << 13U;
  random_ ^= random_ >> 7U;
  random_ ^= random_ << 17U;
  return static_cast<std::uint32_t>((random_ >> 11U) % n);
}

std::uint32_t trail::drawn(kind what, std::uint32_t n) noexcept {
  switch (what) {
    case kind::preempt: return random_below(4) == 0 ? random_below(n) : 0;
    case kind::timeout:
    case kind::read: return random_below(3) == 0 ? random_below(n) : 0;
    default: return random_below(n);
  }
}

std::uint32_t trail::decide(kind what, std::uint32_t n, std::uint64_t point) noexcept {
  if (n <= 1) return 0;
  if (point != point_) {
    point_ = point;
    std::fill(std::begin(nth_), std::end(nth_), 0);
  }
  const std::uint32_t nth = nth_[static_cast<int>(what)]++;
  unsigned* budget = what == kind::read                               ? &reads_left_
                     : what == kind::preempt || what == kind::timeout ? &preemptions_left_
                                                                      : nullptr;
  if (mode_ == mode::all && budget != nullptr && *budget == 0) return 0;
  std::uint32_t taken = 0;
  if (position_ < made_.size()) {
    const decision& d = made_[position_];
    if (d.n != n || d.what != what) return n + 1;
    taken = d.taken;
  } else {
    if (mode_ == mode::random) taken = drawn(what, n);
    for (const decision& w : wanted_) {
      if (w.point == point && w.what == what && w.nth == nth) taken = std::min<std::uint32_t>(w.taken, n - 1);
    }
    made_.push_back({point, nth, static_cast<std::uint16_t>(n), static_cast<std::uint16_t>(taken), what});
  }
  ++position_;
  if (taken != 0 && budget != nullptr && *budget > 0) --*budget;
  return taken;
}

bool trail::advance() noexcept {
  while (!made_.empty() && made_.back().taken + 1 == made_.back().n) made_.pop_back();
  if (made_.empty()) return false;
  ++made_.back().taken;
  return true;
}

std::string trail::text() const {
  std::string out;
  for (std::size_t i = 0; i < std::min(position_, made_.size()); ++i) {
    const decision& d = made_[i];
    if (d.taken == 0) continue;
    if (!out.empty()) out += ',';
    out += letters[static_cast<int>(d.what)] + std::to_string(d.point);
    if (d.nth != 0) out += '.' + std::to_string(d.nth);
    out += ':' + std::to_string(d.taken);
  }
  return out.empty() ? "-" : out;
}

}  // namespace tenon::model
