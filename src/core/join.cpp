#include <thread>

#include "core/chan.hpp"
#include "platform/annotate.hpp"
#include "sched/goroutine.hpp"

#include <tenon/detail/goroutine_frame.hpp>
#include <tenon/select.hpp>

// Waiting for the end of a goroutine. Its owner is the only one who waits, so a word is enough: goroutine_core::join_state.

namespace tenon::detail {

namespace {

constexpr std::uintptr_t ended = 1;

/// With a context the end and the cancellation compete. The goroutine that ends calls us; `left` tells when it is done with us.
struct end_notice : callback_parker {
  waiter self;
  claim_group group;
  std::atomic<bool> left{false};

  end_notice() noexcept
      : callback_parker([](callback_parker* p) noexcept {
          annotate::happens_after(p);
          auto* n = static_cast<end_notice*>(p);
          parker* who = n->self.who;
          const bool mine = claim(&n->self);
          n->left.store(true, std::memory_order_release);  // our last look at it
          if (mine) unpark(who);
        }) {}
};

}  // namespace

static bool wait_for_end(goroutine_core* g, chan_core* done) {
  if (g->join_state.load(std::memory_order_acquire) == ended) return true;
  std::uintptr_t nobody = 0;
  if (done == nullptr) {
    parker* me = begin_wait(wait_reason::join, g);
    if (g->join_state.compare_exchange_strong(nobody, reinterpret_cast<std::uintptr_t>(me),
                                              std::memory_order_acq_rel)) {
      commit_wait(me);
    } else {
      end_wait(me);
    }
    return true;
  }

  end_notice notice;
  notice.self.group = &notice.group;
  waiter cancel;
  cancel.group = &notice.group;
  cancel.accept = &accept_nothing;
  done->lock.lock();
  if (done->closed.load(std::memory_order_relaxed)) {
    done->lock.unlock();
    return false;
  }
  parker* me = begin_wait(wait_reason::join, g);
  notice.self.who = cancel.who = me;
  push_back(done->receivers, &cancel);
  done->lock.unlock();
  parker* as_parker = &notice;
  annotate::happens_before(as_parker);
  const bool published = g->join_state.compare_exchange_strong(nobody, reinterpret_cast<std::uintptr_t>(as_parker),
                                                               std::memory_order_acq_rel);
  if (!published && claim(&notice.self)) {  // it has ended already, and cancellation has not fired: nobody will wake us
    end_wait(me);
  } else {
    commit_wait(me);
  }
  done->lock.lock();
  if (cancel.queued) unlink(done->receivers, &cancel);
  done->lock.unlock();
  if (!published) return true;
  auto mine = reinterpret_cast<std::uintptr_t>(as_parker);
  if (notice.group.winner.load(std::memory_order_acquire) == &cancel &&
      g->join_state.compare_exchange_strong(mine, 0, std::memory_order_acq_rel)) {
    return false;
  }
  while (!notice.left.load(std::memory_order_acquire))
    std::this_thread::yield();  // a few instructions of the other side
  return true;
}

bool goroutine_join(goroutine_core* g, chan_core* done) {
  const bool has_ended = wait_for_end(g, done);
  if (has_ended) annotate::happens_after(g);
  return has_ended;
}

}  // namespace tenon::detail
