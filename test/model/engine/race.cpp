#include "model/engine/race.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "model/engine/execution.hpp"

namespace tenon::model {

access_table::access_table() {
  void* p =
      ::mmap(nullptr, cells * sizeof(cell), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) std::abort();
  table_ = static_cast<cell*>(p);
}

/// Null if there is no room left: then that word is not watched.
access_table::cell* access_table::find(std::uintptr_t word_address) noexcept {
  std::size_t at = (word_address * 0x9e3779b97f4a7c15U) >> 48U;
  for (int tries = 0; tries < 64; ++tries, at = (at + 1) % cells) {
    cell& c = table_[at];
    if (c.execution != execution_) {
      c.execution = execution_;
      c.address = word_address;
      c.used = 0;
      return &c;
    }
    if (c.address == word_address) return &c;
  }
  return nullptr;
}

void access_table::access_word(unsigned t, std::uintptr_t word_address, std::uint8_t mask, bool writes, by how,
                               const void* code) noexcept {
  cell* c = find(word_address);
  if (c == nullptr) return;
  const memory& mem = the_execution->mem;
  std::uint32_t kept = 0;
  for (std::uint32_t i = 0; i < c->used; ++i) {
    const record& r = c->records[i];
    const bool known = r.thread == t || mem.knows(t, r.thread, r.epoch);
    if (!known && (r.mask & mask) != 0 && (r.writes || writes) && (r.how == by::plain || how == by::plain)) {
      give_up("a race: thread %u %s at %s, thread %u %s at %s, in no order", t, writes ? "writes" : "reads",
              place_of(code).c_str(), r.thread, r.writes ? "wrote" : "read", place_of(r.code).c_str());
    }
    // One that happened before, of the same bytes, and no stronger than this one, tells nothing that this one does not.
    const bool covered =
        known && (r.mask & ~mask) == 0 && (writes || !r.writes) && (how == by::plain || r.how == by::atomic);
    if (!covered) c->records[kept++] = r;
  }
  if (kept == most_records) {  // the oldest goes
    std::copy(c->records + 1, c->records + most_records, c->records);
    --kept;
  }
  c->records[kept] = {code, mem.epoch(t), static_cast<std::uint8_t>(t), mask, writes, how};
  c->used = kept + 1;
}

void access_table::access(unsigned t, std::uintptr_t address, std::size_t size, bool writes, by how,
                          const void* code) noexcept {
  while (size > 0) {
    const std::uintptr_t begin = address % word;
    const std::size_t n = std::min<std::size_t>(size, word - begin);
    const auto mask = static_cast<std::uint8_t>(((1U << n) - 1U) << begin);
    access_word(t, address - begin, mask, writes, how, code);
    address += n;
    size -= n;
  }
}

void access_table::forget(std::uintptr_t address, std::size_t size) noexcept {
  for (std::uintptr_t a = address / word * word; a < address + size; a += word) {
    if (cell* c = find(a)) c->used = 0;
  }
}

}  // namespace tenon::model

// ---- what compiled code calls

namespace {

using tenon::model::observed;

inline void seen(const void* p, std::size_t n, bool writes, const void* code) noexcept { observed(p, n, writes, code); }

}  // namespace

#define TENON_MODEL_ACCESS(size)                                                                   \
  void __tsan_read##size(void* p) { seen(p, size, false, __builtin_return_address(0)); }           \
  void __tsan_write##size(void* p) { seen(p, size, true, __builtin_return_address(0)); }           \
  void __tsan_unaligned_read##size(void* p) { seen(p, size, false, __builtin_return_address(0)); } \
  void __tsan_unaligned_write##size(void* p) { seen(p, size, true, __builtin_return_address(0)); } \
  void __tsan_volatile_read##size(void*) {}                                                        \
  void __tsan_volatile_write##size(void*) {}

// Atomics that are not tenon's, of the standard library's shared_ptr, say: real ones, each of which orders all before it with all after it.
#define TENON_MODEL_ATOMIC(bits, type)                                                                     \
  type __tsan_atomic##bits##_load(const volatile type* p, int) {                                           \
    tenon::model::synchronize(const_cast<type*>(p), sizeof *p, false, __builtin_return_address(0));        \
    return __atomic_load_n(p, __ATOMIC_SEQ_CST);                                                           \
  }                                                                                                        \
  void __tsan_atomic##bits##_store(volatile type* p, type v, int) {                                        \
    tenon::model::synchronize(const_cast<type*>(p), sizeof *p, true, __builtin_return_address(0));         \
    __atomic_store_n(p, v, __ATOMIC_SEQ_CST);                                                              \
  }                                                                                                        \
  TENON_MODEL_MODIFY(bits, type, exchange, __atomic_exchange_n)                                            \
  TENON_MODEL_MODIFY(bits, type, fetch_add, __atomic_fetch_add)                                            \
  TENON_MODEL_MODIFY(bits, type, fetch_sub, __atomic_fetch_sub)                                            \
  TENON_MODEL_MODIFY(bits, type, fetch_and, __atomic_fetch_and)                                            \
  TENON_MODEL_MODIFY(bits, type, fetch_or, __atomic_fetch_or)                                              \
  TENON_MODEL_MODIFY(bits, type, fetch_xor, __atomic_fetch_xor)                                            \
  int __tsan_atomic##bits##_compare_exchange_strong(volatile type* p, type* expected, type v, int, int) {  \
    tenon::model::synchronize(const_cast<type*>(p), sizeof *p, true, __builtin_return_address(0));         \
    return __atomic_compare_exchange_n(p, expected, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) ? 1 : 0; \
  }                                                                                                        \
  int __tsan_atomic##bits##_compare_exchange_weak(volatile type* p, type* expected, type v, int, int) {    \
    return __tsan_atomic##bits##_compare_exchange_strong(p, expected, v, 0, 0);                            \
  }

#define TENON_MODEL_MODIFY(bits, type, name, builtin)                                              \
  type __tsan_atomic##bits##_##name(volatile type* p, type v, int) {                               \
    tenon::model::synchronize(const_cast<type*>(p), sizeof *p, true, __builtin_return_address(0)); \
    return builtin(p, v, __ATOMIC_SEQ_CST);                                                        \
  }

extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_read(void** p) { seen(p, sizeof *p, false, __builtin_return_address(0)); }
void __tsan_vptr_update(void** p, void* v) {
  if (*p != v) seen(p, sizeof *p, true, __builtin_return_address(0));
}
void __tsan_read_range(void* p, std::size_t n) { seen(p, n, false, __builtin_return_address(0)); }
void __tsan_write_range(void* p, std::size_t n) { seen(p, n, true, __builtin_return_address(0)); }
TENON_MODEL_ACCESS(1)
TENON_MODEL_ACCESS(2)
TENON_MODEL_ACCESS(4)
TENON_MODEL_ACCESS(8)
TENON_MODEL_ACCESS(16)
TENON_MODEL_ATOMIC(8, std::uint8_t)
TENON_MODEL_ATOMIC(16, std::uint16_t)
TENON_MODEL_ATOMIC(32, std::uint32_t)
TENON_MODEL_ATOMIC(64, std::uint64_t)
void __tsan_atomic_thread_fence(int) {}
void __tsan_atomic_signal_fence(int) {}

}  // extern "C"
