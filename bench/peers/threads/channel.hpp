#pragma once

/// A bounded channel for threads: a ring buffer, a mutex and two condition variables. One of capacity 0 is a
/// rendezvous: a value goes in only when a receiver has come for it.

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace bench::threads {

template <class T>
class channel {
 public:
  explicit channel(std::size_t capacity = 0) : rendezvous_(capacity == 0), slots_(std::max<std::size_t>(capacity, 1)) {}

  void send(T value) {
    {
      std::unique_lock lock(mutex_);
      not_full_.wait(lock, [this] { return has_room(); });
      slots_[(first_ + count_++) % slots_.size()] = std::move(value);
    }
    not_empty_.notify_one();
  }

  /// Nothing once the channel is closed and empty.
  std::optional<T> recv() {
    std::unique_lock lock(mutex_);
    ++receivers_;
    if (rendezvous_ && has_room()) not_full_.notify_one();
    not_empty_.wait(lock, [this] { return count_ > 0 || closed_; });
    --receivers_;
    if (count_ == 0) return std::nullopt;
    std::optional<T> value(std::move(slots_[first_]));
    first_ = (first_ + 1) % slots_.size();
    --count_;
    const bool room = has_room();
    lock.unlock();
    if (room) not_full_.notify_one();
    return value;
  }

  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    not_empty_.notify_all();
  }

 private:
  // The sender of a rendezvous goes on as soon as its value is in the slot: the receiver that it is for cannot turn
  // back, so nobody can tell. It spares the sender a second wait.
  bool has_room() const { return count_ < slots_.size() && (!rendezvous_ || receivers_ > 0); }

  const bool rendezvous_;
  std::mutex mutex_;
  std::condition_variable not_full_;
  std::condition_variable not_empty_;
  std::vector<T> slots_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::size_t receivers_ = 0;
  bool closed_ = false;
};

}  // namespace bench::threads
