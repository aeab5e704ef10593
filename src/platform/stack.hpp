#pragma once

// Memory for stacks: reserved in slabs, guarded at the low end, recycled through a depot.
//
// Invariants
//  1. A slab is one mapping of equally sized slots, never unmapped; slots are carved in order, so `carved` is also the
//     number of slots that may hold a live stack. The list of slabs only grows: it can be walked without a lock, by a signal
//     handler too. That makes it the registry of goroutines.
//  2. Memory is used page by page as a stack is touched. Idle stacks in the depot are warm (they keep their pages) or cold
//     (all pages given back); `trim` turns warm into cold until the warm ones hold no more than a given number of bytes.
//  3. Guards. Below each stack lies a zone of 64 KiB or a little more that belongs to nothing else: what compilers that probe large frames (page by page, or on
//     aarch64 every 64 KiB) take for granted, and wide enough for a frame of almost that size that is not probed. With MADV_GUARD_INSTALL (Linux 6.13)
//     every zone is a guard: the markers live in page tables that the neighbours' tops need anyway, and cost no
//     mapping. Before that a guard by mprotect costs two mappings of vm.max_map_count (65,530 by default: it would end at
//     32,745 stacks), so only the first max_map_count/8 slots get one of their own and all further slots share the guard at the
//     low end of their slab. There an overflow may write into neighbours before it is caught, but runaway
//     recursion is caught and reported all the same. docs/adr/0002-stacks.md has the figures.
//  4. Tops are coloured: descriptors and first frames of different stacks fall into different sets of the L1 cache. And the distance between stacks
//     is an odd number of pages, so that their top pages, all that most goroutines ever use, fall into all sets of the TLBs.
//
//      slot.base              slot.low()                                     slot.top()   slot.end()
//          ├─────── zone ─────────┼──────────── size, grows this way ◀──────────┼─ colour ──┤

#include <cstddef>
#include <cstdint>
#include <new>

namespace tenon {

namespace stacks {
// A multiple of every page size. Sizes are powers of two, so where pages always have 4 KiB one more makes the distance an odd number of them.
#if defined(__x86_64__)
constexpr std::size_t guard_bytes = 68 * 1024;
#else
constexpr std::size_t guard_bytes = 64 * 1024;
#endif
}  // namespace stacks

struct stack_slot {
  std::byte* base = nullptr;  // of the zone below the stack
  std::size_t size = 0;       // of the stack itself: a power of two

  [[nodiscard]] std::byte* low() const noexcept { return base + stacks::guard_bytes; }
  [[nodiscard]] std::byte* end() const noexcept { return low() + size; }
  /// The coloured top: what lies above it is not used.
  [[nodiscard]] std::byte* top() const noexcept {
    // Slots of a slab differ by this divisor, so the next one has the next colour.
    return end() - (reinterpret_cast<std::uintptr_t>(base) / (stacks::guard_bytes + size) & 7U) * 256;
  }
};

namespace stacks {

constexpr std::size_t smallest = 16 * 1024;
constexpr std::size_t largest = std::size_t{1} << 30U;

/// Bytes of address space from one stack of a size to the next.
constexpr std::size_t stride(std::size_t size) noexcept { return guard_bytes + size; }

/// The size class for a request: rounded up to a power of two within the limits.
std::size_t round_size(std::size_t bytes) noexcept;

/// No address space for a stack, and what the system said.
struct exhausted : std::bad_alloc {
  int number;  // errno
  explicit exhausted(int n) noexcept : number(n) {}
};

/// Throws exhausted.
stack_slot allocate(std::size_t size);
/// Which limit stands in the way of one more: "RLIMIT_AS (ulimit -v) is 64 MiB, and 63 MiB are in use". Allocates nothing.
void name_limit(std::size_t size, int number, char* out, std::size_t room) noexcept;
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

/// As if the kernel had no MADV_GUARD_INSTALL. Before the first stack only.
void force_mprotect_guards() noexcept;

}  // namespace stacks

}  // namespace tenon
