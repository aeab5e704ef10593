#include <tenon/os/command.hpp>

// Programs: what they get, what they give, how they end, and that nothing of them is left.

#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>

#include <tenon/os/os.hpp>
#include <tenon/tenon.hpp>

#include "support/subprocess.hpp"
#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::background;
using tenon::context;
using tenon::error;
using tenon::group;
using tenon::net::eof;
using tenon::os::command;
using tenon::os::exit_status;
using tenon::os::stdio;

/// Not there, or dead and not yet waited for by whoever inherited it.
bool has_ended(int pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(stat, text);
  const auto end_of_name = text.rfind(')');
  return end_of_name == std::string::npos || text.compare(end_of_name, 3, ") Z") == 0;
}

// Go: exec.Command("echo").Output
TEST(OsCommand, OutputIsWhatTheProgramWrote) {
  tenon::run([](const context& ctx) {
    EXPECT_EQ(command(ctx, {"printf", "%s|", "a b", "", "$c"}).output().value(), "a b||$c|") << "no shell reads them";
    EXPECT_EQ(command(ctx, {"true"}).output().value(), "");
    EXPECT_FALSE(command(ctx, {"true"}).run());
  });
}

TEST(OsCommand, CombinedOutputIsBoth) {
  tenon::run([](const context& ctx) {
    EXPECT_EQ(command(ctx, {"sh", "-c", "echo one; echo two >&2; echo three"}).combined_output().value(),
              "one\ntwo\nthree\n");
    EXPECT_EQ(command(ctx, {"sh", "-c", "cat >&2"}).combined_output("in").value(), "in");
  });
}

// Go: exec.Cmd Stdin
TEST(OsCommand, MuchGoesInAndComesOut) {
  tenon::run([](const context& ctx) {
    const std::string much(1 << 20U, 'x');
    EXPECT_EQ(command(ctx, {"cat"}).output(much).value(), much);
    EXPECT_EQ(command(ctx, {"cat"}).output().value(), "") << "/dev/null";
    EXPECT_FALSE(command(ctx, {"true"}).run(much)) << "one that does not read it has not failed";
    EXPECT_TRUE(command(ctx, {"cat"}).output("").value().empty());
  });
}

// Go: exec.ExitError
TEST(OsCommand, FailureSaysHowItEnded) {
  tenon::run([](const context& ctx) {
    error e = command(ctx, {"sh", "-c", "exit 3"}).run();
    EXPECT_EQ(e.message(), "sh: exit status 3");
    ASSERT_TRUE(exit_status::of(e));
    EXPECT_EQ(exit_status::of(e)->code(), 3);
    EXPECT_EQ(exit_status::of(error("while trying", e))->code(), 3) << "also as a cause";
    EXPECT_FALSE(exit_status::of(error("another")));

    e = command(ctx, {"sh", "-c", "echo first >&2; echo '  last words ' >&2; exit 1"}).output().err();
    EXPECT_EQ(e.message(), "sh:   last words: exit status 1");
    e = command(ctx, {"sh", "-c", "kill -KILL $$"}).run();
    EXPECT_EQ(e.message(), "sh: signal: killed");
    EXPECT_EQ(exit_status::of(e)->signal(), SIGKILL);
    EXPECT_EQ(exit_status::of(e)->code(), -1);
  });
}

// More than is kept of it.
TEST(OsCommand, AProgramThatSaysMuchOnItsStandardErrorIsNotHeldUp) {
  tenon::run([](const context& ctx) {
    const error e =
        command(ctx, {"sh", "-c", "head -c 300000 /dev/zero | tr '\\0' x >&2; echo >&2; echo end >&2; exit 1"})
            .output()
            .err();
    EXPECT_EQ(e.message(), "sh: end: exit status 1");
  });
}

// Go: exec.ErrNotFound
TEST(OsCommand, WhatCannotBeStartedSaysWhy) {
  if (tenon_test::emulated()) {
    GTEST_SKIP() << "this emulator runs vfork as fork, and so the C library does not learn what became of the child";
  }
  tenon::run([](const context& ctx) {
    error e = command(ctx, {"no-such-program"}).run();
    EXPECT_EQ(e.message(), "no-such-program: No such file or directory");
    EXPECT_FALSE(exit_status::of(e)) << "it has not even begun";
    EXPECT_TRUE(command(ctx, {"/proc/self/status"}).run().is(std::errc::permission_denied));
    e = command(ctx, {"true"}, {.directory = "/no/such"}).run();
    EXPECT_EQ(e.message(), "true: in /no/such: No such file or directory");
    e = command(ctx, {"true"}, {.directory = "/dev/null"}).run();
    EXPECT_EQ(e.message(), "true: in /dev/null: Not a directory");
    EXPECT_TRUE(command(ctx, {"true", std::string(4 << 20U, 'x')}).run().is(std::errc::argument_list_too_long));
  });
}

