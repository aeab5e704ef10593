#pragma once

/// tenon with Asio, and with what is built on Asio: TLS, HTTP, WebSocket, and whatever has asynchronous operations of Asio's kind.
///
/// `asio_stream` lends a stream of `net` to synchronous calls, which then block the goroutine and nothing else. `use_goroutine` makes a call of any asynchronous
/// operation. `driven_io_context` is what such operations run in. For Boost.Asio and for the Asio that stands alone: tenon/asio/library.hpp says how it is chosen.
/// Needs the library `tenon::net`; the target `tenon::asio` is that. Asio itself the program brings along.

#include <tenon/asio/asio_stream.hpp>
#include <tenon/asio/driven_io_context.hpp>
#include <tenon/asio/use_goroutine.hpp>
