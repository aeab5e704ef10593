#pragma once

// Which Asio: Boost's (1.74 or later) or the one that stands alone (1.22 or later).
//
// TENON_ASIO_BOOST and TENON_ASIO_STANDALONE choose. Without them it is the one that has been included already, else the one that is there, and of both Boost's. A
// program may use both, each in files of its own: the two inline namespaces keep what is made for one from what is made for the other.

#include <system_error>

#include <tenon/detail/requirements.hpp>

#if defined(TENON_ASIO_BOOST) && defined(TENON_ASIO_STANDALONE)
#error "tenon: TENON_ASIO_BOOST and TENON_ASIO_STANDALONE are both defined: one Asio in one file"
#elif !defined(TENON_ASIO_BOOST) && !defined(TENON_ASIO_STANDALONE)
#if defined(BOOST_ASIO_VERSION)
#define TENON_ASIO_BOOST 1
#elif defined(ASIO_VERSION) || defined(ASIO_STANDALONE)
#define TENON_ASIO_STANDALONE 1
#elif __has_include(<boost/asio/version.hpp>)
#define TENON_ASIO_BOOST 1
#elif __has_include(<asio/version.hpp>)
#define TENON_ASIO_STANDALONE 1
#else
#error "tenon: neither boost/asio.hpp nor asio.hpp is found (Debian and Ubuntu: libboost-dev, libasio-dev)"
#endif
#endif

#if defined(TENON_ASIO_BOOST)
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/version.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>
#if __has_include(<boost/asio/cancellation_signal.hpp>)
#include <boost/asio/cancellation_signal.hpp>
#define TENON_ASIO_CANCELS 1
#endif
#define TENON_ASIO_INLINE_NAMESPACE with_boost_asio
#if BOOST_ASIO_VERSION < 101700
#error "tenon: this Boost.Asio is too old: 1.74 is the first that works"
#endif
namespace tenon::detail {
namespace asio_library = ::boost::asio;
using asio_error_code = ::boost::system::error_code;
using asio_system_error = ::boost::system::system_error;
}  // namespace tenon::detail
#else
#include <asio/any_io_executor.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/buffer.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/dispatch.hpp>
#include <asio/error.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/system_error.hpp>
#include <asio/version.hpp>
#define TENON_ASIO_CANCELS 1
#define TENON_ASIO_INLINE_NAMESPACE with_asio
#if ASIO_VERSION < 102200
#error "tenon: this Asio is too old: 1.22 is the first that works"
#endif
namespace tenon::detail {
namespace asio_library = ::asio;
using asio_error_code = ::asio::error_code;
using asio_system_error = ::asio::system_error;
}  // namespace tenon::detail
#endif

namespace tenon {
inline namespace TENON_ASIO_INLINE_NAMESPACE {}
}  // namespace tenon
