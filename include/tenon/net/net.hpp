#pragma once

/// Everything of `tenon::net`: sockets whose every wait parks the goroutine and ends with its context. Link to `tenon::net`.
///
/// Go counterpart: package `net`.

#include <tenon/net/address.hpp>
#include <tenon/net/buffer.hpp>
#include <tenon/net/dial.hpp>
#include <tenon/net/errc.hpp>
#include <tenon/net/resolve.hpp>
#include <tenon/net/serve.hpp>
#include <tenon/net/stream.hpp>
#include <tenon/net/tcp_listener.hpp>
#include <tenon/net/tcp_stream.hpp>
#include <tenon/net/udp_socket.hpp>
#include <tenon/net/unix_listener.hpp>
#include <tenon/net/unix_stream.hpp>
