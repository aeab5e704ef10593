#include <tenon/net/stream.hpp>

// Streams: whole reads and writes, ends, errors, and a close by another goroutine. On connections of TCP and of this machine alike.

#include <gtest/gtest.h>

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <tenon/net/net.hpp>
#include <tenon/tenon.hpp>
#include <tenon/testing/run_virtual.hpp>

#include "support/callers.hpp"
#include "support/tcp_pair.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::context;
using tenon::error;
using tenon::group;
using tenon::net::eof;
using tenon::net::errc;
using tenon::net::shut;
using tenon::net::stream;
using tenon::net::tcp_listener;
using tenon::net::tcp_stream;
using tenon::net::unix_stream;
using tenon_test::tcp_pair;

TEST(NetBuffer, IsAsLongAsWhatItIsMadeFrom) {
  using tenon::net::const_buffer;
  using tenon::net::mutable_buffer;
  char unterminated[3] = {'a', 'b', 'c'};
  const char* const text = "text";
  EXPECT_EQ(const_buffer("literal").size(), 7U);
  EXPECT_EQ(const_buffer("").size(), 0U);
  EXPECT_EQ(const_buffer(text).size(), 4U);
  EXPECT_EQ(const_buffer(unterminated).size(), 3U) << "not up to the next null";
  EXPECT_EQ(const_buffer(std::as_const(unterminated)).size(), 3U);
  EXPECT_EQ(const_buffer(std::string("a\0b", 3)).size(), 3U);
  EXPECT_EQ(const_buffer(std::array<unsigned char, 5>()).size(), 5U);
  EXPECT_EQ(const_buffer(std::vector<std::byte>(6)).size(), 6U);
  EXPECT_EQ(mutable_buffer(unterminated).size(), 3U);
  EXPECT_EQ(const_buffer("literal").after(3).size(), 4U);
}

/// Writes until the system takes no more, then is told to stop. Returns what `write_all` says, and how much it had written.
void fill(stream& to, const context& ctx, error& e, std::size_t& written) {
  static const std::string much(64 << 20U, 'x');
  e = to.write_all(ctx, much, &written);
}

enum class kind { tcp, unix_domain };

/// Everything below holds for both kinds of streams, whoever uses them.
class NetStream : public testing::TestWithParam<kind> {
 protected:
  void with_pair(const std::function<void(const context&, stream& a, stream& b)>& f, unsigned workers = 2) {
    tenon::run(
        [&](const context& root) {
          if (GetParam() == kind::tcp) {
            auto [a, b] = tcp_pair(root);
            f(root, a, b);
          } else {
            auto [a, b] = tenon::net::socket_pair().value();
            f(root, a, b);
          }
        },
        {.workers = workers});
  }
};
INSTANTIATE_TEST_SUITE_P(Both, NetStream, testing::Values(kind::tcp, kind::unix_domain),
                         [](const auto& p) { return p.param == kind::tcp ? "Tcp" : "Unix"; });

// Go: net.Conn
TEST_P(NetStream, CarriesBytesBothWays) {
  with_pair([](const context& ctx, stream& a, stream& b) {
    group g(ctx);
    g.go([&b](const context& c) -> error {
      char text[5];
      if (error e = b.read_exactly(c, text)) return e;
      return b.write_all(c, {"you said: ", std::string_view(text, sizeof text)});
    });
    EXPECT_FALSE(a.write_all(ctx, "hello"));
    char answer[15];
    EXPECT_FALSE(a.read_exactly(ctx, answer));
    EXPECT_EQ(std::string(answer, sizeof answer), "you said: hello");
    EXPECT_FALSE(g.wait());
  });
}

