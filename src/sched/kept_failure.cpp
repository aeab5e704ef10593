#include <tenon/detail/kept_failure.hpp>

#include <cxxabi.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <typeinfo>

#include <tenon/detail/atomic.hpp>

#include "base/fatal.hpp"
#include "base/list.hpp"
#include "platform/exceptions.hpp"
#include "sched/kept_failure.hpp"
#include "sched/scheduler.hpp"

// The failures that a fatal report names beside its own text.
//
//   1. The one that the dying goroutine, or thread, is unwinding for or handling.
//   2. Those that owners keep and no caller has seen: their records are in a list.
//   3. Where all goroutines are parked (a deadlock), those that parked ones are unwinding for or handling.
//
// Invariants
//  1. A record is in the list from `set` to `seen`, and its text is made in `set`: a report allocates nothing for it, it may come from a
//     signal handler that has interrupted malloc.
//  2. The list's lock is held for a few instructions, and by a report for as long as it prints: the process ends then.

namespace tenon::detail {

struct failure_record {
  failure_record* next = nullptr;
  failure_record* prev = nullptr;
  failed_goroutine who;
  std::string what;
};

namespace {

spin_lock records_lock;
list<failure_record> records;
detail::atomic<bool> any{false};  // whether there has ever been one, which is then looked for under the lock
detail::atomic<const void*> reported_already{nullptr};  // the exception that the report is about

void put(const char* text, int length, int room) noexcept {
  if (length > 0) (void)!::write(STDERR_FILENO, text, static_cast<std::size_t>(length < room ? length : room - 1));
}

/// "std::runtime_error: text".
std::string typed(const std::type_info* type, const char* text) {
  std::string out;
  if (type != nullptr) {
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(type->name(), nullptr, nullptr, &status),
                                                      &std::free);
    out = name != nullptr ? name.get() : type->name();
  }
  if (text != nullptr) {
    if (!out.empty()) out += ": ";
    out += text;
  }
  return out;
}

void print(const char* before, const failed_goroutine* who, const char* after, const std::string& what) noexcept {
  char line[2048];
  char name[512] = "";
  if (who != nullptr) describe(*who, name, sizeof name);
  put(line, std::snprintf(line, sizeof line, "%s%s%s%s\n", before, name, after, what.c_str()), sizeof line);
}

const void* address_of(const std::exception_ptr& e) noexcept {
  const void* address = nullptr;
  static_assert(sizeof e == sizeof address);
  std::memcpy(&address, static_cast<const void*>(&e), sizeof address);
  return address;
}

void print(const char* before, const failed_goroutine* who, const char* after, const std::exception_ptr& e) noexcept {
  if (address_of(e) == reported_already.load(std::memory_order_relaxed)) return;
  try {
    print(before, who, after, describe(e));
  } catch (...) {  // NOLINT: no memory for a text, or what() itself throws
  }
}

void print_own(goroutine_core* g) noexcept {
  const int unwinding = std::uncaught_exceptions();
  if (unwinding > 0) {
    if (const std::exception_ptr e = own_exception_in_flight(g != nullptr ? g->slot.top() : nullptr)) {
      print("an exception is on its way: ", nullptr, "", e);
    } else {
      print("an exception is on its way", nullptr, "", std::string());
    }
  }
  if (const std::exception_ptr e = std::current_exception()) print("while handling: ", nullptr, "", e);
}

void print_of_parked(const stack_slot& slot, void*) noexcept {
  const goroutine_core& g = *descriptor_of(slot);
  if (g.state.load(std::memory_order_acquire) != goroutine_state::waiting ||
      g.ctx.busy.load(std::memory_order_acquire) != 0) {
    return;
  }
  const failed_goroutine who = failed_goroutine::of(&g);
  if (g.uncaught_exceptions != 0) {
    if (const std::exception_ptr e = exception_in_flight(g.ctx.sp, slot.top()))
      print("", &who, ", is unwinding for: ", e);
  }
  if (const std::exception_ptr e = exception_handled(g.caught_exceptions)) print("", &who, ", is handling: ", e);
}

/// Whether this is the handler of a stack overflow, on the alternate stack: only what needs neither malloc nor a whole stack is done there.
bool on_another_stack(const goroutine_core* g) noexcept {
  const char here = 0;
  const auto* at = reinterpret_cast<const std::byte*>(&here);
  return g != nullptr && (at < g->slot.low() || at >= g->slot.top());
}

void print_failures() noexcept {
  goroutine_core* g = running_goroutine();
  const bool interrupted = on_another_stack(g);
  if (!interrupted) print_own(g);
  if (any.load(std::memory_order_relaxed)) {
    for (int tries = 0; !records_lock.try_lock() && tries < 1 << 20; ++tries) cpu_relax();
    for (const failure_record* r = records.front(); r != nullptr; r = r->next)
      print("failed before: ", &r->who, ": ", r->what);
    records_lock.unlock();
  }
  if (!interrupted && the_scheduler().all_parked()) stacks::for_each(&print_of_parked, nullptr);
}

[[maybe_unused]] const bool hooked = (set_failures_hook(&print_failures), true);

void keep(failure_record*& record, std::string what) {
  auto fresh = std::make_unique<failure_record>();
  fresh->who = failed_goroutine::of(running_goroutine());
  fresh->what = std::move(what);
  any.store(true, std::memory_order_relaxed);
  const std::lock_guard hold(records_lock);
  record = fresh.release();
  records.push_back(record);
}

}  // namespace

failed_goroutine failed_goroutine::of(const goroutine_core* g) noexcept {
  if (g == nullptr) return {};
  return {g->id.load(std::memory_order_relaxed), g->name, g->where};
}

int describe(const failed_goroutine& who, char* out, std::size_t room) noexcept {
  if (who.id == 0) return std::snprintf(out, room, "a plain thread");
  return std::snprintf(out, room, "goroutine %llu%s%s%s, started at %s:%u", static_cast<unsigned long long>(who.id),
                       who.name != nullptr ? " \"" : "", who.name != nullptr ? who.name : "",
                       who.name != nullptr ? "\"" : "", who.where.file_name(), static_cast<unsigned>(who.where.line()));
}

std::string describe(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& e) {
    return typed(&typeid(e), e.what());
  } catch (const char* text) {
    return typed(nullptr, text);
  } catch (const std::string& text) {
    return text;
  } catch (...) {
    const std::string type = typed(abi::__cxa_current_exception_type(), nullptr);
    return type.empty() ? "an exception of unknown type" : "an exception of type " + type;
  }
}

void report_is_about(const std::exception_ptr& failure) noexcept {
  reported_already.store(address_of(failure), std::memory_order_relaxed);
}

void kept_failure::set(const std::exception_ptr& failure) noexcept {
  try {
    seen();
    keep(record_, describe(failure));
  } catch (...) {  // NOLINT: unlisted, then
  }
}

void kept_failure::set(const std::string& message) noexcept {
  try {
    seen();
    keep(record_, message);
  } catch (...) {  // NOLINT: as above
  }
}

void kept_failure::seen() noexcept {
  failure_record* r = std::exchange(record_, nullptr);
  if (r == nullptr) return;
  {
    const std::lock_guard hold(records_lock);
    records.remove(r);
  }
  delete r;
}

void kept_failure::unhandled(std::exception_ptr failure) noexcept {
  const failed_goroutine who = record_ != nullptr ? record_->who : failed_goroutine::of(running_goroutine());
  seen();
  report_unhandled(std::move(failure), who);
}

}  // namespace tenon::detail
