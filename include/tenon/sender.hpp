#pragma once

/// `sender<T>`: a counted right to send. When the last copy is gone the channel closes, so "all sends finish before the
/// close" holds by construction, with any number of senders.
///
/// Go counterpart: none; Go programs pair a `sync.WaitGroup` with a goroutine that waits and closes.
///
///     auto out = tenon::make_chan<int>();
///     {
///       tenon::sender tx(out);
///       for (int i = 0; i < 3; ++i) wg.go([tx, i] { tx.send(i); });
///     }                                  // the goroutines hold the remaining copies; the last one to end closes
///     for (int v : out) use(v);
///
/// `send` blocks like `chan::send`, with the same context form. Copying and destroying are thread-safe and never block.
/// Closing the channel by other means makes the last sender's destructor leave it alone only if nobody does so later: let the
/// senders be the only ones who close. A default-constructed or moved-from sender is empty and sends on the nil channel.

#include <memory>

#include <tenon/chan.hpp>

namespace tenon {

template <class T>
class sender {
 public:
  sender() noexcept = default;
  explicit sender(const send_chan<T>& out) : shared_(std::make_shared<closer>(out)) {}
  explicit sender(const chan<T>& out) : sender(send_chan<T>(out)) {}

  /// Blocks as `chan::send` does.
  void send(T value) const { channel().send(std::move(value)); }
  [[nodiscard]] bool send(const context& ctx, T value) const { return channel().send(ctx, std::move(value)); }
  [[nodiscard]] bool try_send(T&& value) const { return channel().try_send(std::move(value)); }

  /// The channel, for a `select`'s send case.
  [[nodiscard]] send_chan<T> channel() const noexcept { return shared_ ? shared_->out : send_chan<T>(); }

  /// Gives this copy up before the end of its scope.
  void release() noexcept { shared_.reset(); }

 private:
  struct closer {
    send_chan<T> out;
    explicit closer(send_chan<T> c) noexcept : out(std::move(c)) {}
    closer(const closer&) = delete;
    closer& operator=(const closer&) = delete;
    ~closer() {
      if (out) out.close();
    }
  };
  std::shared_ptr<const closer> shared_;
};

template <class T>
sender(chan<T>) -> sender<T>;
template <class T>
sender(send_chan<T>) -> sender<T>;

}  // namespace tenon
