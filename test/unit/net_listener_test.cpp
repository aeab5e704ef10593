#include <tenon/net/tcp_listener.hpp>

// Listeners and sockets of datagrams.

#include <gtest/gtest.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <tenon/net/net.hpp>
#include <tenon/tenon.hpp>

#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::context;
using tenon::error;
using tenon::group;
using tenon::net::endpoint;
using tenon::net::errc;
using tenon::net::ip_address;
using tenon::net::tcp_listener;
using tenon::net::tcp_stream;
using tenon::net::udp_socket;
using tenon::net::unix_address;
using tenon::net::unix_listener;
using tenon::net::unix_stream;

std::size_t open_descriptors() {
  std::size_t n = 0;
  DIR* const all = ::opendir("/proc/self/fd");
  while (::readdir(all) != nullptr) ++n;
  ::closedir(all);
  return n;
}

// Go: net.Listen
TEST(NetTcpListener, TakesAFreePortAndAcceptsWhoComes) {
  tenon::run([](const context& root) {
    auto at = tcp_listener::listen("127.0.0.1:0").value();
    const endpoint here = at.local().value();
    EXPECT_NE(here.port, 0);
    EXPECT_EQ(here.address, ip_address::loopback_v4());
    auto a = tcp_stream::connect(root, here).value();
    auto b = at.accept(root).value();
    EXPECT_EQ(b.peer(), a.local().value());
    EXPECT_EQ(a.peer(), here);
    auto c = tcp_stream::connect(here).value();
    EXPECT_TRUE(at.accept());
  });
}

TEST(NetTcpListener, OnAllAddressesTakesBothVersions) {
  tenon::run([](const context& root) {
    auto at = tcp_listener::listen(":0").value();
    const std::uint16_t port = at.local().value().port;
    auto a = tcp_stream::connect(root, {ip_address::loopback_v4(), port}).value();
    auto b = at.accept(root).value();
    EXPECT_TRUE(b.peer().address.is_v4()) << "not one that is mapped into version 6: " << b.peer().to_string();
  });
}

TEST(NetTcpListener, RefusesAPortThatIsInUse) {
  tenon::run([](const context&) {
    auto at = tcp_listener::listen("127.0.0.1:0").value();
    const std::string here = at.local().value().to_string();
    const auto again = tcp_listener::listen(here);
    ASSERT_FALSE(again);
    EXPECT_TRUE(again.err().is(std::errc::address_in_use));
    EXPECT_EQ(again.err().message().rfind("listen " + here, 0), 0U) << again.err().message();
    EXPECT_FALSE(at.close());
    EXPECT_TRUE(tcp_listener::listen(here)) << "a listener that has gone leaves its port";
  });
}

TEST(NetTcpListener, SharesAPortWhereThatIsAskedFor) {
  tenon::run([](const context&) {
    auto at = tcp_listener::listen("127.0.0.1:0", {.reuse_port = true}).value();
    EXPECT_TRUE(tcp_listener::listen(at.local().value(), {.reuse_port = true}));
  });
}

TEST(NetTcpListener, RefusesWhatIsNoAddress) {
  for (const char* text : {"", "localhost:80", "127.0.0.1", "127.0.0.1:65536", "127.0.0.1:http"}) {
    EXPECT_TRUE(tcp_listener::listen(text).err().is(errc::not_an_address)) << text;
  }
}

// Go: use of closed network connection
TEST(NetTcpListener, CloseEndsTheAcceptsOfOthers) {
  for (const unsigned workers : {1U, 2U, 8U}) {
    tenon::run(
        [](const context& root) {
          auto at = tcp_listener::listen("127.0.0.1:0").value();
          group g(root);
          std::vector<error> ends(3);
          const auto begun = tenon::make_chan<void>(3, "one for each");
          for (error& e : ends) {
            g.go([&] {
              begun.send();
              e = at.accept(root).err();
            });
          }
          for (int i = 0; i < 3; ++i) (void)begun.recv();
          for (int i = 0; i < 100; ++i) tenon::yield();
          EXPECT_FALSE(at.close());
          EXPECT_FALSE(g.wait());
          for (const error& e : ends) EXPECT_EQ(e, error(errc::closed));
          EXPECT_TRUE(at.accept(root).err().is(errc::closed));
          EXPECT_TRUE(at.local().err().is(errc::closed));
          EXPECT_TRUE(at.close().is(errc::closed));
        },
        {.workers = workers});
  }
}

TEST(NetTcpListener, AcceptEndsWithItsContext) {
  tenon::run([](const context& root) {
    auto at = tcp_listener::listen("127.0.0.1:0").value();
    EXPECT_EQ(at.accept(tenon::within(root, 1ms)).err(), tenon::deadline_exceeded());
    const auto scope = tenon::with_cancel(root);
    scope.cancel();
    EXPECT_EQ(at.accept(scope.ctx()).err(), tenon::canceled());
  });
}

