#include <tenon/os/pipe.hpp>

// Pipes as streams: what differs from sockets, and what must not.

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <utility>

#include <tenon/tenon.hpp>

namespace {

using namespace std::chrono_literals;
using tenon::context;
using tenon::error;
using tenon::group;
using tenon::net::eof;
using tenon::net::errc;
using tenon::os::pipe_stream;

void with_pipe(void (*f)(const context&, pipe_stream& out, pipe_stream& in)) {
  tenon::run([&](const context& ctx) {
    auto ends = tenon::os::pipe().value();
    f(ctx, ends.first, ends.second);
  });
}

// Go: os.Pipe
TEST(OsPipe, CarriesBytesOneWay) {
  with_pipe([](const context& ctx, pipe_stream& out, pipe_stream& in) {
    EXPECT_FALSE(in.write_all(ctx, {"one\n", "two"}));
    EXPECT_EQ(out.read_until(ctx, "\n").value(), "one\n");
    char rest[10];
    EXPECT_EQ(out.read_some(ctx, rest).value(), 3U) << "read ahead";
    EXPECT_FALSE(in.close());
    EXPECT_EQ(out.read_some(ctx, rest).err(), eof());
    std::string more;
    EXPECT_EQ(out.append_some(ctx, more, 10).err(), eof());
  });
}

// Go: os.Pipe: more than the system holds
TEST(OsPipe, AWriterWaitsForItsReader) {
  with_pipe([](const context& ctx, pipe_stream& out, pipe_stream& in) {
    const std::string much(1 << 20U, 'x');
    group g(ctx);
    g.go([&](const context& c) {
      error e = in.write_all(c, much);
      (void)in.close();
      return e;
    });
    std::string got;
    while (out.append_some(ctx, got, 64 * 1024)) {
    }
    EXPECT_FALSE(g.wait());
    EXPECT_EQ(got.size(), much.size());
  });
}

TEST(OsPipe, OfEachEndOneWayIsUsed) {
  with_pipe([](const context& ctx, pipe_stream& out, pipe_stream& in) {
    char byte = 0;
    EXPECT_TRUE(in.read_some(ctx, tenon::net::mutable_buffer(&byte, 1)).err().is(std::errc::bad_file_descriptor));
    EXPECT_TRUE(out.write_all(ctx, "x").is(std::errc::bad_file_descriptor));
    EXPECT_TRUE(in.shutdown(tenon::net::shut::write).is(std::errc::not_a_socket));
  });
}

// Go: os.File Write: EPIPE is an error but on standard output
TEST(OsPipe, AWriteThatNobodyCanReadIsAnErrorAndNoSignal) {
  with_pipe([](const context& ctx, pipe_stream& out, pipe_stream& in) {
    EXPECT_FALSE(out.close());
    EXPECT_TRUE(in.write_all(ctx, "x").is(std::errc::broken_pipe));
    EXPECT_TRUE(in.write_some("x").err().is(std::errc::broken_pipe));
  });
}

TEST(OsPipe, AWriterThatWaitsLearnsThatNobodyReadsAnyMore) {
  with_pipe([](const context& ctx, pipe_stream& out, pipe_stream& in) {
    group g(ctx);
    g.go(
        [&](const context& c) { EXPECT_TRUE(in.write_all(c, std::string(1 << 20U, 'x')).is(std::errc::broken_pipe)); });
    char first[1];
    EXPECT_FALSE(out.read_exactly(ctx, first));
    EXPECT_FALSE(out.close());
    EXPECT_FALSE(g.wait());
  });
}

TEST(OsPipe, AWaitEndsWithItsContextAndLosesNothing) {
  with_pipe([](const context& ctx, pipe_stream& out, pipe_stream& in) {
    char two[2];
    EXPECT_FALSE(in.write_all(ctx, "a"));
    EXPECT_EQ(out.read_exactly(tenon::within(ctx, 1ms), two), tenon::deadline_exceeded());
    EXPECT_FALSE(in.write_all(ctx, "b"));
    EXPECT_FALSE(out.read_exactly(ctx, two));
    EXPECT_EQ(std::string(two, 2), "ab");
  });
}

TEST(OsPipe, CloseEndsTheReadOfAnother) {
  with_pipe([](const context& ctx, pipe_stream& out, pipe_stream&) {
    group g(ctx);
    g.go([&](const context& c) {
      char byte[1];
      EXPECT_EQ(out.read_exactly(c, byte), errc::closed);
    });
    tenon::yield();
    EXPECT_FALSE(out.close());
    EXPECT_FALSE(g.wait());
  });
}

TEST(OsPipe, AdoptsPipesAndNothingElse) {
  tenon::run([](const context& ctx) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    auto out = pipe_stream::adopt(ends[0]).value();
    auto in = pipe_stream::adopt(ends[1]).value();
    EXPECT_FALSE(in.write_all(ctx, "x"));
    char byte[1];
    EXPECT_FALSE(out.read_exactly(ctx, byte));
    const int file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    EXPECT_TRUE(pipe_stream::adopt(file).err().is(std::errc::invalid_argument));
    EXPECT_EQ(::close(file), 0) << "the caller keeps it";
    EXPECT_TRUE(pipe_stream::adopt(-1).err().is(std::errc::bad_file_descriptor));
  });
}

}  // namespace