// Go: net.Buffers WriteTo. Small parts are put together before the system gets them.
TEST_P(NetStream, PartsArriveInTheirOrderWhateverTheirSizes) {
  constexpr std::array<std::size_t, 8> sizes = {1, 512, 513, 0, 2, 30, 100'000, 511};
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < 320; ++i) parts.emplace_back(sizes[i % sizes.size()], static_cast<char>('a' + i % 26));
  std::string all;
  for (const std::string& part : parts) all += part;
  with_pair([&](const context& ctx, stream& a, stream& b) {
    const std::vector<tenon::net::const_buffer> buffers(parts.begin(), parts.end());
    group g(ctx);
    g.go([&](const context& c) { return a.write_all(c, buffers); });
    std::string got(all.size(), ' ');
    EXPECT_FALSE(b.read_exactly(ctx, got));
    EXPECT_TRUE(got == all);
  });
}

// Go: net.Conn Read: less than there is room for
TEST_P(NetStream, ReadSomeReturnsWhatThereIs) {
  with_pair([](const context& ctx, stream& a, stream& b) {
    EXPECT_FALSE(a.write_all("abc"));
    char much[100];
    EXPECT_EQ(b.read_some(ctx, much).value(), 3U);
    EXPECT_EQ(b.read_some(ctx, tenon::net::mutable_buffer()).value(), 0U) << "no room: no wait";
  });
}

TEST_P(NetStream, AppendSomeAddsWhatThereIs) {
  with_pair([](const context& ctx, stream& a, stream& b) {
    EXPECT_FALSE(a.write_all("line\nabcdef"));
    std::string got = "<";
    EXPECT_EQ(b.append_some(ctx, got, 0).value(), 0U) << "no wait";
    EXPECT_EQ(b.read_until(ctx, "\n").value(), "line\n");
    EXPECT_EQ(b.append_some(ctx, got, 2).value(), 2U) << "first what has been read ahead";
    EXPECT_EQ(b.append_some(ctx, got, 100).value(), 4U);
    EXPECT_EQ(got, "<abcdef");
    EXPECT_FALSE(a.write_all("gh"));
    EXPECT_EQ(b.append_some(ctx, got, 1).value(), 1U);
    EXPECT_EQ(b.append_some(ctx, got, 1).value(), 1U);
    EXPECT_EQ(got, "<abcdefgh");
    EXPECT_EQ(b.append_some(tenon::within(ctx, 1ms), got, 1).err(), tenon::deadline_exceeded());
    EXPECT_FALSE(a.shutdown(shut::write));
    EXPECT_EQ(b.append_some(got, 1).err(), eof());
    EXPECT_EQ(got, "<abcdefgh");
  });
}

// Go: io.EOF
TEST_P(NetStream, EndsAfterAShutdownAndTheOtherWayStaysOpen) {
  with_pair([](const context& ctx, stream& a, stream& b) {
    EXPECT_FALSE(a.write_all("last"));
    EXPECT_FALSE(a.shutdown(shut::write));
    char text[4];
    EXPECT_FALSE(b.read_exactly(ctx, text));
    EXPECT_EQ(b.read_some(ctx, text).err(), eof());
    EXPECT_EQ(b.read_some(ctx, text).err(), eof()) << "and stays so";
    EXPECT_FALSE(b.write_all(ctx, "answer"));
    char answer[6];
    EXPECT_FALSE(a.read_exactly(ctx, answer));
    EXPECT_EQ(std::string(answer, sizeof answer), "answer");
    EXPECT_TRUE(a.write_all(ctx, "more").is(std::errc::broken_pipe)) << "an error, no SIGPIPE";
  });
}

// Go: bufio.Reader.ReadString
TEST_P(NetStream, ReadUntilReturnsOneAfterTheOther) {
  with_pair([](const context& ctx, stream& a, stream& b) {
    EXPECT_FALSE(a.write_all("one\r\ntwo\r\n\r\nrest"));
    EXPECT_FALSE(a.shutdown(shut::write));
    EXPECT_EQ(b.read_until(ctx, "\r\n").value(), "one\r\n");
    EXPECT_EQ(b.read_until(ctx, "\r\n").value(), "two\r\n");
    EXPECT_EQ(b.read_until(ctx, "\r\n").value(), "\r\n");
    EXPECT_EQ(b.read_until(ctx, "\r\n").err(), eof());
    EXPECT_EQ(b.buffered(), 4U);
    char rest[10];
    EXPECT_EQ(b.read_some(ctx, rest).value(), 4U) << "what came before the end is not lost";
    EXPECT_EQ(std::string(rest, 4), "rest");
    EXPECT_EQ(b.read_some(ctx, rest).err(), eof());
  });
}

