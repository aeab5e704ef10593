// The three forms of select: index, handlers, span; and what cases may refer to.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/into.hpp"
#include "support/callers.hpp"
#include "support/panics.hpp"
#include "support/values.hpp"
#include "support/waiting.hpp"

namespace {

using tenon_test::callers;
using tenon_test::counted;

class SelectForms : public testing::TestWithParam<callers> {
 protected:
  template <class F>
  static void body(F&& f) {
    tenon_test::as(GetParam(), std::forward<F>(f));
  }
};
INSTANTIATE_TEST_SUITE_P(By, SelectForms, tenon_test::every_caller, tenon_test::caller_name);

// Go: select, cases in the order written
TEST_P(SelectForms, TheIndexNamesTheCase) {
  body([] {
    const auto in = tenon::make_chan<int>(1);
    const auto out = tenon::make_chan<int>(1);
    const auto never = tenon::make_chan<std::string>();
    std::optional<int> v;
    EXPECT_EQ(tenon::select(tenon_test::into(in, v), tenon::recv(never), tenon::otherwise), 2U);
    EXPECT_EQ(tenon::select(tenon_test::into(in, v), tenon::recv(never), tenon::send(out, 7)), 2U);
    EXPECT_EQ(out.recv(), 7);
    in.send(3);
    EXPECT_EQ(tenon::select(tenon::recv(never), tenon_test::into(in, v), tenon::otherwise), 1U);
    EXPECT_EQ(v, 3);
    in.close();
    EXPECT_EQ(tenon::select(tenon_test::into(in, v), tenon::recv(never)), 0U);
    EXPECT_EQ(v, std::nullopt);
  });
}

// Go: select with ctx.Done()
TEST_P(SelectForms, CancellationIsACase) {
  body([] {
    const auto scope = tenon::with_cancel(tenon::background());
    const auto in = tenon::make_chan<int>();
    EXPECT_EQ(tenon::select(tenon::recv(in), tenon::recv(scope.ctx.done()), tenon::otherwise), 2U);
    auto canceler = tenon_test::start(GetParam(), [&] {
      tenon_test::settle();
      scope.cancel();
    });
    EXPECT_EQ(tenon::select(tenon::recv(in), tenon::recv(scope.ctx.done())), 1U);
    EXPECT_EQ(scope.ctx.err(), tenon::canceled());
    canceler.join();
    EXPECT_EQ(tenon::select(tenon::recv(in), tenon::recv(tenon::background().done()), tenon::otherwise), 2U);
  });
}

// Go: the body of the chosen case runs, and no other
TEST_P(SelectForms, OnlyTheHandlerOfTheCaseThatRanIsCalled) {
  body([] {
    const auto in = tenon::make_chan<int>(1);
    const auto out = tenon::make_chan<int>(1);
    std::string ran;
    const auto choose = [&](const tenon::chan<int>& from, const tenon::chan<int>& to) {
      ran.clear();
      return tenon::select(
          tenon::recv(from, [&](std::optional<int> v) { ran += v ? "received " + std::to_string(*v) : "closed"; }),
          tenon::send(to, 5, [&] { ran += "sent"; }), tenon::otherwise([&] { ran += "otherwise"; }));
    };
    EXPECT_EQ(choose(in, nullptr), 2U);
    EXPECT_EQ(ran, "otherwise");
    in.send(8);
    EXPECT_EQ(choose(in, nullptr), 0U);
    EXPECT_EQ(ran, "received 8");
    EXPECT_EQ(choose(nullptr, out), 1U);
    EXPECT_EQ(ran, "sent");
    EXPECT_EQ(out.recv(), 5);
    in.close();
    EXPECT_EQ(choose(in, nullptr), 0U);
    EXPECT_EQ(ran, "closed");
  });
}

// Go: the body of a case runs after the operation, and may do anything
TEST_P(SelectForms, HandlersRunOutsideOfEveryLock) {
  body([] {
    const auto a = tenon::make_chan<int>(1);
    const auto b = tenon::make_chan<int>(1);
    a.send(1);
    tenon::select(tenon::recv(a, [&](std::optional<int> v) {
      a.send(*v + 1);
      tenon::select(tenon::recv(a, [&](std::optional<int> w) { b.send(*w + 1); }));
      a.close();
    }));
    EXPECT_EQ(b.recv(), 3);
    EXPECT_EQ(a.recv(), std::nullopt);
  });
}

// tenon: a handler may block, and what it throws passes
TEST_P(SelectForms, HandlersMayBlockAndThrow) {
  body([] {
    const auto a = tenon::make_chan<int>(1);
    const auto answer = tenon::make_chan<int>();
    a.send(1);
    auto other = tenon_test::start(GetParam(), [=] {
      tenon_test::settle();
      answer.send(4);
    });
    EXPECT_THROW(tenon::select(tenon::recv(
                     a, [&](std::optional<int>) { throw std::runtime_error(std::to_string(answer.recv().value())); })),
                 std::runtime_error);
    other.join();
    EXPECT_EQ(a.len(), 0U) << "the operation was done";
    EXPECT_THROW(tenon::select(tenon::otherwise([] { throw std::runtime_error("none"); })), std::runtime_error);
    EXPECT_THROW(tenon::select(tenon::send(a, 1, [] { throw std::runtime_error("sent"); })), std::runtime_error);
    EXPECT_EQ(a.recv(), 1);
  });
}

// tenon: several handlers, woken from outside
TEST_P(SelectForms, AHandlerRunsAfterAWait) {
  body([] {
    const auto a = tenon::make_chan<std::unique_ptr<int>>();
    const auto b = tenon::make_chan<std::unique_ptr<int>>();
    auto other = tenon_test::start(GetParam(), [=] {
      tenon_test::settle();
      b.send(std::make_unique<int>(6));
      EXPECT_EQ(*a.recv().value(), 7);
    });
    int got = 0;
    const auto take = [&](std::optional<std::unique_ptr<int>> v) { got = **v; };
    tenon::select(tenon_test::into(a, take), tenon_test::into(b, take));
    EXPECT_EQ(got, 6);
    bool sent = false;
    tenon::select(tenon::send(a, std::make_unique<int>(7), [&] { sent = true; }), tenon_test::into(b, take));
    EXPECT_TRUE(sent);
    other.join();
  });
}

// Go: reflect.Select
TEST_P(SelectForms, ASpanHoldsAnyNumberOfCases) {
  body([] {
    std::vector<tenon::chan<int>> channels;
    for (int i = 0; i < 20; ++i) channels.push_back(tenon::make_chan<int>());
    auto other = tenon_test::start(GetParam(), [=] {
      for (int i = 0; i < 20; ++i) channels[static_cast<std::size_t>(i * 7 % 20)].send(i);
    });
    std::optional<int> v;
    std::vector<tenon::select_case> cases;
    for (const auto& c : channels) cases.push_back(tenon_test::into(c, v));
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(tenon::select(std::span<const tenon::select_case>(cases)), static_cast<std::size_t>(i * 7 % 20));
      EXPECT_EQ(v, i);
    }
    other.join();
    cases.push_back(tenon::otherwise);
    EXPECT_EQ(tenon::select(cases), 20U);
    EXPECT_EQ(tenon::select(std::span(cases).last(1)), 0U);
  });
}

