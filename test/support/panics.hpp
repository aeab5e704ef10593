#pragma once

/// EXPECT_PANIC(statement, text): the statement throws `tenon::panic` with exactly that text.

#include <gtest/gtest.h>

#include <exception>
#include <string>

#include <tenon/panic.hpp>

namespace tenon_test {

/// What `f` panicked with; "no panic", or what else it threw.
template <class F>
std::string panic_text(F&& f) {
  try {
    f();
  } catch (const tenon::panic& p) {
    return p.what();
  } catch (const std::exception& e) {
    return std::string("not a panic: ") + e.what();
  }
  return "no panic";
}

}  // namespace tenon_test

#define EXPECT_PANIC(statement, text) EXPECT_EQ(::tenon_test::panic_text([&] { statement; }), (text))