// A process that is out of descriptors is told, loses no connection, and gets it once it has some again.
TEST(NetTcpListener, OutOfDescriptorsLosesNoConnection) {
  tenon::run([](const context& root) {
    auto at = tcp_listener::listen("127.0.0.1:0").value();
    auto a = tcp_stream::connect(root, at.local().value()).value();
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(next);
    rlimit tight = before;
    tight.rlim_cur = static_cast<rlim_t>(next);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
    const error e = at.accept(root).err();
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_TRUE(e.is(std::errc::too_many_files_open)) << e.message();
    auto b = at.accept(root).value();
    EXPECT_FALSE(a.write_all(root, "x"));
    char one[1];
    EXPECT_FALSE(b.read_exactly(root, one));
  });
}

TEST(NetTcpListener, ManyConnectionsLeaveNoDescriptor) {
  const std::size_t before = [] {
    std::size_t n = 0;
    tenon::run([&](const context&) { n = open_descriptors(); });
    return n;
  }();
  tenon::run([](const context& root) {
    auto at = tcp_listener::listen("127.0.0.1:0").value();
    const endpoint here = at.local().value();
    for (int round = 0; round < 20; ++round) {
      group g(root);
      g.go_n(20, [&](const context& ctx) -> error {
        auto s = tcp_stream::connect(ctx, here);
        return s ? s->write_all(ctx, "hello") : s.err();
      });
      for (int i = 0; i < 20; ++i) {
        auto peer = at.accept(root).value();
        char text[5];
        EXPECT_FALSE(peer.read_exactly(root, text));
      }
      EXPECT_FALSE(g.wait());
    }
  });
  std::size_t after = 0;
  tenon::run([&](const context&) { after = open_descriptors(); });
  EXPECT_EQ(after, before);
}

TEST(NetTcpListener, IsReleasedAndAdopted) {
  tenon::run([](const context& root) {
    auto at = tcp_listener::listen("127.0.0.1:0").value();
    const endpoint here = at.local().value();
    auto again = tcp_listener::adopt(at.release().value()).value();
    EXPECT_FALSE(at.is_open());
    auto a = tcp_stream::connect(root, here).value();
    EXPECT_TRUE(again.accept(root));
  });
}

// ---- sockets of this machine --------------------------------------------------------------------------------------

class NetUnixListener : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/tenon-net-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string folder_;
};

// Go: net.Listen("unix", path)
TEST_F(NetUnixListener, MakesAFileAndTakesItAway) {
  const std::string path = folder_ + "/socket";
  tenon::run([&](const context& root) {
    {
      auto at = unix_listener::listen(path).value();
      EXPECT_EQ(at.local().path(), path);
      auto a = unix_stream::connect(root, at.local()).value();
      auto b = at.accept(root).value();
      EXPECT_FALSE(a.write_all(root, "x"));
      char one[1];
      EXPECT_FALSE(b.read_exactly(root, one));
      EXPECT_TRUE(unix_listener::listen(path).err().is(std::errc::address_in_use));
      auto moved = std::move(at);
      EXPECT_FALSE(at.is_open());
      EXPECT_TRUE(std::filesystem::exists(path));
    }
    EXPECT_FALSE(std::filesystem::exists(path));
    const auto nobody = unix_stream::connect(root, *unix_address::parse(path));
    EXPECT_TRUE(nobody.err().is(std::errc::no_such_file_or_directory));
    EXPECT_NE(nobody.err().message().find(path), std::string::npos) << nobody.err().message();
  });
}

TEST_F(NetUnixListener, LeavesNoFileInTheAbstractSpace) {
  tenon::run([&](const context& root) {
    const std::string name = "@" + folder_;
    auto at = unix_listener::listen(name).value();
    auto a = unix_stream::connect(root, at.local()).value();
    EXPECT_TRUE(at.accept());
    EXPECT_FALSE(at.close());
    EXPECT_TRUE(unix_stream::connect(root, *unix_address::parse(name)).err().is(std::errc::connection_refused));
  });
}

TEST_F(NetUnixListener, WithoutANameGetsOneOfTheSystems) {
  tenon::run([](const context& root) {
    auto at = unix_listener::listen("").value();
    EXPECT_TRUE(at.local().is_abstract()) << at.local().path();
    auto a = unix_stream::connect(root, at.local()).value();
    EXPECT_TRUE(at.accept());
  });
}

