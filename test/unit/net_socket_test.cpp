#include <tenon/net/stream.hpp>

// Sockets beneath their streams: what they keep, whom a close holds up, numbers that are used anew, and what is adopted.

#include <gtest/gtest.h>

#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <tenon/net/net.hpp>
#include <tenon/os/os.hpp>
#include <tenon/tenon.hpp>

#include "support/tcp_pair.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::context;
using tenon::error;
using tenon::group;
using tenon::net::errc;
using tenon::net::tcp_listener;
using tenon::net::tcp_stream;
using tenon::net::unix_stream;
using tenon_test::tcp_pair;

void let_them_wait() {
  for (int i = 0; i < 100; ++i) tenon::yield();
}

// A peer whose last line is never whole: what was read before it is not kept for it.
TEST(NetSocket, KeepsNothingOfTheLinesThatWereRead) {
  tenon::run([](const context& root) {
    auto [a, b] = tenon::net::socket_pair().value();
    const std::string line(60'000, 'x');
    group g(root);
    const auto exchange = [&, &a = a, &b = b](int lines) {
      g.go([&, lines](const context& ctx) -> error {
        for (int i = 0; i < lines; ++i) {
          if (error e = a.write_all(ctx, {line, "\ny"})) return e;
        }
        return nullptr;
      });
      for (int i = 0; i < lines; ++i) EXPECT_TRUE(b.read_until(root, "\n"));
    };
    EXPECT_FALSE(a.write_all(root, "y"));
    exchange(2);
    const auto before = ::mallinfo2();
    exchange(200);
    const auto after = ::mallinfo2();
    EXPECT_LT(after.uordblks + after.hblkhd, before.uordblks + before.hblkhd + (4U << 20U));
    EXPECT_FALSE(g.wait());
  });
}

// The system gives the number of a socket away before it lingers: whoever has it then is not held up by the close, nor has its own undone.
TEST(NetSocket, ACloseThatLingersHoldsUpNoOther) {
  tenon::run([](const context& root) {
    auto [a, b] = tcp_pair(root);
    static const std::string much(64 << 20U, 'x');
    int queued = 0;
    for (auto d = 20ms; queued == 0; d *= 2) {  // b reads nothing
      EXPECT_EQ(a.write_all(tenon::within(root, d), much), tenon::deadline_exceeded());
      ASSERT_EQ(::ioctl(a.native_handle(), TIOCOUTQ, &queued), 0);
    }
    EXPECT_FALSE(a.set_linger(1h));
    const int number = a.native_handle();
    group g(root);
    g.go([&a = a] { return a.close(); });
    while (::fcntl(number, F_GETFD) != -1) tenon::sleep_for(1ms);

    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    if (ends[1] == number) std::swap(ends[0], ends[1]);
    if (ends[0] != number) {
      ASSERT_EQ(::dup3(ends[0], number, O_CLOEXEC), number);
      ::close(ends[0]);
    }
    auto next = unix_stream::adopt(number).value();
    auto peer = unix_stream::adopt(ends[1]).value();
    group users(root);
    users.go([&] {
      let_them_wait();  // the reader waits by then, most times
      return peer.write_all("x");
    });
    char one[1];
    const error e = next.read_exactly(root, one);
    EXPECT_FALSE(e) << e.message();
    users.go([&] {
      char two[1];
      EXPECT_EQ(next.read_some(root, two).err(), errc::closed);
    });
    let_them_wait();
    users.go([&] { return next.close(); });
    EXPECT_FALSE(b.close());  // with all that it has not read: a reset, which ends the lingering
    EXPECT_FALSE(g.wait());
    EXPECT_FALSE(users.wait());
  });
}

TEST(NetSocket, ACloseEndsACallThatNeverHasToWait) {
  tenon::run(
      [](const context& root) {
        auto nowhere = tenon::os::pipe_stream::adopt(::open("/dev/null", O_WRONLY | O_CLOEXEC)).value();
        const int endless = ::memfd_create("zeros", MFD_CLOEXEC);
        ASSERT_EQ(::ftruncate(endless, off_t{1} << 44), 0);
        group g(root);
        g.go([&](const context& ctx) {
          EXPECT_EQ(nowhere.send_file(ctx, endless, 0, std::uint64_t{1} << 44U), errc::closed);
        });
        let_them_wait();
        EXPECT_FALSE(nowhere.close());
        EXPECT_FALSE(g.wait());
        ::close(endless);
      },
      {.workers = 1});
}

int option_of(int fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  EXPECT_EQ(::getsockopt(fd, level, name, &value, &size), 0);
  return value;
}

// Go: net.FileConn, net.FileListener
TEST(NetAdopt, GivesTheOptionsOfAnyOtherStream) {
  tenon::run([](const context& root) {
    const int listening = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(::listen(listening, 1), 0);
    auto at = tcp_listener::adopt(listening).value();
    const auto here = at.local().value();
    const int connected = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(here.port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::connect(connected, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    const auto adopted = tcp_stream::adopt(connected).value();
    const auto accepted = at.accept(root).value();
    for (const tcp_stream* s : {&adopted, &accepted}) {
      EXPECT_EQ(option_of(s->native_handle(), IPPROTO_TCP, TCP_NODELAY), 1);
      EXPECT_EQ(option_of(s->native_handle(), SOL_SOCKET, SO_KEEPALIVE), 1);
      EXPECT_EQ(option_of(s->native_handle(), IPPROTO_TCP, TCP_KEEPIDLE), 15);
    }
  });
}

TEST(NetAdopt, RefusesAListenerForAStreamAndTheReverse) {
  tenon::run([](const context& root) {
    auto at = tcp_listener::listen("127.0.0.1:0").value();
    auto s = tcp_stream::connect(root, at.local().value()).value();
    const int listening = at.release().value();
    const int connected = s.release().value();
    EXPECT_TRUE(tcp_stream::adopt(listening).err().is(std::errc::wrong_protocol_type));
    EXPECT_TRUE(tcp_listener::adopt(connected).err().is(std::errc::wrong_protocol_type));
    EXPECT_TRUE(tcp_listener::adopt(listening)) << "whoever was refused still has it";
    EXPECT_TRUE(tcp_stream::adopt(connected));
  });
}

/// Says goodbye as its thread ends, after what the thread had for reading and writing would have gone, if it were an ordinary variable.
struct polite_client {
  std::optional<unix_stream> s;
  std::string* heard = nullptr;
  ~polite_client() {
    if (!s) return;
    EXPECT_EQ(s->append_some(*heard, 100).value_or(0), 5U);
    EXPECT_FALSE(s->write_all({"by", "e"}));
  }
};

TEST(NetThread, MayReadAndWriteAsItsVariablesGo) {
  auto [here, there] = tenon::net::socket_pair().value();
  std::string heard;
  std::thread([&heard, &there = there, mine = std::move(here)]() mutable {
    thread_local polite_client client;
    client.s = std::move(mine);
    client.heard = &heard;
    std::string first;
    EXPECT_FALSE(there.write_all("hello"));
    EXPECT_EQ(client.s->append_some(first, 100).value_or(0), 5U);
    EXPECT_FALSE(there.write_all("again"));
  }).join();
  EXPECT_EQ(heard, "again");
  EXPECT_EQ(there.read_until("e").value_or(""), "bye");
}

}  // namespace
