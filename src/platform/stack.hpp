#pragma once

// Memory for stacks: reserved in slabs, guarded at the low end, recycled through a depot.
//
// Invariants
//  1. A slab is one mapping of equally sized slots, never unmapped; slots are carved in order, so `carved` is also the
//     number of slots that may hold a live stack. The list of slabs only grows: it can be walked without a lock, by a signal
//     handler too. That makes it the registry of goroutines.
//  2. Memory is used page by page as a stack is touched. Idle stacks in the depot are warm (they keep their pages) or cold
//     (all pages given back); `trim` turns warm into cold until the warm ones hold no more than a given number of bytes.
//  3. Guards. With MADV_GUARD_INSTALL (Linux 6.13) every slot has its own: the markers live in the page table and cost no
//     mapping. Before that a guard by mprotect costs two mappings of vm.max_map_count (65,530 by default: it would end at
//     32,745 stacks), so only the first max_map_count/8 slots get one of their own and all further slots share the guard at the
//     low end of their slab. There an overflow may write into neighbours before it is caught, but runaway
//     recursion is caught and reported all the same. docs/adr/0002-stacks.md has the figures.
//  4. Tops are coloured: descriptors and first frames of different stacks fall into different sets of the L1 cache.

#include <cstddef>
#include <cstdint>

namespace tenon {

struct stack_slot {
  std::byte* base = nullptr;  // the guard, if the slot has one, is at the low end
  std::size_t size = 0;       // a power of two

  [[nodiscard]] std::byte* low() const noexcept;  // above the guard
  /// The coloured top: what lies above it is not used.
  [[nodiscard]] std::byte* top() const noexcept {
    return base + size - ((reinterpret_cast<std::uintptr_t>(base) / size) & 7U) * 256;
  }
};

namespace stacks {

constexpr std::size_t smallest = 16 * 1024;
constexpr std::size_t largest = std::size_t{1} << 30U;

/// The size class for a request: rounded up to a power of two within the limits.
std::size_t round_size(std::size_t bytes) noexcept;

/// Throws std::bad_alloc.
stack_slot allocate(std::size_t size);
/// Takes back `n` slots of one size.
void deallocate(const stack_slot* slots, std::size_t n) noexcept;

/// Gives pages of idle stacks back until at most `keep_bytes` are resident in them.
void trim(std::size_t keep_bytes) noexcept;
/// Whether anything has come to the depot since the last trim.
bool trim_pending() noexcept;

/// Every slot ever carved. Async-signal-safe.
void for_each(void (*visit)(const stack_slot& slot, void* arg), void* arg) noexcept;

enum class fault_kind : std::uint8_t { elsewhere, guard, inside };
/// What an address is to the stacks: in a guard, in a slot, or neither. Async-signal-safe.
fault_kind classify(const void* address) noexcept;

/// Bytes of the guard at the low end of a slot of that size.
std::size_t guard_bytes(std::size_t size) noexcept;

/// For tests and benchmarks: pretend that the kernel has no MADV_GUARD_INSTALL. Before the first stack only.
void force_mprotect_guards() noexcept;

}  // namespace stacks

inline std::byte* stack_slot::low() const noexcept { return base + stacks::guard_bytes(size); }

}  // namespace tenon