TEST_P(NetStream, ReadUntilFindsADelimiterThatCameInPieces) {
  with_pair([](const context& ctx, stream& a, stream& b) {
    group g(ctx);
    const auto more = tenon::make_chan<void>();
    g.go([&](const context& c) -> error {
      for (const char piece : std::string("ab\r\n\r\nc")) {
        if (error e = a.write_all(c, std::string(1, piece))) return e;
        tenon::yield();
      }
      return nullptr;
    });
    EXPECT_EQ(b.read_until(ctx, "\r\n\r\n").value(), "ab\r\n\r\n");
    EXPECT_EQ(b.read_until(ctx, "c").value(), "c");
    EXPECT_FALSE(g.wait());
  });
}

TEST_P(NetStream, ReadUntilHasALimitAndLosesNothing) {
  with_pair([](const context& ctx, stream& a, stream& b) {
    EXPECT_FALSE(a.write_all(std::string(100, 'x') + "\n"));
    EXPECT_TRUE(b.read_until(ctx, "\n", 100).err().is(std::errc::message_size));
    EXPECT_EQ(b.read_until(ctx, "\n", 101).value().size(), 101U);
    EXPECT_TRUE(b.read_until(ctx, "").err().is(std::errc::invalid_argument));
  });
}

// Go: io.ReadFull, whose io.ErrUnexpectedEOF has what was read in the buffer
TEST_P(NetStream, AReadOfAllThatFailsLosesNothing) {
  with_pair([](const context& ctx, stream& a, stream& b) {
    const auto scope = tenon::with_cancel(ctx);
    char five[5];
    group g(ctx);
    error e;
    g.go([&] { e = b.read_exactly(scope.ctx(), five); });
    EXPECT_FALSE(a.write_all("abc"));
    for (int unread = 1; unread != 0; tenon::yield()) ASSERT_EQ(::ioctl(b.native_handle(), FIONREAD, &unread), 0);
    scope.cancel();
    EXPECT_FALSE(g.wait());
    EXPECT_EQ(e, tenon::canceled());
    EXPECT_EQ(b.buffered(), 3U);
    EXPECT_FALSE(a.write_all("de"));
    EXPECT_FALSE(b.read_exactly(ctx, five));
    EXPECT_EQ(std::string(five, sizeof five), "abcde");
  });
}

// Slowloris: each byte comes in time, the whole never does. The deadline is the call's, and no byte puts it off.
TEST_P(NetStream, ADeadlineHoldsForTheWholeOfWhatIsReadUntil) {
  with_pair([](const context& ctx, stream& a, stream& b) {
    group g(ctx);
    const auto scope = tenon::with_cancel(ctx);
    std::atomic<std::size_t> sent = 0;
    g.go([&]() -> error {
      do {
        if (error e = a.write_all(ctx, "x")) return e;
        ++sent;
      } while (tenon::sleep_for(scope.ctx(), 1ms));
      return nullptr;
    });
    for (auto d = 20ms; sent < 5; d *= 2) {  // until some have come in time
      EXPECT_EQ(b.read_until(tenon::within(ctx, d), "\r\n\r\n", 1U << 30U).err(), tenon::deadline_exceeded());
    }
    scope.cancel();
    EXPECT_FALSE(g.wait());
    EXPECT_FALSE(a.write_all(ctx, "\r\n\r\n"));
    EXPECT_EQ(b.read_until(ctx, "\r\n\r\n").value(), std::string(sent, 'x') + "\r\n\r\n") << "nothing was lost";
  });
}

