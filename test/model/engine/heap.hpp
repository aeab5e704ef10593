#pragma once

// The model's own memory, apart from that of the modelled program: in an execution the program's `new` takes from a region that begins
// anew with each, so that the same decisions make the same addresses (a select locks channels by address).

#include <cstddef>
#include <cstdlib>
#include <new>

namespace tenon::model {

template <class T>
struct own_heap {
  using value_type = T;
  own_heap() noexcept = default;
  template <class U>
  own_heap(const own_heap<U>&) noexcept {}  // NOLINT: allocators convert
  T* allocate(std::size_t n) {
    void* p = std::aligned_alloc(alignof(std::max_align_t), (n * sizeof(T) + alignof(std::max_align_t) - 1) /
                                                                alignof(std::max_align_t) * alignof(std::max_align_t));
    if (p == nullptr) throw std::bad_alloc();
    return static_cast<T*>(p);
  }
  void deallocate(T* p, std::size_t) noexcept { std::free(p); }
  bool operator==(const own_heap&) const noexcept = default;
};

/// What `new` and `delete` do in the test program (operator_new.cpp).
void* allocate(std::size_t n, std::size_t align);
void release(void* p) noexcept;

/// The region of the program's `new`, emptied of all but what is kept.
void reset_program_heap() noexcept;
struct kept_memory {
  void* begin;
  std::size_t size;  // whole pages
};
/// Keeps what is in it now.
kept_memory keep_program_heap() noexcept;

}  // namespace tenon::model