// The kernel does not say when a full queue has room again.
TEST_F(NetUnixListener, WhoseQueueIsFullIsWaitedFor) {
  tenon::run([&](const context& root) {
    auto at = unix_listener::listen("@" + folder_, {.backlog = 0}).value();
    std::vector<unix_stream> queued;
    error e;
    while (!e) {
      auto s = unix_stream::connect(tenon::within(root, 20ms), at.local());
      e = s.err();
      if (s) queued.push_back(*std::move(s));
    }
    EXPECT_EQ(e, tenon::deadline_exceeded()) << e.message();
    group g(root);
    g.go([&](const context& ctx) { return unix_stream::connect(ctx, at.local()).err(); });
    for (std::size_t i = 0; i < queued.size() + 1; ++i) EXPECT_TRUE(at.accept(root));
    EXPECT_FALSE(g.wait());
  });
}

// ---- datagrams ----------------------------------------------------------------------------------------------------

// Go: net.UDPConn
TEST(NetUdpSocket, SendsAndReceivesDatagrams) {
  tenon::run([](const context& root) {
    auto a = udp_socket::bind("127.0.0.1:0").value();
    auto b = udp_socket::bind(endpoint{ip_address::loopback_v4(), 0}).value();
    const endpoint there = b.local().value();
    EXPECT_FALSE(a.send_to(root, "hello", there));
    EXPECT_FALSE(a.send_to("", there));
    EXPECT_FALSE(a.send_to(root, "0123456789", there));
    char text[8];
    auto got = b.receive_from(root, text).value();
    EXPECT_EQ(std::string(text, got.size), "hello");
    EXPECT_EQ(got.from, a.local().value());
    EXPECT_FALSE(got.truncated);
    EXPECT_EQ(b.receive_from(text).value().size, 0U) << "an empty one is one, too";
    got = b.receive_from(root, text).value();
    EXPECT_EQ(std::string(text, got.size), "01234567");
    EXPECT_TRUE(got.truncated);
    EXPECT_EQ(b.receive_from(tenon::within(root, 1ms), text).err(), tenon::deadline_exceeded());
  });
}

TEST(NetUdpSocket, OnAllAddressesTakesBothVersions) {
  tenon::run([](const context& root) {
    auto all = udp_socket::bind(":0").value();
    const std::uint16_t port = all.local().value().port;
    if (all.local().value().address.is_v4()) GTEST_SKIP() << "no version 6 here";
    for (const ip_address& from : {ip_address::loopback_v4(), ip_address::loopback_v6()}) {
      auto one = udp_socket::bind(endpoint{from, 0});
      if (!one) continue;  // this machine has no such address
      EXPECT_FALSE(one->send_to(root, "x", {from, port}));
      char got[2];
      EXPECT_EQ(all.receive_from(root, got).value().from, one->local().value());
    }
  });
}

TEST(NetUdpSocket, ConnectedLearnsThatThereIsNoSuchPort) {
  tenon::run([](const context& root) {
    endpoint gone;
    {
      auto was = udp_socket::bind("127.0.0.1:0").value();
      gone = was.local().value();
    }
    auto a = udp_socket::connect(gone).value();
    error e = a.send(root, "anybody?");
    char text[8];
    if (!e) e = a.receive_from(tenon::within(root, 10s), text).err();
    EXPECT_TRUE(e.is(std::errc::connection_refused)) << e.message();
  });
}

TEST(NetUdpSocket, CloseEndsTheReceivesOfOthers) {
  tenon::run([](const context& root) {
    auto a = udp_socket::bind("127.0.0.1:0").value();
    group g(root);
    error e;
    const auto begun = tenon::make_chan<void>();
    g.go([&] {
      begun.send();
      char text[8];
      e = a.receive_from(root, text).err();
    });
    (void)begun.recv();
    for (int i = 0; i < 100; ++i) tenon::yield();
    EXPECT_FALSE(a.close());
    EXPECT_FALSE(g.wait());
    EXPECT_EQ(e, error(errc::closed));
    EXPECT_TRUE(a.send(root, "x").is(errc::closed));
  });
}

// A listener that was shut down is ready for ever: the wait for its close does not keep a processor busy with that, and is not its end.
TEST(NetTcpListener, ThatWasShutDownIsClosedByItsCloseAlone) {
  tenon::run([](const context& root) {
    auto at = tcp_listener::listen("127.0.0.1:0").value();
    ASSERT_EQ(::shutdown(at.native_handle(), SHUT_RDWR), 0);
    std::atomic<bool> ended = false;
    group g(root);
    g.go([&] {
      EXPECT_FALSE(at.wait_closed(root));
      ended = true;
    });
    tenon_test::await_waiting(1, "sleep");  // its pause between two rounds
    tenon::sleep_for(50ms);                 // some more of them
    EXPECT_FALSE(ended);
    EXPECT_FALSE(at.close());
    EXPECT_FALSE(g.wait());
  });
}

}  // namespace
