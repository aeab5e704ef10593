#include "platform/stack.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <mutex>
#include <new>
#include <vector>

#include <tenon/detail/atomic.hpp>

#include "platform/fork.hpp"

#if __has_include(<valgrind/valgrind.h>) && defined(TENON_HAVE_VALGRIND)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(low, high) 0
#endif

namespace tenon::stacks {

namespace {

constexpr int madv_guard_install = 102;  // <linux/mman.h> of 6.13; older headers lack the name
constexpr std::size_t slab_bytes = std::size_t{16} << 20U;
constexpr unsigned classes = 17;  // 16 KiB … 1 GiB

struct slab {
  std::byte* mapping;  // the shared guard comes first, if there is one
  std::byte* first;    // slot 0
  std::size_t size;    // of a stack
  std::uint32_t slots;
  detail::atomic<std::uint32_t> carved;  // released with the slot, acquired by for_each
  slab* next;
};

struct size_class {
  os_mutex lock;
  slab* current = nullptr;  // guarded by lock, as all of these
  std::vector<stack_slot> warm;
  std::vector<stack_slot> cold;
};

detail::atomic<slab*> all_slabs{nullptr};  // released with the slab, acquired by who walks them

// What a debugger reads (tools/gdb/tenon.py, which must change with it). It needs no debug information, nor symbols: it looks in the section.
struct debugger_view {
  char kind[4] = {'T', 'S', 'T', 1};  // and the version
  std::uint32_t guard = guard_bytes;
  std::uint32_t colours = 8;
  std::uint32_t colour = 256;  // see stack_slot::top
  std::uint32_t first = offsetof(slab, first);
  std::uint32_t size = offsetof(slab, size);
  std::uint32_t carved = offsetof(slab, carved);
  std::uint32_t next = offsetof(slab, next);
  const void* slabs = &all_slabs;
};

detail::atomic<bool> pending_trim{false};
detail::atomic<bool> forced_mprotect{false};
constexpr std::int64_t unknown_budget = std::numeric_limits<std::int64_t>::min();
detail::atomic<std::int64_t> mprotect_budget{unknown_budget};

std::size_t page() noexcept {
  static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

// Immortal: goroutines of a static destructor's `run` may still come here.
size_class& class_of(std::size_t size) noexcept {
  static size_class* const table = [] {
    auto* t = new size_class[classes];
    for (unsigned i = 0; i < classes; ++i) free_in_child(t[i].lock);  // the monitor trims them
    return t;
  }();
  return table[static_cast<unsigned>(std::countr_zero(size)) - static_cast<unsigned>(std::countr_zero(smallest))];
}

const at_load stacks_made([] {
  (void)page();
  (void)class_of(smallest);
});

bool has_light_guards() noexcept {
  if (forced_mprotect.load(std::memory_order_relaxed)) return false;
  void* probe = ::mmap(nullptr, page(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (probe == MAP_FAILED) return false;
  // An emulator may say yes to any advice: see whether the kernel can still read there.
  int ends[2] = {-1, -1};
  const bool ok = ::madvise(probe, page(), madv_guard_install) == 0 && ::pipe2(ends, O_CLOEXEC) == 0 &&
                  ::write(ends[1], probe, 1) < 0 && errno == EFAULT;
  for (const int end : ends) {
    if (end >= 0) ::close(end);
  }
  ::munmap(probe, page());
  return ok;
}

// These two depend on the environment and cost system calls, so not at load. Threads that ask at the same time both find out, and find the same.

bool kernel_has_light_guards() noexcept {
  enum : int { unknown, no, yes };
  static constinit detail::atomic<int> known{unknown};
  int k = known.load(std::memory_order_relaxed);
  if (k == unknown) {
    k = has_light_guards() ? yes : no;
    known.store(k, std::memory_order_relaxed);
  }
  return k == yes;
}

void init_mprotect_budget() noexcept {
  if (mprotect_budget.load(std::memory_order_relaxed) != unknown_budget) return;
  long maps = 65530;
  if (std::FILE* f = std::fopen("/proc/sys/vm/max_map_count", "re")) {
    if (std::fscanf(f, "%ld", &maps) != 1) maps = 65530;
    std::fclose(f);
  }
  std::int64_t unknown = unknown_budget;
  mprotect_budget.compare_exchange_strong(unknown, maps / 8, std::memory_order_relaxed);
}

slab* new_slab(std::size_t size) {
  // Without markers a guard that all share. With them slabs stay alike, and the kernel joins neighbours into one mapping.
  const std::size_t guard = kernel_has_light_guards() ? 0 : guard_bytes;
  std::size_t slots = std::max<std::size_t>(1, slab_bytes / std::max(size, guard_bytes));
  // Near a limit a smaller one may do. Not to the last byte: a program that is told so needs memory to say it.
  const std::size_t fewest = std::max<std::size_t>(1, slots / 4);
  std::size_t bytes = 0;
  void* mapping = MAP_FAILED;
  for (;; slots = std::max(slots / 2, fewest)) {
    bytes = slots * stride(size) + guard;
    mapping =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (mapping != MAP_FAILED) break;
    if (slots == fewest) throw exhausted(errno);
  }
  // A huge page would make every stack of the slab resident at the first touch of one.
  (void)::madvise(mapping, bytes, MADV_NOHUGEPAGE);
  if (guard != 0) (void)::mprotect(mapping, guard, PROT_NONE);
  auto* s = new (std::nothrow) slab;
  if (s == nullptr) {
    ::munmap(mapping, bytes);
    throw exhausted(ENOMEM);
  }
  s->mapping = static_cast<std::byte*>(mapping);
  s->first = s->mapping + guard;
  s->size = size;
  s->slots = static_cast<std::uint32_t>(slots);
  s->carved.store(0, std::memory_order_relaxed);
  s->next = all_slabs.load(std::memory_order_relaxed);
  while (!all_slabs.compare_exchange_weak(s->next, s, std::memory_order_release, std::memory_order_relaxed)) {
  }
  return s;
}

void install_guard(const stack_slot& slot) noexcept {
  if (kernel_has_light_guards() && ::madvise(slot.base, guard_bytes, madv_guard_install) == 0) return;
  init_mprotect_budget();  // also where memory is locked: it has no markers
  if (mprotect_budget.fetch_sub(1, std::memory_order_relaxed) > 0) (void)::mprotect(slot.base, guard_bytes, PROT_NONE);
}

/// Calls see(text, n) with the pieces of a file. Allocates nothing.
template <class F>
void read_file(const char* path, F see) noexcept {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  char text[4096];
  for (ssize_t n = 0; (n = ::read(fd, text, sizeof text - 1)) > 0;) {
    text[n] = '\0';
    see(text, static_cast<std::size_t>(n));
  }
  ::close(fd);
}

long first_number_in(const char* path) noexcept {
  long n = -1;
  read_file(path, [&](const char* text, std::size_t) { n = n < 0 ? std::atol(text) : n; });
  return n;
}

std::size_t resident_bytes(const stack_slot& slot) noexcept {
  static thread_local std::vector<unsigned char> pages;
  std::size_t n = slot.size / page();
  try {
    pages.resize(n);
  } catch (...) {
    return slot.size;
  }
  if (::mincore(slot.low(), slot.size, pages.data()) != 0) return slot.size;
  return page() * static_cast<std::size_t>(
                      std::count_if(pages.begin(), pages.end(), [](unsigned char p) { return (p & 1U) != 0; }));
}

}  // namespace

[[gnu::used, gnu::section("tenon_debugger")]] static constinit const debugger_view for_debuggers{};

std::size_t round_size(std::size_t bytes) noexcept {
  return std::bit_ceil(std::clamp(bytes, std::max(smallest, 4 * page()), largest));
}

void force_mprotect_guards() noexcept { forced_mprotect.store(true, std::memory_order_relaxed); }

stack_slot allocate(std::size_t size) {
  size_class& c = class_of(size);
  const std::lock_guard hold(c.lock);
  for (auto* idle : {&c.warm, &c.cold}) {
    if (!idle->empty()) {
      const stack_slot slot = idle->back();
      idle->pop_back();
      return slot;
    }
  }
  if (c.current == nullptr || c.current->carved.load(std::memory_order_relaxed) == c.current->slots) {
    c.current = nullptr;
    c.current = new_slab(size);
  }
  slab& s = *c.current;
  const std::uint32_t index = s.carved.load(std::memory_order_relaxed);
  const stack_slot slot{s.first + std::size_t{index} * stride(size), size};
  install_guard(slot);
  (void)VALGRIND_STACK_REGISTER(slot.low(), slot.end());
  s.carved.store(index + 1, std::memory_order_release);
  return slot;
}

void name_limit(std::size_t size, int number, char* out, std::size_t room) noexcept {
  constexpr unsigned long long mebibyte = 1U << 20U;
  constexpr std::size_t anything = ~std::size_t{0};
  unsigned long long total = 0;
  unsigned long long data = 0;
  read_file("/proc/self/statm", [&](const char* text, std::size_t) {
    unsigned long long pages[6] = {};
    std::sscanf(text, "%llu %llu %llu %llu %llu %llu", &pages[0], &pages[1], &pages[2], &pages[3], &pages[4],
                &pages[5]);
    total = pages[0] * page();
    data = pages[5] * page();
  });
  const struct {
    int which;
    const char* name;
    unsigned long long used;
  } limits[] = {{RLIMIT_AS, "RLIMIT_AS (ulimit -v)", total}, {RLIMIT_DATA, "RLIMIT_DATA (ulimit -d)", data}};
  // Says which limit leaves less than `room_for`, if one does. `anything`: what was in use as it was met may have been given back since, by
  // malloc, say, which for a moment takes twice what an arena needs.
  const auto is_limit = [&](std::size_t room_for) {
    for (const auto& l : limits) {
      rlimit limit{};
      if (::getrlimit(static_cast<decltype(RLIMIT_AS)>(l.which), &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        continue;
      if (room_for != anything && l.used + room_for <= limit.rlim_cur) continue;
      std::snprintf(out, room, "%s is %llu MiB, and %llu MiB are in use", l.name,
                    static_cast<unsigned long long>(limit.rlim_cur) / mebibyte, l.used / mebibyte);
      return true;
    }
    return false;
  };
  // The smallest slab that is tried, and the guard of one.
  const std::size_t slots = std::max<std::size_t>(1, slab_bytes / std::max(size, guard_bytes) / 4);
  if (is_limit(slots * stride(size) + guard_bytes)) return;
  long mappings = 0;
  read_file("/proc/self/maps", [&](const char* text, std::size_t n) { mappings += std::count(text, text + n, '\n'); });
  const long most = first_number_in("/proc/sys/vm/max_map_count");
  if (most > 0 && mappings + 8 >= most) {
    std::snprintf(out, room, "vm.max_map_count is %ld, and there are %ld mappings", most, mappings);
  } else if (first_number_in("/proc/sys/vm/overcommit_memory") == 2) {
    std::snprintf(out, room, "vm.overcommit_memory is 2: the system promises no more memory than it has (%s)",
                  std::strerror(number));
  } else if (!is_limit(anything)) {
    std::snprintf(out, room, "the system says: %s; %llu MiB of address space are in use", std::strerror(number),
                  total / mebibyte);
  }
}

void deallocate(const stack_slot* slots, std::size_t n) noexcept {
  if (n == 0) return;
  size_class& c = class_of(slots[0].size);
  const std::lock_guard hold(c.lock);
  try {
    c.warm.insert(c.warm.end(), slots, slots + n);
  } catch (...) {  // NOLINT: out of memory for the list itself; the slots stay carved and unused
    return;
  }
  pending_trim.store(true, std::memory_order_relaxed);
}

bool trim_pending() noexcept { return pending_trim.load(std::memory_order_relaxed); }

void trim(std::size_t keep_bytes) noexcept {
  pending_trim.store(false, std::memory_order_relaxed);
  for (std::size_t size = smallest; size <= largest; size *= 2) {
    size_class& c = class_of(size);
    std::vector<stack_slot> warm;
    {
      const std::lock_guard hold(c.lock);
      warm.swap(c.warm);
    }
    // While we measure, `allocate` carves or takes cold slots; it does not wait for us.
    std::size_t kept = 0;
    for (; kept < warm.size(); ++kept) {
      const std::size_t bytes = resident_bytes(warm[kept]);
      if (bytes > keep_bytes) break;
      keep_bytes -= bytes;
    }
    for (std::size_t i = kept; i < warm.size(); ++i) {
      (void)::madvise(warm[i].low(), warm[i].size, MADV_DONTNEED);
    }
    const std::lock_guard hold(c.lock);
    try {
      c.warm.insert(c.warm.end(), warm.begin(), warm.begin() + static_cast<std::ptrdiff_t>(kept));
      c.cold.insert(c.cold.end(), warm.begin() + static_cast<std::ptrdiff_t>(kept), warm.end());
    } catch (...) {  // NOLINT: as in deallocate
    }
  }
}

void for_each(void (*visit)(const stack_slot& slot, void* arg), void* arg) noexcept {
  for (const slab* s = all_slabs.load(std::memory_order_acquire); s != nullptr; s = s->next) {
    const std::uint32_t n = s->carved.load(std::memory_order_acquire);
    for (std::uint32_t i = 0; i < n; ++i) visit({s->first + std::size_t{i} * stride(s->size), s->size}, arg);
  }
}

fault_kind classify(const void* address) noexcept {
  const auto* p = static_cast<const std::byte*>(address);
  for (const slab* s = all_slabs.load(std::memory_order_acquire); s != nullptr; s = s->next) {
    const std::byte* end = s->first + std::size_t{s->slots} * stride(s->size);
    if (p < s->mapping || p >= end) continue;
    if (p < s->first) return fault_kind::guard;
    const std::size_t in_slot = static_cast<std::size_t>(p - s->first) % stride(s->size);
    return in_slot < guard_bytes ? fault_kind::guard : fault_kind::inside;
  }
  return fault_kind::elsewhere;
}

}  // namespace tenon::stacks
