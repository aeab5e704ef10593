#include "model/engine/heap.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <cstring>

#include "model/engine/atomic.hpp"

// The program's `new`: a region, from its start, and nothing given back before the next execution. What the first one leaves is kept: caches, say. What is deleted is overwritten, so that
// whoever uses it still is seen to.

namespace tenon::model {

namespace {

constexpr std::size_t region_size = std::size_t{8} << 20U;
constexpr std::size_t page = 4096;

struct region {
  std::size_t kept = 0;  // of the first execution
  std::size_t used = 0;
  alignas(page) unsigned char bytes[region_size];
};

/// Apart from what statics.cpp puts back.
region* const its = [] {
  void* p = ::mmap(nullptr, sizeof(region), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) std::abort();
  return static_cast<region*>(p);
}();

void* take(std::size_t n, std::size_t align) {
  constexpr std::size_t header = 16;  // the size, for delete
  if (align < header) align = header;
  const std::size_t at = (its->used + header + align - 1) / align * align;
  if (at + n > region_size) throw std::bad_alloc();
  std::memcpy(its->bytes + at - header, &n, sizeof n);
  its->used = at + n;
  return its->bytes + at;
}

bool ours(const void* p) noexcept {
  const auto at = reinterpret_cast<std::uintptr_t>(p);
  const auto from = reinterpret_cast<std::uintptr_t>(its->bytes);
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
  std::memset(its->bytes + its->kept, 0xdd, its->used - its->kept);
  its->used = its->kept;
}

kept_memory keep_program_heap() noexcept {
  its->kept = its->used = (its->used + page - 1) / page * page;
  return {its->bytes, its->kept};
}

}  // namespace tenon::model
