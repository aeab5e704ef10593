#pragma once

// `std::thread` and `std::mutex` as the library uses them: the model's own where a modelled thread makes or locks one.

#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "model/engine/atomic.hpp"
#include "model/engine/model.hpp"

namespace tenon::model {

class os_thread {
 public:
  os_thread() noexcept = default;
  template <class F>
  explicit os_thread(F f) {
    if (modelled()) {
      modelled_ = std::make_unique<thread>(std::function<void()>(std::move(f)));
    } else {
      real_ = std::thread(std::move(f));
    }
  }
  [[nodiscard]] bool joinable() const noexcept { return modelled_ != nullptr || real_.joinable(); }
  void join() {
    if (modelled_ == nullptr) return real_.join();
    modelled_->join();
    modelled_.reset();
  }
  void detach() { real_.detach(); }

 private:
  std::thread real_;
  std::unique_ptr<thread> modelled_;
};

/// By a modelled thread it is a spin lock.
class os_mutex {
 public:
  void lock() {
    if (!modelled()) return real_.lock();
    while (held_.exchange(true, std::memory_order_acquire)) pause();
  }
  void unlock() {
    if (!modelled()) return real_.unlock();
    held_.store(false, std::memory_order_release);
  }

 private:
  std::mutex real_;
  atomic<bool> held_{false};
};

}  // namespace tenon::model
