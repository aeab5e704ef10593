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
      {"SendToNil", fate::blocks, [] { nil().send(7); }},
      {"ReceiveFromNil", fate::blocks, [] { (void)nil().recv(); }},
      {"ReceiveOnlyFromNil", fate::blocks, [] { (void)tenon::recv_chan<int>().recv(); }},
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
      {"SendWithRoom", fate::returns, [] { empty(1).send(7); }},
      {"SendToFull", fate::blocks, [] { full(1).send(7); }},
      {"SendToUnbuffered", fate::blocks, [] { empty().send(7); }},
      {"ReceiveFromUnbuffered", fate::blocks, [] { (void)empty().recv(); }},
      {"ReceiveFromEmpty", fate::blocks, [] { (void)empty(1).recv(); }},
      {"ReceiveFromFull", fate::returns, [] { (void)full(1).recv(); }},
      {"ReceiveFromClosed", fate::returns,
       [] {
         const auto c = closed();
         for (int i = 0; i < 10; ++i) {
           if (c.recv()) throw std::logic_error("a value");
         }
       }},
      {"SendToClosed", fate::throws, [] { closed().send(7); }},

      // selects without a default
      {"SelectOfNothing", fate::blocks, [] { select(); }},
      {"SelectOfAnEmptySpan", fate::blocks, [] { select(std::span<tenon::select_case* const>()); }},
      {"SelectReceiveFromNil", fate::blocks, [] { select(recv(nil())); }},
      {"SelectSendToNil", fate::blocks, [] { select(send(nil(), 7)); }},
      {"SelectBothOnNil", fate::blocks, [] { select(recv(nil()), send(nil(), 7)); }},
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
      {"SelectSendToClosed", fate::throws,
       [] {
         const auto c = closed();
         select(send(c, 7));
       }},
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
      {"SelectDefaultAlone", fate::returns, [] { select(otherwise); }},
      {"SelectReceiveFromNilOrDefault", fate::returns, [] { select(recv(nil()), otherwise); }},
      {"SelectSendToNilOrDefault", fate::returns, [] { select(send(nil(), 7), otherwise); }},
      {"SelectReceiveFromUnbufferedOrDefault", fate::returns,
       [] {
         const auto c = empty();
         select(recv(c), otherwise);
       }},
      {"SelectSendWithRoomNotDefault", fate::returns,
       [] {
         const auto c = empty(1);
         if (select(send(c, 7), otherwise) != 0) throw std::logic_error("default");
       }},
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
