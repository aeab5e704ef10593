#pragma once

/// `singleflight<K, V>`: calls for the same key at the same time do the work once and share its result.
///
/// Go counterpart: `golang.org/x/sync/singleflight`, `Group`.
///
///     tenon::singleflight<std::string, page> flights;
///     auto [value, shared] = flights.call(url, [&] { return fetch(url); });
///
/// `call` runs f in the caller if no call is at that key, else it blocks until that flight lands. If f throws, every caller of
/// the flight gets the same exception object: look at it, do not change it. With a context a caller that waits gives up when it
/// is canceled (`nullopt`); the flight goes on. `call_chan` never blocks: f runs in a goroutine that this object owns, and the
/// result comes on a channel. `forget(key)` lets the next call start a new flight although one is in the air. f calling for its
/// own key is a deadlock. A flight is the work of the caller that came first: if its f runs under that caller's context, a cancel of that one
/// fails the flight for all. Give f a context that belongs to the work: `without_cancel(ctx)`, with a deadline of its own. Thread-safe; the destructor waits for the flights of `call_chan`.
/// Cannot be copied or moved.

#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <source_location>
#include <unordered_map>
#include <utility>
#include <vector>

#include <tenon/chan.hpp>
#include <tenon/context.hpp>
#include <tenon/detail/caught.hpp>
#include <tenon/error.hpp>
#include <tenon/mutex.hpp>
#include <tenon/select.hpp>
#include <tenon/wait_group.hpp>

namespace tenon {

template <class K, class V, class Hash = std::hash<K>, class Equal = std::equal_to<K>>
class singleflight {
 public:
  struct result {
    V value;
    bool shared = false;  ///< others got it, too
  };
  /// What a channel delivers: a value, or the exception as an error.
  struct outcome {
    std::optional<V> value;
    error err;
    bool shared = false;
  };

  singleflight() = default;
  singleflight(const singleflight&) = delete;
  singleflight& operator=(const singleflight&) = delete;
  ~singleflight() { ours_.wait(); }

  template <class F>
  result call(const K& key, F&& f) {
    auto [at, mine] = board(key);
    if (mine) {
      fly(*at, f);
    } else {
      (void)at->landed.recv();
    }
    return at->get();
  }

  /// `nullopt` if `ctx` was canceled while another caller's flight was in the air. An f of one's own is not cut off: give it a context.
  template <class F>
  [[nodiscard]] std::optional<result> call(const context& ctx, const K& key, F&& f) {
    if (ctx.is_canceled()) return std::nullopt;
    auto [at, mine] = board(key);
    if (mine) {
      fly(*at, f);
    } else if (!at->landed.recv(ctx) && ctx.is_canceled() && !at->has_landed()) {
      return std::nullopt;
    }
    return at->get();
  }

  template <class F>
  [[nodiscard]] recv_chan<outcome> call_chan(const K& key, F&& f,
                                             std::source_location where = std::source_location::current()) {
    const auto to = make_chan<outcome>(1);
    std::shared_ptr<flight> at;
    {
      const std::lock_guard hold(mu_);
      const auto [found, mine] = find_or_make(key);
      try {
        found->listeners.push_back(to);
      } catch (...) {
        if (mine) in_the_air_.erase(key);
        throw;
      }
      if (!mine) {
        ++found->passengers;
        return to;
      }
      at = found;
    }
    try {
      ours_.go([this, at, f = std::decay_t<F>(std::forward<F>(f))]() mutable { fly(*at, f); }, where);
    } catch (...) {  // no stack: others may be on board by now
      at->failure = detail::caught();
      land(*at);
    }
    return to;
  }

  void forget(const K& key) {
    const std::lock_guard hold(mu_);
    const auto place = in_the_air_.find(key);
    if (place == in_the_air_.end()) return;
    place->second->key = nullptr;
    in_the_air_.erase(place);
  }

 private:
  struct flight {
    std::optional<V> value;
    std::exception_ptr failure;
    const K* key = nullptr;  // the map's own, for f may change the caller's; null once forgotten; guarded by mu_
    int passengers = 0;      // besides the first; guarded by mu_ until the landing
    std::vector<send_chan<outcome>> listeners;
    chan<void> landed = make_chan<void>();

    [[nodiscard]] bool has_landed() const { return select(tenon::recv(landed), otherwise) == 0; }
    [[nodiscard]] result get() const {
      if (failure) std::rethrow_exception(failure);
      return {*value, passengers != 0};
    }
  };

  /// The key's flight, and whether it is the caller who has to fly it.
  std::pair<std::shared_ptr<flight>, bool> board(const K& key) {
    const std::lock_guard hold(mu_);
    auto found = find_or_make(key);
    if (!found.second) ++found.first->passengers;
    return found;
  }

  /// Under the lock.
  std::pair<std::shared_ptr<flight>, bool> find_or_make(const K& key) {
    const auto [place, fresh] = in_the_air_.try_emplace(key);
    if (fresh) {
      try {
        place->second = std::make_shared<flight>();
        place->second->key = &place->first;
      } catch (...) {
        in_the_air_.erase(place);
        throw;
      }
    }
    return {place->second, fresh};
  }

  template <class F>
  void fly(flight& at, F& f) {
    try {
      at.value.emplace(f());
    } catch (...) {
      at.failure = detail::caught();
    }
    land(at);
  }

  void land(flight& at) {
    {
      const std::lock_guard hold(mu_);
      // A key that is not equal to itself, or refers to what has changed, is not found.
      const auto place = at.key == nullptr ? in_the_air_.end() : in_the_air_.find(*at.key);
      if (place != in_the_air_.end() && place->second.get() == &at) in_the_air_.erase(place);
    }
    // Before others have the exception: the last of them to let go destroys it, and ThreadSanitizer sees no order between that and a look at its text.
    error why;
    try {
      why = error(at.failure);
    } catch (...) {  // NOLINT: no memory; each listener tries again
    }
    at.landed.close();
    for (const auto& to : at.listeners) {
      try {
        to.send({at.value, why ? why : error(at.failure), at.passengers != 0});
      } catch (...) {  // the copy of the value threw: that is what this one gets
        to.send({std::nullopt, error(detail::caught()), at.passengers != 0});
      }
    }
  }

  mutex mu_;
  std::unordered_map<K, std::shared_ptr<flight>, Hash, Equal> in_the_air_;
  wait_group ours_;
};

}  // namespace tenon