// Go: reflect.Select, sends and receives of several types in one list
TEST_P(SelectForms, ASpanMixesTypesAndDirections) {
  body([] {
    const auto numbers = tenon::make_chan<int>(1);
    const auto words = tenon::make_chan<std::string>(1);
    const auto done = tenon::make_chan<void>();
    std::string word = "hello";
    int number = 0;
    const std::vector<tenon::select_case> cases{tenon::send(words, std::move(word)), tenon_test::into(numbers, number),
                                                tenon::recv(done)};
    EXPECT_EQ(tenon::select(cases), 0U);
    EXPECT_EQ(words.recv(), "hello");
    numbers.send(4);
    words.send("full");
    word = "again";
    EXPECT_EQ(tenon::select(cases), 1U);
    EXPECT_EQ(number, 4);
    EXPECT_EQ(word, "again");
    done.close();
    EXPECT_EQ(tenon::select(cases), 2U);
    EXPECT_EQ(word, "again");
  });
}

// tenon: a send moves from its value if, and only if, it fires
TEST_P(SelectForms, AValueNotSentIsUntouched) {
  counted::living = 0;
  body([] {
    const auto full = tenon::make_chan<counted>();
    const auto open = tenon::make_chan<counted>(1);
    counted a(1);
    counted b(2);
    EXPECT_EQ(tenon::select(tenon::send(full, std::move(a)), tenon::send(open, std::move(b))), 1U);
    EXPECT_EQ(a.value(), 1);                    // NOLINT: that is the test
    EXPECT_EQ(b.value(), counted::moved_from);  // NOLINT
    EXPECT_EQ(tenon::select(tenon::send(full, std::move(a)), tenon::send(open, std::move(a)), tenon::otherwise), 2U);
    EXPECT_EQ(a.value(), 1);  // NOLINT
    // After a wait that ended otherwise, too.
    const auto wake = tenon::make_chan<int>();
    auto other = tenon_test::start(GetParam(), [=] {
      tenon_test::settle();
      wake.send(1);
    });
    EXPECT_EQ(tenon::select(tenon::send(full, std::move(a)), tenon::recv(wake), tenon::send(open, std::move(a))), 1U);
    EXPECT_EQ(a.value(), 1);  // NOLINT
    other.join();
    EXPECT_EQ(open.recv().value().value(), 2);
  });
  EXPECT_EQ(counted::living, 0);
}