TEST(OsCommand, RefusesWhatMakesNoSense) {
  tenon::run([](const context& ctx) {
    EXPECT_TRUE(command(ctx, {}).run().is(std::errc::invalid_argument));
    EXPECT_TRUE(command(ctx, {""}).run().is(std::errc::invalid_argument));
    EXPECT_TRUE(command(ctx, {std::string("a\0b", 3)}).run().is(std::errc::invalid_argument));
    EXPECT_TRUE(command(ctx, {"true"}, {.environment = {{"NAME"}}}).run().is(std::errc::invalid_argument));
    EXPECT_TRUE(command(ctx, {"true"}, {.out = stdio::pipe}).run().is(std::errc::invalid_argument))
        << "which nobody would read";
    EXPECT_TRUE(command(ctx, {"true"}, {.out = stdio::with_out}).run().is(std::errc::invalid_argument));
    for (const int fd : {-1, -2, 1'000'000}) {
      EXPECT_TRUE(command(ctx, {"true"}, {.in = stdio::descriptor(fd)}).run().is(std::errc::bad_file_descriptor));
    }
  });
}

// Go: exec.Cmd Dir, Env
TEST(OsCommand, StartsWhereAndWithWhatTheOptionsSay) {
  tenon::run([](const context& ctx) {
    EXPECT_EQ(command(ctx, {"pwd"}, {.directory = "/proc"}).output().value(), "/proc\n");
    EXPECT_EQ(command(ctx, {"sh", "-c", "echo $A-$HOME"}, {.environment = {{"A=b"}}}).output().value(), "b-\n");
    ASSERT_EQ(::setenv("TENON_TEST_COMMAND", "here", 1), 0);
    EXPECT_EQ(command(ctx, {"sh", "-c", "echo $TENON_TEST_COMMAND"}).output().value(), "here\n");
  });
}

// Go: descriptors are close-on-exec, by the library's doing only
TEST(OsCommand, InheritsNoOtherDescriptor) {
  const int inheritable = ::fcntl(0, F_DUPFD, 50);
  ASSERT_GE(inheritable, 50);
  tenon::run([&](const context& ctx) {
    const std::string there = "[ -e /proc/self/fd/" + std::to_string(inheritable) + " ]";
    EXPECT_EQ(exit_status::of(command(ctx, {"sh", "-c", there}).run())->code(), 1);
    // Three, and the one that the pattern is matched by.
    EXPECT_EQ(command(ctx, {"sh", "-c", "cd /proc/self/fd && echo *"}).output().value(), "0 1 2 3\n");
  });
  ::close(inheritable);
}

TEST(OsCommand, DoesNotInheritBlockedSignals) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ASSERT_EQ(::pthread_sigmask(SIG_BLOCK, &all, &before), 0);
  auto p = command(background(), {"sh", "-c", "kill -TERM $$; exit 0"}).start().value();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(p.wait().value().signal(), SIGTERM);
}

TEST(OsCommand, StandardDescriptorsLeadWhereTheOptionsSay) {
  tenon::run([](const context& ctx) {
    auto [out, in] = tenon::os::pipe().value();
    const int to = in.native_handle();
    EXPECT_FALSE(
        command(ctx, {"sh", "-c", "echo one; echo two >&2"}, {.out = stdio::descriptor(to), .err = stdio::with_out})
            .run());
    EXPECT_FALSE(in.close());
    std::string got;
    while (out.append_some(ctx, got, 100)) {
    }
    EXPECT_EQ(got, "one\ntwo\n");
  });
}

// Go: exec.Cmd StdinPipe, StdoutPipe, Wait
TEST(OsCommand, TalksToAProgramThatRuns) {
  tenon::run([](const context& ctx) {
    auto p = command(ctx, {"cat"}, {.in = stdio::pipe, .out = stdio::pipe}).start().value();
    EXPECT_GT(p.pid(), 0);
    EXPECT_FALSE(p.err.is_open());
    for (const char* line : {"one\n", "two\n"}) {
      EXPECT_FALSE(p.in.write_all(ctx, line));
      EXPECT_EQ(p.out.read_until(ctx, "\n").value(), line);
    }
    EXPECT_FALSE(p.in.close());
    char byte[1];
    EXPECT_EQ(p.out.read_some(ctx, byte).err(), eof());
    EXPECT_TRUE(p.wait().value().success());
    EXPECT_TRUE(p.wait().value().success()) << "again";
    EXPECT_TRUE(p.signal(SIGTERM).is(std::errc::no_such_process));
    EXPECT_EQ(::waitpid(p.pid(), nullptr, 0), -1) << "no zombie";
  });
}

