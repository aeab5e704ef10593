#include "platform/exceptions.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "platform/compiler.hpp"

// What the C++ runtime writes before an exception, from its own unwind-cxx.h and the Itanium C++ ABI (64 bits):
//
//      −128 ┌──────────────────┐ reference count           (of a rethrown std::exception_ptr, a "dependent" one: at −112 the exception meant)
//      −112 │ __cxa_exception  │ … handlerCount at −72
//       −32 │ _Unwind_Exception│ class, cleanup, private_1, private_2
//         0 ├──────────────────┤
//           │ the object       │
//
// While one is on its way, private_1 is zero and private_2 is the stack pointer of its handler's frame: above us on the same stack. That, the class,
// the count of references and that of handlers are enough to tell it from what a finished one has left behind.

namespace tenon {

namespace {

constexpr std::uint64_t primary_class = 0x474E5543432B2B00;  // "GNUCC++\0"
constexpr std::uint64_t dependent_class = primary_class + 1;
constexpr std::size_t head_size = 128;

struct head {  // the 128 bytes before the object
  std::int32_t references;
  std::byte padding[12];
  void* primary;  // of a dependent one; else the type
  std::byte handler_data[32];
  std::int32_t handlers;
  std::byte tables[36];
  std::uint64_t unwind_class;
  void* cleanup;
  std::uintptr_t private_1;
  std::uintptr_t private_2;
};
static_assert(sizeof(head) == head_size && offsetof(head, handlers) == head_size - 72 &&
              offsetof(head, unwind_class) == head_size - 32 && offsetof(head, primary) == 16);
static_assert(sizeof(std::exception_ptr) == sizeof(void*));

/// Reads where there may be nothing to read: the kernel looks first.
class careful_reader {
 public:
  careful_reader() noexcept {
    if (::pipe2(ends_, O_CLOEXEC | O_NONBLOCK) != 0) ends_[0] = ends_[1] = -1;
  }
  careful_reader(const careful_reader&) = delete;
  careful_reader& operator=(const careful_reader&) = delete;
  ~careful_reader() {
    for (const int end : ends_) {
      if (end >= 0) ::close(end);
    }
  }
  bool read(std::uintptr_t from, void* to, std::size_t n) noexcept {
    const auto size = static_cast<long>(n);
    if (ends_[0] < 0) return false;
    // Not by write(): sanitizers look at what that is given.
    const long written = ::syscall(SYS_write, ends_[1], from, n);
    if (written <= 0) return false;
    return ::read(ends_[0], to, n) == written && written == size;
  }

 private:
  int ends_[2] = {-1, -1};
};

/// A reference of its own to an exception known by its address alone.
std::exception_ptr refer_to(void* object) noexcept {
  alignas(std::exception_ptr) std::byte bytes[sizeof(std::exception_ptr)];
  std::memcpy(bytes, static_cast<const void*>(&object), sizeof object);
  return *reinterpret_cast<const std::exception_ptr*>(
      bytes);  // the copy is counted; what it is copied from is not ours
}

std::exception_ptr refer_to(const head& h, std::uintptr_t object) noexcept {
  return refer_to(h.unwind_class == dependent_class ? h.primary : reinterpret_cast<void*>(object));
}

bool is_ours(std::uint64_t unwind_class) noexcept {
  return unwind_class == primary_class || unwind_class == dependent_class;
}

}  // namespace

TENON_NO_SANITIZE std::exception_ptr exception_in_flight(const void* from, const void* top) noexcept {
  constexpr std::size_t word = sizeof(std::uintptr_t);
  std::uintptr_t seen[16] = {};  // each frame on the way keeps one and the same address, and much else is repeated, too
  unsigned n = 0;
  const auto low = (reinterpret_cast<std::uintptr_t>(from == nullptr ? &seen : from) + word - 1) & ~(word - 1);
  const auto high = reinterpret_cast<std::uintptr_t>(top);
  careful_reader memory;
  for (std::uintptr_t at = low; at + word <= high; at += word) {
    const std::uintptr_t unwind_header = *reinterpret_cast<const volatile std::uintptr_t*>(at);
    const std::uintptr_t object = unwind_header + 32;
    if (unwind_header < head_size || unwind_header % 16 != 0 || unwind_header >> 48U != 0) continue;
    if (unwind_header >= low && unwind_header < high) continue;
    bool again = false;
    for (const std::uintptr_t other : seen) again = again || other == unwind_header;
    if (again) continue;
    seen[n++ % 16] = unwind_header;
    std::uint64_t unwind_class = 0;
    head h;
    if (!memory.read(unwind_header, &unwind_class, sizeof unwind_class) || !is_ours(unwind_class) ||
        !memory.read(object - head_size, &h, sizeof h)) {
      continue;
    }
    if (h.private_1 != 0 || h.private_2 < low || h.private_2 > high || h.handlers > 0) continue;
    if (unwind_class == primary_class && (h.references < 1 || h.references > 1 << 20)) continue;
    return refer_to(h, object);
  }
  return nullptr;
}

TENON_NO_SANITIZE TENON_NOINLINE std::exception_ptr own_exception_in_flight(const void* top) noexcept {
  if (top == nullptr) {
    pthread_attr_t attributes;
    void* low = nullptr;
    std::size_t size = 0;
    if (::pthread_getattr_np(::pthread_self(), &attributes) != 0) return nullptr;
    ::pthread_attr_getstack(&attributes, &low, &size);
    ::pthread_attr_destroy(&attributes);
    top = static_cast<std::byte*>(low) + size;
  }
  __builtin_unwind_init();  // puts the callers' registers into this frame, which is above the next one
  std::exception_ptr found = exception_in_flight(nullptr, top);
  asm volatile("" : : "r"(&found) : "memory");  // so that this frame is still there
  return found;
}

std::exception_ptr exception_handled(const void* caught) noexcept {
  if (caught == nullptr) return nullptr;
  const auto object = reinterpret_cast<std::uintptr_t>(caught) + head_size - 16;
  head h;
  std::memcpy(&h, reinterpret_cast<const void*>(object - head_size), sizeof h);
  return is_ours(h.unwind_class) ? refer_to(h, object) : nullptr;
}

}  // namespace tenon
