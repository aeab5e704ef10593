// In the test program alone: a library that replaces these would do so for whoever links to it.

#include <new>

#include "model/engine/heap.hpp"

void* operator new(std::size_t n) { return tenon::model::allocate(n, alignof(std::max_align_t)); }
void* operator new(std::size_t n, std::align_val_t a) { return tenon::model::allocate(n, static_cast<std::size_t>(a)); }
void operator delete(void* p) noexcept { tenon::model::release(p); }
void operator delete(void* p, std::size_t) noexcept { tenon::model::release(p); }
void operator delete(void* p, std::align_val_t) noexcept { tenon::model::release(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { tenon::model::release(p); }
