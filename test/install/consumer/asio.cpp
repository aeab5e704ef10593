// Asio with the installed headers, whichever Asio there is.

#include <chrono>
#include <iostream>
#include <string>
#include <utility>

#include <tenon/asio.hpp>
#include <tenon/net/net.hpp>
#include <tenon/tenon.hpp>

#if defined(TENON_ASIO_BOOST)
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
namespace asio = boost::asio;
#else
#include <asio/read.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>
#endif

int main() {
  return tenon::run([]() -> tenon::error {
    tenon::driven_io_context io;
    asio::steady_timer at(io, std::chrono::milliseconds(1));
    if (tenon::error e = at.async_wait(tenon::use_goroutine)) return e;
    auto ends = tenon::net::socket_pair();
    if (!ends) return ends.err();
    tenon::asio_stream a(std::move(ends->first));
    tenon::asio_stream b(ends->second);
    asio::write(a, asio::buffer(std::string("text")));
    std::string got(4, '\0');
    asio::read(b, asio::buffer(got));
    if (got == "text") std::cout << "42\n";
    return nullptr;
  });
}