// A slow reader: each part goes in time, the whole does not. The deadline is that of the whole write.
TEST_P(NetStream, ADeadlineHoldsForTheWholeOfWhatIsWritten) {
  with_pair([](const context& ctx, stream& a, stream& b) {
    EXPECT_FALSE(a.set_send_buffer(1 << 16));  // so that the parts are small
    group g(ctx);
    const auto scope = tenon::with_cancel(ctx);
    const auto soon = tenon::with_timeout(ctx, 20ms);
    g.go([&]() -> error {
      std::string part(1 << 16, ' ');
      for (int i = 0;; ++i) {
        if (i == 100) (void)soon.ctx().done().recv();  // the deadline may be late
        if (error e = b.read_exactly(scope.ctx(), part)) return e;
        (void)tenon::sleep_for(scope.ctx(), 1ms);
      }
    });
    error e;
    std::size_t written = 0;
    fill(a, soon.ctx(), e, written);
    EXPECT_EQ(e, tenon::deadline_exceeded());
    EXPECT_LT(written, 64U << 20U);
    scope.cancel();
    (void)g.wait();
  });
}

// A read that returns less than there is room for has left nothing, so that the next one begins with a wait. Nothing that has come by then may be missed.
TEST_P(NetStream, AShortReadHidesNothing) {
  for (const unsigned workers : {1U, 2U, 8U}) {
    with_pair(
        [](const context& ctx, stream& a, stream& b) {
          char much[100];
          group g(ctx);
          g.go([&] { EXPECT_EQ(b.read_some(ctx, much).value(), 1U); });  // from now on it is watched
          for (int i = 0; i < 100; ++i) tenon::yield();
          EXPECT_FALSE(a.write_all("x"));
          EXPECT_FALSE(g.wait());
          for (int round = 0; round < 50; ++round) {
            EXPECT_FALSE(a.write_all("abc"));
            if (round % 2 == 0) tenon::sleep_for(100us);  // the poller may have told of it, or not
            EXPECT_EQ(b.read_some(ctx, much).value(), 3U);
          }
          // The last bytes and the end of the stream come as one.
          EXPECT_FALSE(a.write_all("end"));
          EXPECT_FALSE(a.shutdown(shut::write));
          tenon::sleep_for(1ms);
          EXPECT_EQ(b.read_some(ctx, much).value(), 3U);
          EXPECT_EQ(b.read_some(ctx, much).err(), eof());
          EXPECT_EQ(b.read_some(ctx, much).err(), eof());
        },
        workers);
  }
}

TEST(NetTcpStream, UrgentDataHidesNothing) {
  tenon::run([](const context& root) {
    auto [a, b] = tcp_pair(root);
    char much[100];
    EXPECT_EQ(b.read_some(tenon::within(root, 1ms), much).err(), tenon::deadline_exceeded());
    EXPECT_FALSE(a.write_all("abc"));
    ASSERT_EQ(::send(a.native_handle(), "!", 1, MSG_OOB), 1);
    EXPECT_FALSE(a.write_all("def"));
    tenon::sleep_for(1ms);
    std::string got;
    while (got.size() < 6) {
      const auto n = b.append_some(tenon::within(root, 10s), got, 100);
      if (!n) {
        ADD_FAILURE() << got << ": " << n.err().message();
        break;
      }
    }
    EXPECT_EQ(got, "abcdef");
  });
}