TEST(OsCommand, ManyWaitForOne) {
  tenon::run([](const context& ctx) {
    auto p = command(ctx, {"sh", "-c", "read x; exit 7"}, {.in = stdio::pipe}).start().value();
    EXPECT_EQ(p.wait(tenon::within(ctx, 1ms)).err(), tenon::deadline_exceeded());
    group g(ctx);
    g.go([&] { EXPECT_EQ(p.wait().value().code(), 7); });
    tenon::yield();
    EXPECT_EQ(p.wait(tenon::within(ctx, 1ms)).err(), tenon::deadline_exceeded()) << "nor while another waits";
    g.go_n(5, [&] { EXPECT_EQ(p.wait().value().code(), 7); });
    tenon::yield();
    EXPECT_FALSE(p.in.close());
    EXPECT_FALSE(g.wait());
  });
}

TEST(OsCommand, SignalsReachIt) {
  tenon::run([](const context& ctx) {
    auto p = command(ctx, {"sleep", "1000"}).start().value();
    EXPECT_FALSE(p.signal(SIGTERM));
    const exit_status how = p.wait().value();
    EXPECT_EQ(how.signal(), SIGTERM);
    EXPECT_EQ(how.to_string(), "signal: terminated");
    EXPECT_TRUE(tenon::os::process().wait().err().is(std::errc::no_child_process));
    EXPECT_TRUE(tenon::os::process().signal(SIGTERM).is(std::errc::no_such_process));
    EXPECT_EQ(tenon::os::process().pid(), 0);
  });
}

// Go: exec.CommandContext
TEST(OsCommand, EndsWithItsContext) {
  tenon::run([](const context& ctx) {
    auto [said, to] = tenon::os::pipe().value();
    for (const bool reads : {false, true}) {
      int begun = 0;
      for (auto d = 20ms; begun == 0; d *= 2) {  // until the deadline comes when the program runs
        const auto soon = tenon::with_timeout(ctx, d);
        command c(soon.ctx(), {"sh", "-c", "echo >&2; exec sleep 1000"},
                  {.err = stdio::descriptor(to.native_handle())});
        EXPECT_EQ(reads ? c.output().err() : c.run(), tenon::deadline_exceeded());
        ASSERT_EQ(::ioctl(said.native_handle(), FIONREAD, &begun), 0);
      }
      EXPECT_EQ(said.read_until(ctx, "\n").value(), "\n");
    }
    const auto scope = tenon::with_cancel(ctx);
    auto p = command(scope.ctx(), {"sleep", "1000"}).start().value();
    scope.cancel();
    EXPECT_EQ(p.wait().value().signal(), SIGTERM);
    EXPECT_EQ(command(scope.ctx(), {"true"}).run(), tenon::canceled()) << "not even begun";
  });
}

// Go: exec.Cmd Cancel
TEST(OsCommand, HasAGraceToEndOrderly) {
  tenon::run([](const context& ctx) {
    const auto scope = tenon::with_cancel(ctx);
    auto p = command(scope.ctx(), {"sh", "-c", "trap 'echo bye; exit 0' TERM; echo ready; read x"},
                     {.in = stdio::pipe, .out = stdio::pipe, .grace = 1h})
                 .start()
                 .value();
    EXPECT_EQ(p.out.read_until(ctx, "\n").value(), "ready\n");
    scope.cancel();
    EXPECT_EQ(p.out.read_until(ctx, "\n").value(), "bye\n");
    EXPECT_TRUE(p.wait().value().success());
  });
}

// Again and again: what it wrote last may come after its end has been seen, one time in fifty.
TEST(OsCommand, IsReadToItsEndAlsoWhenItHasBeenToldTo) {
  auto [ready, in] = tenon::os::pipe().value();
  int never[2];
  ASSERT_EQ(::pipe2(never, O_CLOEXEC), 0);
  tenon::run([&](const context& ctx) {
    for (int i = 0; i < 200; ++i) {
      const auto scope = tenon::with_cancel(ctx);
      group g(ctx);
      g.go([&, to = in.native_handle()] {
        const auto out =
            command(scope.ctx(), {"sh", "-c", "trap 'head -c 1000000 /dev/zero; exit 0' TERM; echo >&2; read x"},
                    {.in = stdio::descriptor(never[0]), .err = stdio::descriptor(to), .grace = 1h})
                .output();
        EXPECT_EQ(out.value().size(), 1'000'000U);
      });
      EXPECT_EQ(ready.read_until(ctx, "\n").value(), "\n");
      scope.cancel();
      ASSERT_FALSE(g.wait());
    }
  });
  ::close(never[0]);
  ::close(never[1]);
}