// tenon: an lvalue is copied
TEST_P(SelectForms, AnLvalueIsSentAsACopy) {
  body([] {
    const auto words = tenon::make_chan<std::string>(1);
    const std::string word = "a word that is too long to be kept inside of the string object";
    EXPECT_EQ(tenon::select(tenon::send(words, word)), 0U);
    EXPECT_EQ(words.recv(), word);
    bool sent = false;
    EXPECT_EQ(tenon::select(tenon::send(words, word, [&] { sent = true; }), tenon::recv(tenon::chan<int>())), 0U);
    EXPECT_TRUE(sent);
    EXPECT_EQ(words.recv(), word);
  });
}

// Go: the specification: the left side of a receive is only evaluated when its case is chosen
TEST_P(SelectForms, ATargetIsOnlyAssignedWhenItsCaseRuns) {
  body([] {
    const auto a = tenon::make_chan<std::string>(1);
    const auto never = tenon::make_chan<std::string>();
    std::string plain = "plain";
    std::optional<std::string> maybe = "maybe";
    a.send("new");
    EXPECT_EQ(tenon::select(tenon_test::into(never, plain), tenon_test::into(never, maybe), tenon::recv(a)), 2U);
    EXPECT_EQ(plain, "plain");
    EXPECT_EQ(maybe, "maybe");
    a.send("newer");
    EXPECT_EQ(tenon::select(tenon_test::into(a, plain), tenon_test::into(never, maybe)), 0U);
    EXPECT_EQ(plain, "newer");
    a.close();
    EXPECT_EQ(tenon::select(tenon_test::into(never, plain), tenon_test::into(a, maybe)), 1U);
    EXPECT_EQ(maybe, std::nullopt);
  });
}

// C++: what a case is
TEST(SelectCase, IsATrivialValue) {
  static_assert(std::is_trivially_copyable_v<tenon::select_case>);
  using plain_send = decltype(tenon::send(tenon::chan<int>(), std::declval<const int&>()));
  static_assert(std::is_same_v<plain_send, tenon::select_case>);
}

}  // namespace
