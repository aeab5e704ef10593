// The forms of select: named cases, index, span; and what cases hold.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/callers.hpp"
#include "support/into.hpp"
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
    EXPECT_EQ(tenon::select(tenon::recv(in), tenon::recv(scope.ctx().done()), tenon::otherwise), 2U);
    auto canceler = tenon_test::start(GetParam(), [&] {
      tenon_test::settle();
      scope.cancel();
    });
    EXPECT_EQ(tenon::select(tenon::recv(in), tenon::recv(scope.ctx().done())), 1U);
    EXPECT_EQ(scope.ctx().err(), tenon::canceled());
    canceler.join();
    EXPECT_EQ(tenon::select(tenon::recv(in), tenon::recv(tenon::background().done()), tenon::otherwise), 2U);
  });
}

// Go: the body of the chosen case runs, and no other
TEST_P(SelectForms, OnlyTheCaseThatRanIsTrue) {
  body([] {
    const auto in = tenon::make_chan<int>(1);
    const auto out = tenon::make_chan<int>(1);
    auto next = tenon::recv(in);
    auto answer = tenon::send(out, 5);
    EXPECT_FALSE(next);
    EXPECT_FALSE(answer);
    tenon::select(next, answer);
    EXPECT_FALSE(next);
    EXPECT_TRUE(answer);
    in.send(8);
    answer.set(6);  // `out` is full
    tenon::select(next, answer);
    EXPECT_TRUE(next);
    EXPECT_FALSE(next.closed());
    EXPECT_FALSE(answer);
    EXPECT_EQ(*next, 8);
    EXPECT_EQ(out.recv(), 5);
    in.close();
    next = tenon::recv(in);
    answer.disable();
    tenon::select(next, answer);
    EXPECT_TRUE(next);
    EXPECT_TRUE(next.closed());
    EXPECT_EQ(answer.take(), 6);
    tenon::select(next, tenon::otherwise);
    EXPECT_TRUE(next.closed()) << "for ever";
  });
}

// Go: c = nil
TEST_P(SelectForms, ADisabledCaseNeverFires) {
  body([] {
    const auto a = tenon::make_chan<int>(1);
    a.send(1);
    auto next = tenon::recv(a);
    next.disable();
    EXPECT_EQ(tenon::select(next, tenon::otherwise), 1U);
    EXPECT_FALSE(next);
    next = tenon::recv(a);
    EXPECT_EQ(tenon::select(next, tenon::otherwise), 0U);
    EXPECT_EQ(*next, 1);
  });
}

// C++: what there is not
TEST_P(SelectForms, AValueThatIsNotThereIsAPanic) {
  body([] {
    const auto a = tenon::make_chan<int>(2, "the test sends two");
    auto next = tenon::recv(a);
    EXPECT_PANIC((void)*next, "tenon: select: the value of a receive case that has not fired");
    a.send(1);
    tenon::select(next);
    EXPECT_EQ(*next, 1);
    EXPECT_EQ(tenon::select(next, tenon::otherwise), 1U);
    EXPECT_PANIC((void)*next, "tenon: select: the value of a receive case that has not fired");
    a.close();
    tenon::select(next);
    EXPECT_PANIC((void)*next, "tenon: select: the value of a receive case whose channel is closed");

    const auto b = tenon::make_chan<int>(2, "the test sends two");
    auto out = tenon::send(b, 1);
    tenon::select(out);
    EXPECT_PANIC(tenon::select(out),
                 "tenon: select: a send case has no value: give it the next one by set() after it has fired");
    EXPECT_PANIC((void)out.take(),
                 "tenon: select: a send case has no value: give it the next one by set() after it has fired");
    out.set(2);
    tenon::select(out);
    EXPECT_EQ(b.recv(), 1);
    EXPECT_EQ(b.recv(), 2);
  });
}

// C++: a case made from an lvalue borrows the channel, one made from an rvalue owns it
TEST_P(SelectForms, ACaseOfATemporaryKeepsItsChannel) {
  body([] {
    const auto make = [] {
      auto c = tenon::make_chan<std::string>(1);
      c.send("kept");
      return c;
    };
    auto next = tenon::recv(make());
    auto moved = std::move(next);
    EXPECT_EQ(tenon::select(next, tenon::otherwise), 1U) << "moved from";  // NOLINT
    tenon::select(moved);
    EXPECT_EQ(*moved, "kept");
    auto with_value = std::move(moved);
    EXPECT_TRUE(with_value);
    EXPECT_EQ(*with_value, "kept");
    EXPECT_FALSE(moved);  // NOLINT
  });
}

