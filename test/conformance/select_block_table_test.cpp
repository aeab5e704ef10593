// Which operations and selects block, which return, and which panic: nil, empty, full and closed channels. Each entry runs in
// a process of its own, because an operation that blocks for ever cannot be taken back.

#include <gtest/gtest.h>

#include <functional>
#include <ostream>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/into.hpp"
#include "support/waiting.hpp"

namespace {

using tenon_test::fate;

struct entry {
  std::string name;
  fate expected;
  std::function<void()> operation;
};

tenon::chan<int> nil() { return {}; }
tenon::chan<int> empty(int capacity = 0) {
  return tenon::make_chan<int>(capacity, "as much as is sent before anybody receives");
}
tenon::chan<int> full(int capacity) {
  const auto c = tenon::make_chan<int>(capacity, "as much as is sent before anybody receives");
  for (int i = 0; i < capacity; ++i) c.send(i);
  return c;
}
tenon::chan<int> closed() {
  const auto c = tenon::make_chan<int>();
  c.close();
  return c;
}

std::ostream& operator<<(std::ostream& out, const entry& e) { return out << e.name; }

const std::vector<entry>& table() {
  using tenon::otherwise;
  using tenon::recv;
  using tenon::select;
  using tenon::send;
  static const std::vector<entry> entries{
      // plain operations
      // Go: test/chan/select3.go: a send to nil blocks
      {"SendToNil", fate::blocks, [] { nil().send(7); }},
      // Go: test/chan/select3.go: a receive from nil blocks
      {"ReceiveFromNil", fate::blocks, [] { (void)nil().recv(); }},
      {"ReceiveOnlyFromNil", fate::blocks, [] { (void)tenon::recv_chan<int>().recv(); }},
      // Go: the specification: a range over nil blocks
      {"RangeOverNil", fate::blocks,
       [] {
         for ([[maybe_unused]] const int v : nil()) {
         }
       }},
      {"SendToNilWithAContextThatNeverEnds", fate::blocks, [] { (void)nil().send(tenon::background(), 7); }},
      {"ReceiveFromNilWithTheNilContext", fate::blocks, [] { (void)nil().recv(tenon::context()); }},
      {"TrySendToNil", fate::returns, [] { (void)nil().try_send(7); }},
      {"TryReceiveFromNil", fate::returns, [] { (void)nil().try_recv(); }},
      {"CloseNil", fate::throws, [] { nil().close(); }},
      // Go: test/chan/select3.go: a send with room in the buffer does not block
      {"SendWithRoom", fate::returns, [] { empty(1).send(7); }},
      // Go: the specification: a send to a full buffer blocks
      {"SendToFull", fate::blocks, [] { full(1).send(7); }},
      // Go: the specification: a send that nobody receives blocks
      {"SendToUnbuffered", fate::blocks, [] { empty().send(7); }},
      // Go: test/chan/select3.go: a receive that is not ready blocks
      {"ReceiveFromUnbuffered", fate::blocks, [] { (void)empty().recv(); }},
      {"ReceiveFromEmpty", fate::blocks, [] { (void)empty(1).recv(); }},
      {"ReceiveFromFull", fate::returns, [] { (void)full(1).recv(); }},
      // Go: test/chan/select3.go: a receive from a closed channel does not block
      {"ReceiveFromClosed", fate::returns,
       [] {
         const auto c = closed();
         for (int i = 0; i < 10; ++i) {
           if (c.recv()) throw std::logic_error("a value");
         }
       }},
      // Go: test/chan/select3.go: a send to a closed channel panics
      {"SendToClosed", fate::throws, [] { closed().send(7); }},

      // selects without a default
      // Go: test/chan/select3.go: the empty select blocks
      {"SelectOfNothing", fate::blocks, [] { select(); }},
      {"SelectOfAnEmptySpan", fate::blocks, [] { select(std::span<tenon::select_case* const>()); }},
      // Go: test/chan/select3.go: a select that receives from nil blocks
      {"SelectReceiveFromNil", fate::blocks, [] { select(recv(nil())); }},
      // Go: test/chan/select3.go: a select that sends to nil blocks
      {"SelectSendToNil", fate::blocks, [] { select(send(nil(), 7)); }},
      // Go: test/chan/select3.go: a select with several cases on nil blocks
      {"SelectBothOnNil", fate::blocks, [] { select(recv(nil()), send(nil(), 7)); }},
      // Go: test/chan/select3.go: a select that is not ready blocks
      {"SelectReceiveFromUnbuffered", fate::blocks,
       [] {
         const auto c = empty();
         select(recv(c));
       }},
      {"SelectSendToFull", fate::blocks,
       [] {
         const auto c = full(2);
         select(send(c, 7));
       }},
      // Go: test/chan/select3.go: a select that receives from a closed channel does not block
      {"SelectReceiveFromClosed", fate::returns,
       [] {
         const auto c = closed();
         select(recv(c));
       }},
      {"SelectReceiveFromClosedIntoAnOptional", fate::returns,
       [] {
         const auto c = closed();
         std::optional<int> v = 1;
         select(tenon_test::into(c, v));
         if (v) throw std::logic_error("a value");
       }},
      {"SelectReceiveFromClosedIntoAValue", fate::returns,
       [] {
         const auto c = closed();
         int v = 1;
         select(tenon_test::into(c, v));
         if (v != 0) throw std::logic_error("not zero");
       }},
      // Go: test/chan/select3.go: a select that sends to a closed channel panics
      {"SelectSendToClosed", fate::throws,
       [] {
         const auto c = closed();
         select(send(c, 7));
       }},
      // Go: test/chan/select3.go: a select does not meet itself
      {"SelectThatSeesItself", fate::blocks,
       [] {
         const auto c = empty();
         select(send(c, 1), recv(c));
       }},
      {"SelectThatSeesItselfReceivingFirst", fate::blocks,
       [] {
         const auto c = empty();
         select(recv(c), send(c, 1));
       }},

      // selects with a default
      // Go: test/chan/select3.go: a select of a default alone does not block
      {"SelectDefaultAlone", fate::returns, [] { select(otherwise); }},
      // Go: test/chan/select3.go: a receive from nil is never selected
      {"SelectReceiveFromNilOrDefault", fate::returns,
       [] {
         if (select(recv(nil()), otherwise) != 1) throw std::logic_error("not the default");
       }},
      // Go: test/chan/select3.go: a send to nil is never selected
      {"SelectSendToNilOrDefault", fate::returns,
       [] {
         if (select(send(nil(), 7), otherwise) != 1) throw std::logic_error("not the default");
       }},
      // Go: the specification: with nothing ready the default is taken
      {"SelectReceiveFromUnbufferedOrDefault", fate::returns,
       [] {
         const auto c = empty();
         if (select(recv(c), otherwise) != 1) throw std::logic_error("not the default");
       }},
      // Go: test/chan/select3.go: a ready send is taken and not the default
      {"SelectSendWithRoomNotDefault", fate::returns,
       [] {
         const auto c = empty(1);
         if (select(send(c, 7), otherwise) != 0) throw std::logic_error("default");
       }},
      // Go: test/chan/select3.go: a ready receive is taken and not the default
      {"SelectReceiveFromFullNotDefault", fate::returns,
       [] {
         const auto c = full(1);
         if (select(recv(c), otherwise) != 0) throw std::logic_error("default");
       }},
      {"SelectReceiveFromClosedNotDefault", fate::returns,
       [] {
         const auto c = closed();
         if (select(recv(c), otherwise) != 0) throw std::logic_error("default");
       }},
      // Go: the specification: a send to a closed channel panics in a select with a default too
      {"SelectSendToClosedOrDefault", fate::throws,
       [] {
         const auto c = closed();
         select(send(c, 7), otherwise);
       }},
  };
  return entries;
}

class BlockTable : public testing::TestWithParam<entry> {};
INSTANTIATE_TEST_SUITE_P(Entry, BlockTable, testing::ValuesIn(table()),
                         [](const auto& info) { return info.param.name; });

// Go: test/chan/select3.go
TEST_P(BlockTable, Goroutine) {
  EXPECT_EQ(tenon_test::fate_in_goroutine(GetParam().operation, GetParam().expected), GetParam().expected);
}

// Go: test/chan/select3.go; here for a plain OS thread
TEST_P(BlockTable, OsThread) {
  EXPECT_EQ(tenon_test::fate_on_os_thread(GetParam().operation, GetParam().expected), GetParam().expected);
}

}  // namespace