// Go: net.Conn Write: n < len(b) with an error
TEST_P(NetStream, AWriteThatIsCanceledSaysHowMuchWasWritten) {
  with_pair([](const context& ctx, stream& a, stream& b) {
    const auto scope = tenon::with_cancel(ctx);
    group g(ctx);
    error e;
    std::size_t written = 0;
    g.go([&] { fill(a, scope.ctx(), e, written); });
    std::vector<char> some(1000);
    EXPECT_FALSE(b.read_exactly(ctx, some));
    scope.cancel();
    EXPECT_FALSE(g.wait());
    EXPECT_EQ(e, tenon::canceled());
    EXPECT_GE(written, some.size());
    EXPECT_LT(written, 64U << 20U);
    EXPECT_FALSE(a.shutdown(shut::write));
    std::size_t read = some.size();
    for (;;) {
      const auto n = b.read_some(ctx, some);
      if (!n) {
        EXPECT_EQ(n.err(), eof());
        break;
      }
      read += *n;
    }
    EXPECT_EQ(read, written) << "what it said is what came";
  });
}

// Go: use of closed network connection
TEST_P(NetStream, CloseEndsTheReadsAndWritesOfOthers) {
  for (const unsigned workers : {1U, 2U, 8U}) {
    with_pair(
        [](const context& ctx, stream& a, stream&) {
          group g(ctx);
          error reads;
          error writes;
          std::size_t written = 0;
          const auto begun = tenon::make_chan<void>(2, "one for each");
          g.go([&] {
            begun.send();
            char one[1];
            reads = a.read_some(ctx, one).err();
          });
          g.go([&] {
            begun.send();
            fill(a, ctx, writes, written);
          });
          (void)begun.recv();
          (void)begun.recv();
          for (int i = 0; i < 100; ++i) tenon::yield();
          EXPECT_FALSE(a.close());
          EXPECT_FALSE(g.wait());
          EXPECT_EQ(reads, error(errc::closed)) << reads.message();
          EXPECT_EQ(writes, error(errc::closed)) << writes.message();
          EXPECT_TRUE(a.close().is(errc::closed)) << "twice";
          EXPECT_FALSE(a.is_open());
          EXPECT_EQ(a.native_handle(), -1);
          char one[1];
          EXPECT_TRUE(a.read_some(ctx, one).err().is(errc::closed));
          EXPECT_TRUE(a.write_all(ctx, "x").is(errc::closed));
          EXPECT_TRUE(a.shutdown(shut::both).is(errc::closed));
        },
        workers);
  }
}

TEST_P(NetStream, AContextThatHasEndedEndsWhatCouldBeDone) {
  with_pair([](const context& ctx, stream& a, stream& b) {
    EXPECT_FALSE(b.write_all("there"));
    const auto scope = tenon::with_cancel(ctx);
    scope.cancel();
    char text[5];
    EXPECT_EQ(a.read_some(scope.ctx(), text).err(), tenon::canceled());
    EXPECT_EQ(a.read_exactly(scope.ctx(), text), tenon::canceled());
    EXPECT_EQ(a.read_until(scope.ctx(), "e").err(), tenon::canceled());
    EXPECT_EQ(a.write_some(scope.ctx(), "x").err(), tenon::canceled());
    EXPECT_EQ(a.write_all(scope.ctx(), "x"), tenon::canceled());
    EXPECT_FALSE(a.read_exactly(ctx, text)) << "nothing was taken";
    // Nor what has been read ahead.
    EXPECT_FALSE(b.write_all("line\nthere"));
    EXPECT_EQ(a.read_until(ctx, "\n").value(), "line\n");
    EXPECT_EQ(a.read_some(scope.ctx(), text).err(), tenon::canceled());
    EXPECT_EQ(a.read_exactly(scope.ctx(), text), tenon::canceled());
    EXPECT_EQ(a.read_until(scope.ctx(), "e").err(), tenon::canceled());
    EXPECT_FALSE(a.read_exactly(ctx, text)) << "nothing was taken";
    EXPECT_EQ(std::string(text, sizeof text), "there");
  });
}

