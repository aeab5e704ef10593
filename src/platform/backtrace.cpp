#include "platform/backtrace.hpp"

#include <unwind.h>

namespace tenon {

namespace {

struct collection {
  const void** pcs;
  unsigned room;
  unsigned n;
};

_Unwind_Reason_Code collect(_Unwind_Context* context, void* arg) {
  auto& c = *static_cast<collection*>(arg);
  if (c.n == c.room) return _URC_END_OF_STACK;
  int before = 0;
  const auto pc = _Unwind_GetIPInfo(context, &before);
  if (pc == 0) return _URC_END_OF_STACK;
  // `before`: the pc is the instruction that was interrupted, not a return address.
  c.pcs[c.n++] = reinterpret_cast<const void*>(pc + (before != 0 ? 1 : 0));
  return _URC_NO_REASON;
}

}  // namespace

unsigned backtrace(const void** pcs, unsigned room) noexcept {
  collection c{pcs, room, 0};
  _Unwind_Backtrace(&collect, &c);
  return c.n;
}

}  // namespace tenon