// Go: exec.Cmd WaitDelay
TEST(OsCommand, IsKilledIfItDoesNotEndWithinItsGrace) {
  tenon::run([](const context& ctx) {
    for (const auto grace : {0ms, 10ms}) {
      const auto scope = tenon::with_cancel(ctx);
      auto p = command(scope.ctx(), {"sh", "-c", "trap '' TERM; echo ready; read x"},
                       {.in = stdio::pipe, .out = stdio::pipe, .grace = grace})
                   .start()
                   .value();
      EXPECT_EQ(p.out.read_until(ctx, "\n").value(), "ready\n");
      scope.cancel();
      EXPECT_EQ(p.wait().value().signal(), SIGKILL);
    }
  });
}

// The descriptor that its end is waited with has the number of another file, of which an event is still to come.
TEST(OsCommand, EndsWithItsContextAlsoWhenAnotherFilesEventWakesTheWait) {
  tenon::run([](const context& ctx) {
    int stale[2];
    int fresh[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, stale), 0);
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fresh), 0);
    const int copy = ::fcntl(stale[0], F_DUPFD_CLOEXEC, 3);
    ASSERT_GE(copy, 0);
    EXPECT_EQ(tenon::wait_readable(tenon::within(ctx, 1ms), stale[0]), tenon::deadline_exceeded());
    ::close(stale[0]);  // but not with close_fd: the kernel's watch stays, for the copy

    const auto scope = tenon::with_cancel(ctx);
    auto p = command(scope.ctx(), {"sleep", "1000"}).start().value();
    const std::string number = "/proc/self/fd/" + std::to_string(stale[0]);
    std::error_code none;
    EXPECT_NE(std::filesystem::read_symlink(number, none).string().find("pidfd"), std::string::npos)
        << "the test's own: the number has gone to another file";
    group g(ctx);
    g.go([&] { EXPECT_EQ(p.wait().value().signal(), SIGTERM); });
    tenon_test::settle();
    EXPECT_EQ(::write(stale[1], "x", 1), 1);
    EXPECT_EQ(::write(fresh[1], "x", 1), 1);
    EXPECT_FALSE(tenon::wait_readable(ctx, fresh[0])) << "which has come after the other";
    tenon_test::settle();
    scope.cancel();
    EXPECT_FALSE(g.wait());
    for (const int fd : {stale[1], copy, fresh[0], fresh[1]}) (void)tenon::close_fd(fd);
  });
}

TEST(OsCommand, ItsGroupEndsWithIt) {
  tenon::run([](const context& ctx) {
    const auto scope = tenon::with_cancel(ctx);
    auto p = command(scope.ctx(), {"sh", "-c", "(trap '' TERM; echo ready; exec sleep 1000) & read x; echo $!; wait"},
                     {.in = stdio::pipe, .out = stdio::pipe, .own_group = true})
                 .start()
                 .value();
    EXPECT_EQ(p.out.read_until(ctx, "\n").value(), "ready\n");
    EXPECT_FALSE(p.in.write_all(ctx, "go\n"));
    const int other = std::stoi(p.out.read_until(ctx, "\n").value());
    EXPECT_FALSE(has_ended(other));
    scope.cancel();
    EXPECT_EQ(p.wait().value().signal(), SIGTERM);
    while (!has_ended(other)) tenon::sleep_for(1ms);
  });
}

TEST(OsCommand, DoesNotOutliveItsOwner) {
  tenon::run([](const context& ctx) {
    int pid = 0;
    {
      auto p = command(ctx, {"sleep", "1000"}).start().value();
      pid = p.pid();
      p = command(ctx, {"sleep", "1000"}).start().value();
      EXPECT_EQ(::kill(pid, 0), -1) << "another has its owner";
      pid = p.pid();
      EXPECT_EQ(::kill(pid, 0), 0);
    }
    EXPECT_EQ(::kill(pid, 0), -1);
    // One that has to be read from, or to be told that there is no more, before it ends.
    auto q = command(ctx, {"sh", "-c", "trap '' TERM; echo ready; cat; head -c 1000000 /dev/zero"},
                     {.in = stdio::pipe, .out = stdio::pipe, .grace = 1h})
                 .start()
                 .value();
    EXPECT_EQ(q.out.read_until(ctx, "\n").value(), "ready\n");
  });
}