// Go: the value of a receive is the receiver's
TEST_P(SelectForms, MoveOnlyValuesComeAndGo) {
  body([] {
    const auto a = tenon::make_chan<std::unique_ptr<int>>();
    const auto b = tenon::make_chan<std::unique_ptr<int>>();
    auto other = tenon_test::start(GetParam(), [=] {
      tenon_test::settle();
      b.send(std::make_unique<int>(6));
      EXPECT_EQ(*a.recv().value(), 7);
    });
    auto from_b = tenon::recv(b);
    tenon::select(tenon::recv(a), from_b);
    const std::unique_ptr<int> mine = std::move(*from_b);
    EXPECT_EQ(*mine, 6);
    auto to_a = tenon::send(a, std::make_unique<int>(7));
    tenon::select(to_a, from_b);
    EXPECT_TRUE(to_a);
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
    tenon_test::case_list cases;
    std::vector<tenon::recv_case<int>*> each;
    for (const auto& c : channels) each.push_back(&cases.add(tenon::recv(c)));
    for (int i = 0; i < 20; ++i) {
      const auto at = static_cast<std::size_t>(i * 7 % 20);
      EXPECT_EQ(tenon::select(cases.span()), at);
      EXPECT_EQ(**each[at], i);
    }
    other.join();
    EXPECT_EQ(tenon::select(cases.span(), tenon::otherwise), 20U);
    EXPECT_EQ(tenon::select(cases.span().first(0), tenon::otherwise), 0U);
  });
}

// Go: reflect.Select, sends and receives of several types in one list
TEST_P(SelectForms, ASpanMixesTypesAndDirections) {
  body([] {
    const auto numbers = tenon::make_chan<int>(1);
    const auto words = tenon::make_chan<std::string>(1);
    const auto done = tenon::make_chan<void>();
    auto word = tenon::send(words, "hello");
    auto number = tenon::recv(numbers);
    auto stop = tenon::recv(done);
    tenon::select_case* const cases[] = {&word, &number, &stop};
    EXPECT_EQ(tenon::select(cases), 0U);
    EXPECT_TRUE(word);
    EXPECT_EQ(words.recv(), "hello");
    numbers.send(4);
    words.send("full");
    word.set("again");
    EXPECT_EQ(tenon::select(cases), 1U);
    EXPECT_EQ(*number, 4);
    done.close();
    EXPECT_EQ(tenon::select(cases), 2U);
    EXPECT_TRUE(stop.closed());
    EXPECT_EQ(word.take(), "again");
  });
}

// tenon: a value that was not sent stays in its case
TEST_P(SelectForms, AValueNotSentStays) {
  counted::living = 0;
  body([] {
    const auto full = tenon::make_chan<counted>();
    const auto open = tenon::make_chan<counted>(1);
    auto a = tenon::send(full, counted(1));
    auto b = tenon::send(open, counted(2));
    EXPECT_EQ(tenon::select(a, b), 1U);
    EXPECT_EQ(tenon::select(a, tenon::otherwise), 1U);
    // After a wait that ended otherwise, too.
    const auto wake = tenon::make_chan<int>();
    auto other = tenon_test::start(GetParam(), [=] {
      tenon_test::settle();
      wake.send(1);
    });
    EXPECT_EQ(tenon::select(a, tenon::recv(wake)), 1U);
    EXPECT_EQ(a.take().value(), 1);
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
  });
}

// C++: the value of the last round goes before the next one begins, so that its destructor runs under no lock
TEST_P(SelectForms, TheLastValueGoesBeforeTheNextRound) {
  struct loud {
    tenon::chan<int> log;
    explicit loud(tenon::chan<int> c) : log(std::move(c)) {}
    loud(loud&&) noexcept = default;
    loud& operator=(loud&&) noexcept = default;
    loud(const loud&) = delete;
    loud& operator=(const loud&) = delete;
    ~loud() {
      if (log) log.send(1);
    }
  };
  body([] {
    const auto log = tenon::make_chan<int>(8, "each value reports once");
    const auto c = tenon::make_chan<loud>(2, "the test sends two");
    c.send(loud(log));
    auto next = tenon::recv(c);
    tenon::select(next);
    EXPECT_EQ(log.len(), 0U);
    tenon::select(next, tenon::otherwise);
    EXPECT_EQ(log.len(), 1U);
  });
}

}  // namespace
