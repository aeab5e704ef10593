#pragma once

/// `driven_io_context`: an `io_context` of Asio's that a goroutine runs, so that asynchronous operations need no thread of the program's.
///
/// Go counterpart: none; the netpoller of the Go runtime is what does this for Go's own sockets.
///
///     tn::driven_io_context io;
///     asio::steady_timer at(io, 1s);
///     if (tn::error e = at.async_wait(tn::use_goroutine(ctx))) return e;
///
/// It is an `io_context` in every respect but that `run` is called for it, within `blocking`, as long as it lives: its handlers run one after the other, on one thread,
/// and must not wait for goroutines. An exception that a handler lets out ends the program, as it would end a thread of the program's own.
///
/// The destructor stops it and waits for the handler that runs, if one does. Operations that are pending then are dropped: what waits for one by `use_goroutine` gets
/// `operation_aborted`. So it outlives what works with it, Asio's I/O objects too, in an outer scope. Only within a run. As long as there is one, no deadlock is reported: something outside
/// may always wake somebody.

#include <tenon/asio/library.hpp>
#include <tenon/blocking.hpp>
#include <tenon/go.hpp>

namespace tenon {
inline namespace TENON_ASIO_INLINE_NAMESPACE {

class driven_io_context : public detail::asio_library::io_context {
 public:
  driven_io_context()
      : io_context(1),
        work_(get_executor()),
        runner_(go({.name = "driven_io_context"}, [this] { blocking([this]() noexcept { run(); }); })) {}
  driven_io_context(const driven_io_context&) = delete;
  driven_io_context& operator=(const driven_io_context&) = delete;
  ~driven_io_context() {
    stop();
    runner_.join();
  }

 private:
  detail::asio_library::executor_work_guard<executor_type> work_;
  goroutine<> runner_;
};

}  // namespace TENON_ASIO_INLINE_NAMESPACE
}  // namespace tenon
