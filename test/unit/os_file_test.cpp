#include <tenon/os/file.hpp>

// Files: whole reads and writes, positions, ends, what may go wrong.

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>

#include <tenon/tenon.hpp>

namespace {

using tenon::context;
using tenon::error;
using tenon::group;
using tenon::net::eof;
using tenon::net::errc;
using tenon::os::file;

/// A folder of its own for each test.
class OsFile : public testing::Test {
 protected:
  OsFile() {
    std::string name = testing::TempDir() + "tenon_os_file_XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    folder_ = name;
  }
  ~OsFile() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string at(const char* name) const { return folder_ / name; }

 private:
  std::filesystem::path folder_;
};

// Go: os.WriteFile, os.ReadFile
TEST_F(OsFile, AWholeFileAtOnce) {
  tenon::run([&](const context& ctx) {
    const std::string text(100'000, 'x');
    EXPECT_FALSE(tenon::os::write_file(ctx, at("a"), text));
    EXPECT_EQ(tenon::os::read_file(ctx, at("a")).value(), text);
    EXPECT_FALSE(tenon::os::write_file(at("a"), "short")) << "overwrites";
    EXPECT_EQ(tenon::os::read_file(at("a")).value(), "short");
    EXPECT_FALSE(tenon::os::write_file(at("empty"), ""));
    EXPECT_EQ(tenon::os::read_file(at("empty")).value(), "");
  });
}

TEST_F(OsFile, OnAPlainThreadToo) {
  EXPECT_FALSE(tenon::os::write_file(at("a"), "text"));
  EXPECT_EQ(tenon::os::read_file(at("a")).value(), "text");
}

TEST_F(OsFile, ReadsNoMoreThanItIsAskedFor) {
  EXPECT_FALSE(tenon::os::write_file(at("a"), "12345"));
  EXPECT_EQ(tenon::os::read_file(at("a"), 5).value(), "12345");
  EXPECT_TRUE(tenon::os::read_file(at("a"), 4).err().is(std::errc::file_too_large));
}

TEST_F(OsFile, ReadsTheRestOfAFileThatHasNoRoomAsAWhole) {
  auto f = file::create(at("a")).value();
  EXPECT_FALSE(f.truncate(std::uint64_t{1} << 40U));  // a hole, which takes no room on the disk
  EXPECT_FALSE(f.seek((std::uint64_t{1} << 40U) - 10));
  EXPECT_EQ(f.read_all(100).value().size(), 10U);
  EXPECT_FALSE(f.seek(1));
  EXPECT_TRUE(f.read_all(100).err().is(std::errc::file_too_large)) << "before anything is read";
  EXPECT_FALSE(f.seek(std::uint64_t{1} << 41U));
  EXPECT_EQ(f.read_all(100).value(), "") << "beyond the end";
}

// Files of /proc say that they are empty.
TEST_F(OsFile, ReadsWhatDoesNotSayItsSize) {
  const std::string maps = tenon::os::read_file("/proc/self/smaps").value();
  EXPECT_NE(maps.find("[stack]"), std::string::npos) << maps.size() << " bytes: the stack is among the last";
  EXPECT_TRUE(tenon::os::read_file("/proc/self/smaps", 10).err().is(std::errc::file_too_large));
}

// Go: os.File Read, io.ReadFull
TEST_F(OsFile, ReadsFromWhereItIs) {
  EXPECT_FALSE(tenon::os::write_file(at("a"), "abcdef"));
  tenon::run([&](const context& ctx) {
    auto f = file::open(ctx, at("a")).value();
    char two[2];
    EXPECT_FALSE(f.read_exactly(ctx, two));
    EXPECT_EQ(std::string(two, 2), "ab");
    char much[10];
    EXPECT_EQ(f.read_some(ctx, much).value(), 4U);
    EXPECT_EQ(f.read_some(ctx, much).err(), eof());
    EXPECT_EQ(f.read_some(ctx, tenon::net::mutable_buffer()).value(), 0U);
    EXPECT_FALSE(f.seek(5));
    EXPECT_EQ(f.read_exactly(ctx, two), eof());
    EXPECT_FALSE(f.seek(1));
    EXPECT_EQ(f.read_all(ctx).value(), "bcdef");
    EXPECT_EQ(f.size().value(), 6U);
    EXPECT_EQ(f.path(), at("a"));
  });
}

// Go: os.File ReadAt, WriteAt
TEST_F(OsFile, ReadsAndWritesAnywhereAtTheSameTime) {
  tenon::run([&](const context& ctx) {
    auto f = file::create(ctx, at("a")).value();
    constexpr std::size_t part = 1000;
    constexpr int parts = 50;
    group g(ctx);
    g.go_n(parts, [&](const context& c, int i) {
      return f.write_at(c, static_cast<std::uint64_t>(i) * part, std::string(part, static_cast<char>('A' + i)));
    });
    EXPECT_FALSE(g.wait());
    group h(ctx);
    h.go_n(parts, [&](const context& c, int i) {
      std::string got(part, ' ');
      EXPECT_EQ(f.read_at(c, static_cast<std::uint64_t>(i) * part, got).value(), part);
      EXPECT_EQ(got, std::string(part, static_cast<char>('A' + i)));
    });
    EXPECT_FALSE(h.wait());
    std::string last(2 * part, ' ');
    EXPECT_EQ(f.read_at(ctx, part * (parts - 1), last).value(), part) << "less at the end";
    EXPECT_EQ(f.read_at(ctx, part * parts, last).err(), eof());
    EXPECT_EQ(f.read_all(ctx).value().size(), part * parts) << "its position has stayed";
    EXPECT_FALSE(f.truncate(10));
    EXPECT_EQ(f.size().value(), 10U);
    EXPECT_FALSE(f.sync(ctx));
    EXPECT_FALSE(f.close());
  });
}

// Go: os.OpenFile
TEST_F(OsFile, IsOpenedAsTheOptionsSay) {
  EXPECT_TRUE(file::open(at("a"), {.write = true}).err().is(std::errc::no_such_file_or_directory));
  EXPECT_FALSE(file::open(at("a"), {.write = true, .create = true, .permissions = 0600}).err());
  struct stat info{};
  ASSERT_EQ(::stat(at("a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  EXPECT_TRUE(file::open(at("a"), {.write = true, .create = true, .exclusive = true}).err().is(std::errc::file_exists));
  auto log = file::open(at("a"), {.append = true}).value();
  EXPECT_FALSE(log.write_all("one "));
  auto other = file::open(at("a"), {.append = true}).value();
  EXPECT_FALSE(other.write_all("two "));
  EXPECT_FALSE(log.write_all("three"));
  EXPECT_EQ(tenon::os::read_file(at("a")).value(), "one two three");
  EXPECT_TRUE(log.read_all().err().is(std::errc::bad_file_descriptor)) << "not opened for that";
  EXPECT_TRUE(file::open(at("a"), {}).err().is(std::errc::invalid_argument)) << "for nothing";
}

// Go: os.File WriteAt: "os: invalid use of WriteAt on file opened with O_APPEND"
TEST_F(OsFile, WritesAtNoPlaceWhereEachWriteGoesToTheEnd) {
  EXPECT_FALSE(tenon::os::write_file(at("a"), "abc"));
  auto log = file::open(at("a"), {.read = true, .append = true}).value();
  std::size_t written = 1;
  EXPECT_TRUE(log.write_at(0, "x", &written).is(std::errc::invalid_argument));
  EXPECT_EQ(written, 0U);
  auto adopted = file::adopt(::dup(log.native_handle())).value();
  EXPECT_TRUE(adopted.write_at(0, "x").is(std::errc::invalid_argument));
  EXPECT_EQ(tenon::os::read_file(at("a")).value(), "abc");
  char one[1];
  EXPECT_EQ(log.read_at(1, one).value(), 1U) << "reads have their place";
}

TEST_F(OsFile, ErrorsNameTheCallAndThePath) {
  EXPECT_EQ(file::open("/no/such").err().message(), "open /no/such: No such file or directory");
  EXPECT_TRUE(tenon::os::read_file("/tmp").err().is(std::errc::is_a_directory));
  EXPECT_TRUE(file::open(std::string("a\0b", 3)).err().is(std::errc::invalid_argument));
  auto full = file::open("/dev/full", {.write = true}).value();
  std::size_t written = 1;
  error e = full.write_all("text", &written);
  EXPECT_TRUE(e.is(std::errc::no_space_on_device)) << e.message();
  EXPECT_EQ(e.message(), "write /dev/full: No space left on device");
  EXPECT_EQ(written, 0U);
}

TEST_F(OsFile, AContextThatHasEndedEndsACallBeforeItBegins) {
  tenon::run([&](const context& ctx) {
    auto f = file::create(ctx, at("a")).value();
    const auto scope = tenon::with_cancel(ctx);
    scope.cancel();
    char byte[1];
    EXPECT_EQ(f.write_all(scope.ctx(), "x"), tenon::canceled());
    EXPECT_EQ(f.read_some(scope.ctx(), byte).err(), tenon::canceled());
    EXPECT_EQ(f.read_at(scope.ctx(), 0, byte).err(), tenon::canceled());
    EXPECT_EQ(f.sync(scope.ctx()), tenon::canceled());
    EXPECT_EQ(file::open(scope.ctx(), at("a")).err(), tenon::canceled());
    EXPECT_EQ(f.size().value(), 0U);
    auto device = file::open(ctx, "/dev/zero").value();
    EXPECT_EQ(device.read_at(scope.ctx(), 0, byte).err(), tenon::canceled());
  });
}

// Go: os.ErrClosed
TEST_F(OsFile, ClosedOnceAndForAll) {
  auto f = file::create(at("a")).value();
  EXPECT_TRUE(f.is_open());
  EXPECT_FALSE(f.close());
  EXPECT_EQ(f.close(), errc::closed);
  EXPECT_EQ(f.write_all("x"), errc::closed);
  EXPECT_EQ(f.size().err(), errc::closed);
  EXPECT_EQ(f.seek(0), errc::closed);
  EXPECT_EQ(f.native_handle(), -1);
  EXPECT_EQ(file().read_all().err(), errc::closed);
  EXPECT_EQ(file().path(), "");
}

TEST_F(OsFile, ADescriptorIsAdoptedAndGivenUp) {
  auto f = file::create(at("a")).value();
  const int fd = f.release().value();
  EXPECT_FALSE(f.is_open());
  auto again = file::adopt(fd, "mine").value();
  EXPECT_FALSE(again.write_all("x"));
  EXPECT_EQ(again.path(), "mine");
  EXPECT_TRUE(file::adopt(-1).err().is(std::errc::bad_file_descriptor));
}

TEST_F(OsFile, WhoReadsWhatIsThereLetsTheOthersRun) {
  tenon::run(
      [](const context& ctx) {
        auto f = file::open(ctx, "/proc/self/exe").value();
        std::atomic<bool> told = false;
        group g(ctx);
        g.go([&](const context& c) -> error {
          g.go([&told] { told = true; });
          char byte[1];
          int calls = 0;
          for (; !told; ++calls) {
            if (error e = f.read_at(c, 0, byte).err()) return e;
          }
          EXPECT_LE(calls, 40);
          return nullptr;
        });
        EXPECT_FALSE(g.wait());
      },
      {.workers = 1});
}

// A FIFO's open waits for its other end, and holds up nobody meanwhile.
TEST_F(OsFile, WhoOpensAFifoWaitsForTheOtherEnd) {
  ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0600), 0);
  tenon::run(
      [&](const context& ctx) {
        group g(ctx);
        g.go([&](const context& c) {
          auto f = file::open(c, at("fifo")).value();
          EXPECT_EQ(f.read_all(c).value(), "through");
        });
        g.go([&](const context& c) {
          auto f = file::open(c, at("fifo"), {.write = true}).value();
          return f.write_all(c, "through");
        });
        EXPECT_FALSE(g.wait());
      },
      {.workers = 1});
}

TEST_F(OsFile, AWriteToAFifoWithoutAReaderFails) {
  ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0600), 0);
  auto both = file::open(at("fifo"), {.read = true, .write = true}).value();
  auto to = file::open(at("fifo"), {.write = true}).value();
  EXPECT_FALSE(to.write_all("taken"));
  EXPECT_FALSE(both.close());
  EXPECT_TRUE(to.write_all("lost").is(std::errc::broken_pipe)) << "no SIGPIPE";
}

}  // namespace