// Two writers do not mix what they write, and two readers each get whole pieces.
TEST_P(NetStream, WritersAndReadersTakeTurns) {
  for (const unsigned workers : {1U, 2U, 8U}) {
    with_pair(
        [](const context& ctx, stream& a, stream& b) {
          constexpr std::size_t size = 3'000'000;  // far more than a socket takes at once
          group g(ctx);
          for (const char c : std::string("abcd")) {
            g.go([&a, c](const context& cc) { return a.write_all(cc, std::string(size, c)); });
          }
          std::array<std::string, 4> got;
          for (auto& piece : got) {
            piece.resize(size);
            g.go([&b, &piece](const context& cc) { return b.read_exactly(cc, piece); });
          }
          EXPECT_FALSE(g.wait());
          std::string seen;
          for (const auto& piece : got) {
            EXPECT_EQ(piece, std::string(size, piece[0]));
            seen += piece[0];
          }
          std::ranges::sort(seen);
          EXPECT_EQ(seen, "abcd");
        },
        workers);
  }
}

// Go: io.Copy from an *os.File
TEST_P(NetStream, SendsAFile) {
  with_pair([](const context& ctx, stream& a, stream& b) {
    const std::string text(3'000'000, 'x');
    const int fd = ::memfd_create("file", MFD_CLOEXEC);
    ASSERT_GE(fd, 0);
    ASSERT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    group g(ctx);
    std::string got(text.size() - 7, '\0');
    g.go([&](const context& c) { return b.read_exactly(c, got); });
    std::uint64_t written = 0;
    EXPECT_FALSE(a.send_file(ctx, fd, 7, got.size(), &written));
    EXPECT_FALSE(g.wait());
    EXPECT_EQ(written, got.size());
    EXPECT_EQ(got, text.substr(7));
    EXPECT_EQ(a.send_file(ctx, fd, text.size() - 3, 10, &written), eof()) << "it is shorter";
    EXPECT_EQ(written, 3U);
    EXPECT_FALSE(a.send_file(ctx, fd, 0, 0));
    EXPECT_TRUE(a.send_file(ctx, -1, 0, 1).is(std::errc::bad_file_descriptor));
    // To one that has gone: an error, and no SIGPIPE, now or later.
    EXPECT_FALSE(a.shutdown(shut::write));
    EXPECT_TRUE(a.send_file(ctx, fd, 0, 1).is(std::errc::broken_pipe));
    ::close(fd);
  });
}

TEST_P(NetStream, IsMovedAndReleasedAndAdopted) {
  with_pair([](const context& ctx, stream& a, stream& b) {
    const auto move_on = [&](auto& x) {
      using T = std::remove_cvref_t<decltype(x)>;
      T moved(std::move(x));
      EXPECT_FALSE(x.is_open());
      char none[1];
      EXPECT_TRUE(x.read_some(ctx, none).err().is(errc::closed));
      const int fd = moved.release().value();
      EXPECT_FALSE(moved.is_open());
      x = T::adopt(fd).value();
    };
    if (GetParam() == kind::tcp) {
      move_on(static_cast<tcp_stream&>(a));
    } else {
      move_on(static_cast<unix_stream&>(a));
    }
    EXPECT_FALSE(a.write_all("still"));
    char text[5];
    EXPECT_FALSE(b.read_exactly(ctx, text));
  });
}

TEST_P(NetStream, IsNotReleasedWhileItIsUsed) {
  with_pair([](const context& ctx, stream& a, stream& b) {
    const auto scope = tenon::with_cancel(ctx);
    group g(ctx);
    error e;
    std::size_t written = 0;
    g.go([&] { fill(a, scope.ctx(), e, written); });
    char one[1];
    EXPECT_FALSE(b.read_exactly(ctx, one));  // it writes, and there is no room for all of that
    EXPECT_TRUE(a.release().err().is(std::errc::device_or_resource_busy));
    scope.cancel();
    EXPECT_FALSE(g.wait());
    EXPECT_TRUE(a.is_open());
  });
}

