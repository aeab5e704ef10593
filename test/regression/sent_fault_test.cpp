// A SIGSEGV or SIGBUS that was sent does what it does without tenon.

#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <tuple>

#include "support/subprocess.hpp"

namespace {

using tenon_test::ending;
using tenon_test::run_program;

class SentFault : public testing::TestWithParam<std::tuple<const char*, const char*>> {
 protected:
  static int number() { return std::get<1>(GetParam()) == std::string("bus") ? SIGBUS : SIGSEGV; }
};

TEST_P(SentFault, EndsTheProcess) {
  const ending e = run_program("sent_fault", {std::get<0>(GetParam()), std::get<1>(GetParam())});
  EXPECT_EQ(e.out, "") << e.describe();
  EXPECT_EQ(e.err.find("stack overflow"), std::string::npos) << e.describe();
  if (tenon_test::sanitized()) {
    EXPECT_NE(e.status, 0) << e.describe();
  } else {
    EXPECT_EQ(e.signal, number()) << e.describe();
  }
}

INSTANTIATE_TEST_SUITE_P(By, SentFault,
                         testing::Combine(testing::Values("raise", "kill", "queue", "thread"),
                                          testing::Values("segv", "bus")),
                         [](const auto& info) {
                           return std::string(std::get<0>(info.param)) + "_" + std::get<1>(info.param);
                         });

TEST(SentFaultWithDisposition, StaysIgnored) {
  for (const char* sig : {"segv", "bus"}) {
    const ending e = run_program("sent_fault", {"ignored", sig});
    EXPECT_EQ(e.out, "went on\nreturned\n") << e.describe();
    EXPECT_EQ(e.status, 0) << e.describe();
  }
}

TEST(SentFaultWithDisposition, GoesToTheProgramsHandler) {
  for (const char* sig : {"segv", "bus"}) {
    const ending e = run_program("sent_fault", {"handled", sig});
    EXPECT_EQ(e.out, "handled\nwent on\nreturned\n") << e.describe();
    EXPECT_EQ(e.status, 0) << e.describe();
  }
}

// Its signal is blocked meanwhile, as the kernel would have it: so the fault ends the process, and does not call it again.
TEST(SentFaultWithDisposition, EndsAProgramWhoseHandlerFaults) {
  const ending e = run_program("sent_fault", {"faults_again", "segv"});
  EXPECT_EQ(e.out, "handled\n") << e.describe();
  EXPECT_EQ(e.signal, SIGSEGV) << e.describe();
}

TEST(SentFaultWithDisposition, GoesToAHandlerForOneSignalOnce) {
  for (const auto& [sig, number] : {std::pair{"segv", SIGSEGV}, std::pair{"bus", SIGBUS}}) {
    const ending e = run_program("sent_fault", {"handled_once", sig});
    EXPECT_EQ(e.out, "handled\nwent on\n") << e.describe();
    EXPECT_EQ(e.signal, number) << e.describe();
  }
}

}  // namespace
