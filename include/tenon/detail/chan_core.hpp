#pragma once

// The seam between the typed channel handles and the one channel implementation (src/core/chan.cpp), which is not a
// template: it sees elements as bytes and the few operations below. Nothing here is for users.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

#include <tenon/detail/requirements.hpp>

namespace tenon::detail {

struct chan_core;

/// What the core does with elements that are not trivially copyable. Null functions mean memcpy and nothing.
struct elem_ops {
  std::uint32_t size;
  std::uint32_t align;
  void (*move)(void* dst, void* src) noexcept;  // constructs *dst from std::move(*src)
  void (*destroy)(void* p) noexcept;
};

/// What a channel of `void` carries.
struct nothing {};

template <class T>
struct elem_traits {
  static_assert(std::is_object_v<T> && !std::is_const_v<T>, "a channel carries plain, non-const values");
  static_assert(std::is_nothrow_move_constructible_v<T> && std::is_nothrow_destructible_v<T>,
                "tenon: a channel's element type must be nothrow-move-constructible: a value changes hands while the "
                "channel is locked, and a throw there would lose it. Send a std::unique_ptr<T> instead.");
  static constexpr bool trivial = std::is_trivially_copyable_v<T>;
  static void move(void* dst, void* src) noexcept { ::new (dst) T(std::move(*static_cast<T*>(src))); }
  static void destroy(void* p) noexcept { static_cast<T*>(p)->~T(); }
  static constexpr elem_ops ops{sizeof(T), alignof(T), trivial ? nullptr : &move, trivial ? nullptr : &destroy};
};

template <>
struct elem_traits<void> : elem_traits<nothing> {};

template <class T>
union raw_storage {
  T value;
  raw_storage() noexcept {}  // NOLINT: deliberately uninitialised
  ~raw_storage() {}          // NOLINT
};

enum class try_result : std::uint8_t { done, would_block, closed };

template <>
union raw_storage<void> {};

/// One operation of a select.
struct select_op {
  chan_core* chan;  // null: never fires
  void* elem;       // a send's value; where a receive constructs what it gets, null: it is discarded
  bool is_send;
};

/// `reason` is copied; null: none was given.
chan_core* chan_make(const elem_ops& ops, std::int64_t capacity, const std::string_view* reason);
void chan_retain(chan_core* c) noexcept;
void chan_release(chan_core* c) noexcept;

// A null core is the nil channel: send and recv block for ever, try_ returns would_block, close panics.
void chan_send(chan_core* c, void* src);
bool chan_recv(chan_core* c, void* dst);
try_result chan_try_send(chan_core* c, void* src);
try_result chan_try_recv(chan_core* c, void* dst);
/// With `done`, a core that is closed on cancellation (null: never). True if it took place; false: canceled or, for the receive,
/// closed.
bool chan_send_or_done(chan_core* c, void* src, chan_core* done);
bool chan_recv_or_done(chan_core* c, void* dst, chan_core* done);
void chan_close(chan_core* c);
/// By the last sender: that it is closed already is fatal, for a destructor cannot throw.
void chan_close_last(chan_core* c) noexcept;
std::size_t chan_len(const chan_core* c) noexcept;
std::size_t chan_cap(const chan_core* c) noexcept;

/// Counted reference to a core.
class chan_ref {
 public:
  chan_ref() noexcept = default;
  explicit chan_ref(chan_core* adopted) noexcept : core_(adopted) {}
  chan_ref(const chan_ref& other) noexcept : core_(other.core_) {
    if (core_ != nullptr) chan_retain(core_);
  }
  chan_ref(chan_ref&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  chan_ref& operator=(chan_ref other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ~chan_ref() {
    if (core_ != nullptr) chan_release(core_);
  }
  [[nodiscard]] chan_core* get() const noexcept { return core_; }

 private:
  chan_core* core_ = nullptr;
};

struct chan_access {
  static chan_core* share(chan_core* c) noexcept {
    if (c != nullptr) chan_retain(c);
    return c;
  }
  template <class C>
  static chan_core* core(const C& c) noexcept {
    return c.ref_.get();
  }
  template <class C>
  static C adopt(chan_core* core) noexcept {
    return C(chan_ref(core));
  }
  /// The reference in an rvalue handle; nothing of an lvalue, which is borrowed.
  template <class C>
  static chan_ref keep(C&& c) noexcept {
    if constexpr (std::is_lvalue_reference_v<C>) {
      return {};
    } else {
      return chan_ref(share(core(c)));
    }
  }
};

}  // namespace tenon::detail
