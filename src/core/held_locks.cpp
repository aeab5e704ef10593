#include "core/held_locks.hpp"

#include <tenon/detail/atomic.hpp>

namespace tenon::detail {

detail::atomic<std::uint32_t> held_locks::generations{held_locks::generations_at_a_time};

bool held_locks::grow() noexcept {
  if (room == most_records) return false;
  const std::uint32_t more = room == 0 ? 2 : room * 2;
  auto* new_records = new (std::nothrow) holder_record[more];
  auto* new_sites = new (std::nothrow) call_site[more];
  if (new_records == nullptr || new_sites == nullptr) {
    delete[] new_records;
    delete[] new_sites;
    return false;
  }
  std::copy_n(records, n, new_records);
  std::copy_n(sites, n, new_sites);
  const holder_record* old_records = std::exchange(records, new_records);
  const call_site* old_sites = std::exchange(sites, new_sites);
  room = more;
  std::atomic_signal_fence(std::memory_order_seq_cst);  // a dump may stop us anywhere, and looks at the records
  delete[] old_records;
  delete[] old_sites;
  return true;
}

held_locks* first_held_locks(parker* me) noexcept {
  auto* held = new (std::nothrow) held_locks;
  if (held == nullptr) return nullptr;
  if (me->what == parker::kind::goroutine) {
    const auto* g = static_cast<const goroutine_core*>(me);
    held->stack = {reinterpret_cast<std::uintptr_t>(g->low), reinterpret_cast<std::uintptr_t>(g)};
  } else {
    held->stack = stack_of_this_thread();
  }
  me->held = held;
  return held;
}

void forget_held_locks(parker* p) noexcept {
  const held_locks* held = std::exchange(p->held, nullptr);
  std::atomic_signal_fence(std::memory_order_seq_cst);  // as in grow
  delete held;
}

}  // namespace tenon::detail
