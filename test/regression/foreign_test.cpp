// Exceptions of another language: they are caught, and are no exception of C++'s.

#include <gtest/gtest.h>

#include <unwind.h>

#include <string>

#include <tenon/tenon.hpp>

namespace {

[[noreturn]] void throw_foreign() {
  auto* const e = new _Unwind_Exception{};
  e->exception_class = 0x464f524549474e00;  // "FOREIGN"
  e->exception_cleanup = [](_Unwind_Reason_Code, _Unwind_Exception* it) { delete it; };
  _Unwind_RaiseException(e);
  std::abort();
}

std::string message_of(const tenon::error& e) { return e ? e.message() : "no error"; }

TEST(ForeignException, IsAFailureOfWhomItLeaves) {
  tenon::run([](const tenon::context& ctx) {
    auto g = tenon::go(throw_foreign);
    EXPECT_THROW(g.join(), tenon::panic);
    tenon::group members(ctx);
    members.go(throw_foreign);
    EXPECT_EQ(message_of(members.wait()), "an exception of another language");
    tenon::wait_group wg;
    wg.go(throw_foreign);
    EXPECT_THROW(wg.wait(), tenon::panic);
    EXPECT_EQ(message_of(tenon::blocking(ctx, throw_foreign)), "an exception of another language");
  });
}

}  // namespace