// What a program has left in the background has its output still.
TEST(OsCommand, OutputWaitsForThoseWhoHaveItStillUntilTheContextEnds) {
  tenon::run([](const context& ctx) {
    auto p = command(ctx, {"sh", "-c", "exec 3<&0; cat <&3 & echo done"}, {.in = stdio::pipe, .out = stdio::pipe})
                 .start()
                 .value();
    EXPECT_TRUE(p.wait().value().success());
    EXPECT_EQ(p.out.read_until(ctx, "\n").value(), "done\n");
    char byte[1];
    EXPECT_EQ(p.out.read_some(tenon::within(ctx, 1ms), byte).err(), tenon::deadline_exceeded());
    EXPECT_FALSE(p.in.close());
    EXPECT_EQ(p.out.read_some(ctx, byte).err(), eof());

    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    auto [said, err] = tenon::os::pipe().value();
    const auto scope = tenon::with_cancel(ctx);
    group g(ctx);
    g.go([&, to = err.native_handle()] {
      EXPECT_EQ(command(scope.ctx(), {"sh", "-c", "exec 3<&0; cat <&3 2>&- & echo >&2"},
                        {.in = stdio::descriptor(ends[0]), .err = stdio::descriptor(to)})
                    .output()
                    .err(),
                tenon::canceled());
    });
    EXPECT_EQ(said.read_until(ctx, "\n").value(), "\n");
    EXPECT_FALSE(err.close());
    EXPECT_EQ(said.read_some(ctx, byte).err(), eof()) << "the shell has ended";
    scope.cancel();
    EXPECT_FALSE(g.wait());
    ::close(ends[0]);
    ::close(ends[1]);
  });
}

TEST(OsCommand, StartsAndWaitsOnAPlainThread) {
  auto p = command(background(), {"sh", "-c", "exit 4"}).start().value();
  EXPECT_EQ(p.wait().value().code(), 4);
  EXPECT_FALSE(command(background(), {"true"}).run());
}

// The thread that finds that the deadline has passed is the one on which timers fire, and with them the end of the grace.
TEST(OsCommand, IsKilledAfterItsGraceOutsideOfARunToo) {
  bool ready = false;
  for (auto d = 50ms; !ready; d *= 2) {  // until the deadline comes when the program runs
    const auto scope = tenon::with_timeout(background(), d);
    auto p = command(scope.ctx(), {"sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"},
                     {.out = stdio::pipe, .grace = 50ms})
                 .start();
    if (!p) {
      ASSERT_EQ(p.err(), tenon::deadline_exceeded());
      continue;
    }
    ready = p->out.read_until("\n").has_value();
    const int signal = p->wait().value().signal();
    EXPECT_TRUE(ready ? signal == SIGKILL : signal != 0) << signal;
  }
  EXPECT_TRUE(tenon::after(1ms).recv()) << "timers go on";
}

TEST(OsCommand, CancelDoesNotWaitForTheGrace) {
  const auto scope = tenon::with_cancel(background());
  auto p = command(scope.ctx(), {"sh", "-c", "trap '' TERM; echo ready; read x; exit 5"},
                   {.in = stdio::pipe, .out = stdio::pipe, .grace = 1h})
               .start()
               .value();
  EXPECT_EQ(p.out.read_until("\n").value(), "ready\n");
  scope.cancel();
  EXPECT_FALSE(p.in.write_all("go\n"));
  EXPECT_EQ(p.wait().value().code(), 5);
}

TEST(OsCommand, ANilContextNeverEndsIt) {
  tenon::run([] {
    EXPECT_FALSE(command(context(), {"true"}).run());
    EXPECT_EQ(command(context(), {"cat"}).output("in").value(), "in");
  });
}

// Each has two pipes and a descriptor of its own.
TEST(OsCommand, ManyAtOnceLeaveNothing) {
  const auto descriptors = [] {
    int n = 0;
    for (int fd = 0; fd < 1000; ++fd) n += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    return n;
  };
  tenon::run([&](const context& ctx) {
    EXPECT_FALSE(command(ctx, {"true"}).run());
    const int before = descriptors();
    group g(ctx);
    g.go_n(40, [&](const context& c, int i) {
      const std::string text = std::to_string(i);
      EXPECT_EQ(command(c, {"cat"}).output(text).value(), text);
    });
    EXPECT_FALSE(g.wait());
    EXPECT_EQ(descriptors(), before);
  });
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "no child";
}

}  // namespace
