#pragma once

// The Asio that this program is built with.

#include <tenon/asio.hpp>

#if defined(TENON_ASIO_BOOST)
#include <boost/asio.hpp>
#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/ssl.hpp>
namespace asio = boost::asio;
#else
#include <asio.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/experimental/channel.hpp>
#include <asio/ssl.hpp>
#endif

namespace tenon_test {
using asio_error_code = tenon::detail::asio_error_code;
using asio_system_error = tenon::detail::asio_system_error;
}  // namespace tenon_test
