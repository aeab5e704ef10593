#pragma once

/// `sender<T>`: a counted right to send. When the last one is gone the channel closes, so "all sends finish before the close" holds by
/// construction, with any number of senders.
///
/// Go counterpart: none; Go programs pair a `sync.WaitGroup` with a goroutine that waits and closes.
///
///     auto out = tn::make_chan<int>();
///     {
///       tn::sender tx(out);
///       for (int i = 0; i < 3; ++i) g.go([tx = tx.clone(), i] { tx.send(i); });
///     }                                  // the goroutines hold the remaining ones; the last one to end closes
///     for (int v : out) use(v);
///
/// `send` blocks as `chan::send` does, with the same context form; a select's send case is made of it by `send(tx, v)`. Move-only: another
/// sender is made by `clone()`, where one can see it. Cloning and destroying are thread-safe and never block. Let the senders be the
/// only ones who close. A moved-from sender is empty: it sends on the nil channel. A group's `produce` hands its function one of these.

#include <memory>

#include <tenon/chan.hpp>

namespace tenon {

namespace detail {

/// A share in a channel that is closed with the last of them.
class closing_ref {
 public:
  closing_ref() noexcept = default;
  explicit closing_ref(chan_ref c) : shared_(std::make_shared<const closer>(std::move(c))) {}
  [[nodiscard]] chan_core* get() const noexcept { return shared_ ? shared_->channel.get() : nullptr; }

 private:
  struct closer {
    chan_ref channel;
    explicit closer(chan_ref c) noexcept : channel(std::move(c)) {}
    closer(const closer&) = delete;
    closer& operator=(const closer&) = delete;
    ~closer() {
      if (channel.get() != nullptr) chan_close_last(channel.get());
    }
  };
  std::shared_ptr<const closer> shared_;
};

}  // namespace detail

template <class T>
class [[nodiscard]] sender : public detail::sends<T, sender<T>> {
 public:
  using value_type = T;

  sender() noexcept = default;
  /// The first one; the channel is closed with the last.
  explicit sender(const send_chan<T>& out)
      : ref_(detail::chan_ref(detail::chan_access::share(detail::chan_access::core(out)))) {}
  explicit sender(const chan<T>& out) : sender(send_chan<T>(out)) {}
  sender(sender&&) noexcept = default;
  sender& operator=(sender&&) noexcept = default;
  sender(const sender&) = delete;
  sender& operator=(const sender&) = delete;
  ~sender() = default;

  /// One more.
  [[nodiscard]] sender clone() const noexcept {
    sender other;
    other.ref_ = ref_;
    return other;
  }

  /// Gives this one up before the end of its scope.
  void release() noexcept { ref_ = {}; }

  /// False for an empty one.
  explicit operator bool() const noexcept { return ref_.get() != nullptr; }

 private:
  friend struct detail::chan_access;
  detail::closing_ref ref_;
};

template <class T>
sender(chan<T>) -> sender<T>;
template <class T>
sender(send_chan<T>) -> sender<T>;

}  // namespace tenon