// On a plain thread every call blocks that, within a run and outside.
TEST_P(NetStream, ServesPlainThreads) {
  with_pair([](const context& ctx, stream& a, stream& b) {
    tenon_test::os_thread t([&] {
      const auto line = b.read_until("\n");
      EXPECT_EQ(line.value_or(""), "to a thread\n");
      EXPECT_FALSE(b.write_all({"from a ", line ? "thread" : "failure", "\n"}));
      char one[1];
      EXPECT_TRUE(b.read_some(one).err().is(errc::closed));
    });
    EXPECT_FALSE(a.write_all(ctx, "to a thread\n"));
    EXPECT_EQ(a.read_until(ctx, "\n").value(), "from a thread\n");
    EXPECT_FALSE(b.close());
    t.join();
  });
  auto [a, b] = tenon::net::socket_pair().value();
  EXPECT_FALSE(a.write_all("x"));
  char one[1];
  EXPECT_FALSE(b.read_exactly(one));
}

// Under the virtual clock no monitor brings in another thread: who never waits and never yields keeps the others from running.
TEST(NetSocket, WhoseCallsNeverWaitLetsOthersRun) {
  tenon::testing::run_virtual([](const context& root) {
    auto [a, b] = tenon::net::socket_pair().value();
    std::atomic<bool> has_run = false;
    group g(root);
    g.go([&] { has_run = true; });
    char one[1] = {'x'};
    for (int i = 0; i < 100; ++i) {
      EXPECT_FALSE(a.write_all(root, one));
      EXPECT_FALSE(b.read_exactly(root, one));
    }
    EXPECT_TRUE(has_run);
  });
}

// A peer that resets in mid-write.
TEST(NetTcpStream, AResetIsAnErrorThatNamesThePeer) {
  tenon::run([](const context& root) {
    auto [a, b] = tcp_pair(root);
    const std::string peer = a.peer().to_string();
    EXPECT_EQ(peer, b.local().value().to_string());
    error e;
    std::size_t written = 0;
    group g(root);
    g.go([&, &a = a] { fill(a, root, e, written); });
    char one[1];
    EXPECT_FALSE(b.read_exactly(root, one));
    EXPECT_FALSE(b.set_linger(0s));
    EXPECT_FALSE(b.close());
    EXPECT_FALSE(g.wait());
    EXPECT_TRUE(e.is(std::errc::connection_reset) || e.is(std::errc::broken_pipe)) << e.message();
    EXPECT_NE(e.message().find("write " + peer), std::string::npos) << e.message();
    EXPECT_EQ(a.peer().to_string(), peer) << "also when it has gone";
  });
}

TEST(NetTcpStream, HasGosOptions) {
  tenon::run([](const context& root) {
    auto [a, b] = tcp_pair(root);
    for (tcp_stream* s : {&a, &b}) {
      EXPECT_FALSE(s->set_nodelay(false));
      EXPECT_FALSE(s->set_nodelay(true));
      EXPECT_FALSE(s->set_keepalive(30s));
      EXPECT_FALSE(s->set_keepalive(std::nullopt));
      EXPECT_FALSE(s->set_linger(std::nullopt));
      EXPECT_FALSE(s->set_receive_buffer(65536));
      EXPECT_FALSE(s->set_send_buffer(65536));
    }
    EXPECT_EQ(a.local().value(), b.peer());
    EXPECT_FALSE(a.close());
    EXPECT_TRUE(a.set_nodelay(true).is(errc::closed));
    EXPECT_TRUE(a.local().err().is(errc::closed));
  });
}

TEST(NetAdopt, RefusesWhatIsNoSuchSocket) {
  EXPECT_TRUE(tcp_stream::adopt(-1).err().is(std::errc::bad_file_descriptor));
  EXPECT_TRUE(tcp_stream::adopt(0).err());
  tenon::run([](const context&) {
    auto [a, b] = tenon::net::socket_pair().value();
    const int fd = a.release().value();
    EXPECT_TRUE(tcp_stream::adopt(fd).err().is(std::errc::wrong_protocol_type));
    EXPECT_TRUE(unix_stream::adopt(fd)) << "whoever was refused still has it";
  });
}

}  // namespace
