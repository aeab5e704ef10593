#include "model/engine/heap.hpp"

#include <cstdint>
#include <cstring>

#include "model/engine/atomic.hpp"

// The program's `new`: a region, from its start, and nothing given back before the next execution. What is deleted is overwritten, so that
// whoever uses it still is seen to.

namespace tenon::model {

namespace {

constexpr std::size_t region_size = std::size_t{8} << 20U;
alignas(64) unsigned char region[region_size];
std::size_t used = 0;

void* take(std::size_t n, std::size_t align) {
  constexpr std::size_t header = 16;  // the size, for delete
  if (align < header) align = header;
  std::size_t at = (used + header + align - 1) / align * align;
  if (at + n > region_size) throw std::bad_alloc();
  std::memcpy(region + at - header, &n, sizeof n);
  used = at + n;
  return region + at;
}

bool ours(const void* p) noexcept {
  const auto at = reinterpret_cast<std::uintptr_t>(p);
  const auto from = reinterpret_cast<std::uintptr_t>(region);
  return at >= from && at < from + region_size;
}

}  // namespace

void* allocate(std::size_t n, std::size_t align) {
  if (modelled()) return take(n, align);
  void* p = align <= alignof(std::max_align_t) ? std::malloc(n == 0 ? 1 : n)
                                               : std::aligned_alloc(align, (n + align - 1) / align * align);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}

void release(void* p) noexcept {
  if (!ours(p)) return std::free(p);
  if (!modelled()) return;
  std::size_t n = 0;
  std::memcpy(&n, static_cast<unsigned char*>(p) - 16, sizeof n);
  std::memset(p, 0xdd, n);
}

void reset_program_heap() noexcept {
  std::memset(region, 0xdd, used);
  used = 0;
}

}  // namespace tenon::model
