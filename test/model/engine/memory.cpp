#include "model/engine/memory.hpp"

#include <algorithm>
#include <cstring>

namespace tenon::model {

namespace {

constexpr bool acquires(std::memory_order o) noexcept {
  return o == std::memory_order_acquire || o == std::memory_order_consume || o == std::memory_order_acq_rel ||
         o == std::memory_order_seq_cst;
}
constexpr bool releases(std::memory_order o) noexcept {
  return o == std::memory_order_release || o == std::memory_order_acq_rel || o == std::memory_order_seq_cst;
}
constexpr bool consistent(std::memory_order o) noexcept { return o == std::memory_order_seq_cst; }

std::uint64_t read_bytes(const void* at, std::uint32_t size) noexcept {
  std::uint64_t v = 0;
  std::memcpy(&v, at, size);
  return v;
}

}  // namespace

// ---- views

view& view::operator=(const view& o) noexcept {
  epochs = o.epochs;
  length_ = o.length_;
  std::copy_n(o.stores_.begin(), length_, stores_.begin());
  return *this;
}

void view::join(const view& o) noexcept {
  for (unsigned t = 0; t < most_threads; ++t) epochs[t] = std::max(epochs[t], o.epochs[t]);
  join_stores(o);
}

void view::join_stores(const view& o) noexcept {
  if (o.length_ > length_) {
    std::fill(stores_.begin() + length_, stores_.begin() + o.length_, std::uint16_t{0});
    length_ = o.length_;
  }
  for (std::uint32_t l = 0; l < o.length_; ++l) stores_[l] = std::max(stores_[l], o.stores_[l]);
}

void view::raise(std::uint32_t location, std::uint32_t store) noexcept {
  if (location >= length_) {
    std::fill(stores_.begin() + length_, stores_.begin() + location + 1, std::uint16_t{0});
    length_ = location + 1;
  }
  stores_[location] = std::max(stores_[location], static_cast<std::uint16_t>(store));
}

// ---- threads and locations

void memory::begin(memory_model model, std::uint32_t execution, decide d) noexcept {
  model_ = model;
  execution_ = execution;
  decide_ = d;
  used_ = 0;
  consistent_.clear();
  outside_.clear();
  for (thread& t : threads_) {
    t.now.clear();
    t.acquired.clear();
    t.released.clear();
    t.buffer.clear();
    t.draining = false;
  }
  threads_[0].now.epochs[0] = 1;
}

void memory::end() noexcept {
  for (unsigned t = 0; t < most_threads; ++t) drain(t, threads_[t].buffer.size());
}

void memory::start_thread(unsigned parent, unsigned child) noexcept {
  drain(parent, threads_[parent].buffer.size());
  threads_[child].now.join(threads_[parent].now);
  threads_[child].now.epochs[child] = 1;
  ++threads_[parent].now.epochs[parent];
}

void memory::join_thread(unsigned waiter, unsigned ended) noexcept {
  drain(ended, threads_[ended].buffer.size());
  threads_[waiter].now.join(threads_[ended].now);
}

std::uint32_t memory::location_of(variable v) noexcept {
  if (v.its->execution == execution_) return v.its->location;
  const std::uint32_t l = used_++;
  if (used_ > most_locations) std::abort();
  if (locations_.size() < used_) locations_.resize(used_);
  location& at = locations_[l];
  at.its = v.its;
  at.bytes = v.bytes;
  at.size = v.size;
  at.used = {};
  at.stores.clear();
  at.stores.push_back({read_bytes(v.bytes, v.size), view()});
  v.its->execution = execution_;
  v.its->location = l;
  return l;
}

unsigned memory::unordered_user(unsigned t, std::uint32_t l) const noexcept {
  for (unsigned u = 0; u < most_threads; ++u) {
    if (u != t && locations_[l].used[u] != 0 && !knows(t, u, locations_[l].used[u])) return u;
  }
  return most_threads;
}

/// A store may come out of its buffer when its variable has ended, and something else, which was never in a buffer, is there.
void memory::commit(location& at, std::uint64_t value) noexcept {
  const bool is_there = at.its->state == cell::alive && at.its->execution == execution_ &&
                        at.its->location == static_cast<std::uint32_t>(&at - locations_.data());
  if (is_there) std::memcpy(at.bytes, &value, at.size);
}

// ---- tso: buffers

/// Of every other thread's buffer, how much has left it before t comes to l?
void memory::settle(unsigned t, std::uint32_t l) noexcept {
  for (unsigned u = 0; u < most_threads; ++u) {
    thread& other = threads_[u];
    if (u == t || other.draining || other.buffer.empty()) continue;
    std::array<std::size_t, 64> ends;
    std::uint32_t n = 0;
    for (std::size_t i = 0; i < other.buffer.size() && n < ends.size(); ++i) {
      if (other.buffer[i].location == l) ends[n++] = i + 1;
    }
    if (n == 0) continue;
    const std::uint32_t held_back = decide_(n + 1);
    if (held_back < n) drain(u, ends[n - 1 - held_back]);
  }
}

void memory::drain(unsigned t, std::size_t n) noexcept {
  thread& me = threads_[t];
  if (n == 0 || me.draining) return;
  me.draining = true;
  for (std::size_t i = 0; i < n; ++i) {
    const pending p = me.buffer[i];
    settle(t, p.location);
    locations_[p.location].stores.back().value = p.value;
    commit(locations_[p.location], p.value);
  }
  me.buffer.erase(me.buffer.begin(), me.buffer.begin() + static_cast<std::ptrdiff_t>(n));
  me.draining = false;
}

// ---- operations

std::uint64_t memory::read(unsigned t, std::uint32_t l, std::uint32_t index, std::memory_order order) noexcept {
  thread& me = threads_[t];
  const message& m = locations_[l].stores[index];
  me.now.raise(l, index);
  (acquires(order) ? me.now : me.acquired).join(m.known);
  if (consistent(order)) consistent_.raise(l, index);
  return m.value;
}

std::uint64_t memory::load(unsigned t, std::uint32_t l, std::memory_order order) noexcept {
  location& at = locations_[l];
  switch (model_) {
    case memory_model::interleaving: break;
    case memory_model::tso: {
      const auto& buffer = threads_[t].buffer;
      for (std::size_t i = buffer.size(); i-- > 0;) {
        if (buffer[i].location == l) return buffer[i].value;
      }
      settle(t, l);
      break;
    }
    case memory_model::c11: {
      const auto last = static_cast<std::uint32_t>(at.stores.size() - 1);
      std::uint32_t oldest = threads_[t].now[l];
      if (consistent(order)) oldest = std::max<std::uint32_t>(oldest, consistent_[l]);
      return read(t, l, last - (last == oldest ? 0 : decide_(last - oldest + 1)), order);
    }
  }
  return at.stores.back().value;
}

void memory::append(unsigned t, std::uint32_t l, std::uint64_t value, const view& known) noexcept {
  location& at = locations_[l];
  threads_[t].now.raise(l, static_cast<std::uint32_t>(at.stores.size()));
  at.stores.push_back({value, known});
  at.stores.back().known.raise(l, static_cast<std::uint32_t>(at.stores.size() - 1));
  commit(at, value);
}

void memory::store(unsigned t, std::uint32_t l, std::uint64_t value, std::memory_order order) noexcept {
  thread& me = threads_[t];
  switch (model_) {
    case memory_model::tso:
      if (!consistent(order)) {
        me.buffer.push_back({l, value});
        return;
      }
      drain(t, me.buffer.size());
      settle(t, l);
      [[fallthrough]];
    case memory_model::interleaving:
      locations_[l].stores.back().value = value;
      commit(locations_[l], value);
      return;
    case memory_model::c11:
      append(t, l, value, releases(order) ? me.now : me.released);
      if (releases(order)) ++me.now.epochs[t];
      if (consistent(order)) consistent_.raise(l, static_cast<std::uint32_t>(locations_[l].stores.size() - 1));
      return;
  }
}

std::uint64_t memory::newest(unsigned t, std::uint32_t l, std::memory_order order) noexcept {
  if (model_ == memory_model::tso) {
    drain(t, threads_[t].buffer.size());
    settle(t, l);
  }
  location& at = locations_[l];
  if (model_ == memory_model::c11) return read(t, l, static_cast<std::uint32_t>(at.stores.size() - 1), order);
  return at.stores.back().value;
}

void memory::replace(unsigned t, std::uint32_t l, std::uint64_t value, std::memory_order order) noexcept {
  location& at = locations_[l];
  if (model_ != memory_model::c11) {
    at.stores.back().value = value;
    commit(at, value);
    return;
  }
  // Whoever reads it knows what the store knew that it replaces: a release sequence.
  thread& me = threads_[t];
  view known = releases(order) ? me.now : me.released;
  known.join(at.stores.back().known);
  append(t, l, value, known);
  if (releases(order)) ++me.now.epochs[t];
  if (consistent(order)) consistent_.raise(l, static_cast<std::uint32_t>(at.stores.size() - 1));
}

bool memory::matches(unsigned t, std::uint32_t l, std::uint64_t& value, std::memory_order success,
                     std::memory_order failure) noexcept {
  location& at = locations_[l];
  if (model_ != memory_model::c11) {
    const std::uint64_t now = newest(t, l, success);
    const bool same = now == value;
    value = now;
    return same;
  }
  // It fails if it reads something else, new or old; what is old and the same it cannot replace.
  const auto last = static_cast<std::uint32_t>(at.stores.size() - 1);
  std::uint32_t oldest = threads_[t].now[l];
  if (consistent(failure)) oldest = std::max<std::uint32_t>(oldest, consistent_[l]);
  std::uint32_t n = 1;
  for (std::uint32_t i = oldest; i < last; ++i) n += at.stores[i].value != value ? 1U : 0U;
  std::uint32_t pick = n == 1 ? 0 : decide_(n);
  std::uint32_t index = last;
  while (pick > 0) {
    --index;
    if (at.stores[index].value != value) --pick;
  }
  if (index == last && at.stores[last].value == value) {
    (void)read(t, l, last, success);
    return true;
  }
  value = read(t, l, index, failure);
  return false;
}

void memory::fence(unsigned t, std::memory_order order) noexcept {
  thread& me = threads_[t];
  if (model_ == memory_model::tso) {
    if (consistent(order)) drain(t, me.buffer.size());
    return;
  }
  if (model_ != memory_model::c11) return;
  if (acquires(order)) me.now.join(me.acquired);
  if (consistent(order)) {
    me.now.join_stores(consistent_);  // that orders what is read, but nothing happens before by it
    consistent_ = me.now;
  }
  if (releases(order)) {
    me.released = me.now;
    ++me.now.epochs[t];
  }
}

view* memory::known_at(const void* address) noexcept {
  const auto at =
      std::find_if(outside_.begin(), outside_.end(), [&](const outside& o) { return o.address == address; });
  return at == outside_.end() ? nullptr : &at->known;
}

void memory::take_over(unsigned t, const void* address) noexcept {
  if (const view* known = known_at(address)) threads_[t].now.join(*known);
}

void memory::hand_on(unsigned t, const void* address) noexcept {
  view& me = threads_[t].now;
  if (view* known = known_at(address)) {
    *known = me;
  } else {
    outside_.push_back({address, me});
  }
  ++me.epochs[t];
}

void memory::fence_everywhere(unsigned caller, unsigned threads) noexcept {
  fence(caller, std::memory_order_seq_cst);
  for (unsigned t = 0; t < threads; ++t) {
    if (t != caller) fence(t, std::memory_order_seq_cst);
  }
  fence(caller, std::memory_order_seq_cst);
}

}  // namespace tenon::model
