#include "diag/records.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace tenon::diag {

namespace {

// Of different stacks there are few, however many goroutines there are. Pages that are not touched cost nothing.
constexpr std::size_t most_stacks = 1U << 16U;
constexpr std::size_t most_text = 16 * 1024;

std::uint64_t hash_of(const stack_ends& s) noexcept {
  std::uint64_t h = s.depth + s.elided * 31 + 1;
  for (unsigned i = 0; i < s.depth; ++i) {
    h ^= reinterpret_cast<std::uintptr_t>(s.pcs[i]);
    h *= 0x9E3779B97F4A7C15U;
    h ^= h >> 29U;
  }
  return h;
}

bool same(const kept_stack& a, const stack_ends& b, std::uint64_t hash) noexcept {
  return a.hash == hash && a.depth == b.depth && a.elided == b.elided && a.endless == b.endless &&
         std::equal(a.pcs, a.pcs + a.depth, b.pcs);
}

std::size_t aligned(std::size_t bytes) noexcept { return (bytes + 63) & ~std::size_t{63}; }

}  // namespace

records::records(std::size_t room) noexcept {
  const std::size_t stacks_room = std::min(room, most_stacks) + 1;
  const std::size_t table_size = std::bit_ceil(stacks_room * 2);
  const std::size_t record_bytes = aligned(room * sizeof(record));
  const std::size_t holding_bytes = aligned(room * sizeof(holding));
  const std::size_t stack_bytes = aligned(stacks_room * sizeof(kept_stack));
  const std::size_t pc_bytes = aligned(stacks_room * sizeof(stack_ends::pcs));
  const std::size_t table_bytes = aligned(table_size * sizeof(std::uint32_t));
  bytes_ = record_bytes + holding_bytes + stack_bytes + pc_bytes + table_bytes + most_text;
  memory_ = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory_ == MAP_FAILED) {
    memory_ = nullptr;
    return;
  }
  auto* at = static_cast<std::byte*>(memory_);
  records_ = reinterpret_cast<record*>(at);
  holdings_ = reinterpret_cast<holding*>(at += record_bytes);
  stacks_ = reinterpret_cast<kept_stack*>(at += holding_bytes);
  pcs_ = reinterpret_cast<const void**>(at += stack_bytes);
  table_ = reinterpret_cast<std::uint32_t*>(at += pc_bytes);
  texts_ = reinterpret_cast<char*>(at += table_bytes);
  room_ = room;
  stacks_room_ = static_cast<std::uint32_t>(stacks_room);
  table_size_ = table_size;
}

records::~records() {
  if (memory_ != nullptr) ::munmap(memory_, bytes_);
}

record* records::add() noexcept { return n_ == room_ ? nullptr : &records_[n_++]; }

bool records::add(const holding& h) noexcept {
  if (holdings_n_ == room_) return false;
  holdings_[holdings_n_++] = h;
  return true;
}

std::uint32_t records::keep(const stack_ends& stack) noexcept {
  if (stack.depth == 0 || memory_ == nullptr) return 0;
  const std::uint64_t hash = hash_of(stack);
  std::size_t at = hash & (table_size_ - 1);
  for (; table_[at] != 0; at = (at + 1) & (table_size_ - 1)) {
    if (same(stacks_[table_[at]], stack, hash)) return table_[at];
  }
  if (stacks_n_ == stacks_room_) return 0;
  kept_stack& kept = stacks_[stacks_n_];
  kept = {hash, pcs_ + pcs_n_, stack.depth, stack.endless, stack.elided};
  std::copy_n(stack.pcs, stack.depth, kept.pcs);
  pcs_n_ += stack.depth;
  return table_[at] = stacks_n_++;
}

const char* records::keep(const char* text) noexcept {
  if (memory_ == nullptr) return nullptr;
  const char* at = texts_;
  while (at != texts_ + texts_n_) {
    if (std::strcmp(at, text) == 0) return at;
    at += std::strlen(at) + 1;
  }
  const std::size_t size = std::strlen(text) + 1;
  if (size > most_text - texts_n_) return nullptr;
  std::memcpy(texts_ + texts_n_, text, size);
  texts_n_ += size;
  return at;
}

}  // namespace tenon::diag
