// What is started may be a plain function, by its name, a reference or a pointer; with a context, with a group, with nothing.

#include <gtest/gtest.h>

#include <atomic>

#include <tenon/tenon.hpp>
#include <tenon/testing/run_virtual.hpp>

namespace {

std::atomic<int> calls = 0;

int app_of_group(tenon::group& g) {
  ++calls;
  return g.ctx() ? 7 : 1;
}
int app_of_context(tenon::context ctx) {  // NOLINT: by value, as users write it
  ++calls;
  return ctx ? 7 : 1;
}
int app_of_nothing() {
  ++calls;
  return 7;
}
void app_without_status() { ++calls; }
tenon::error app_with_error() { return {}; }
int app_noexcept() noexcept { return 7; }

void task() { ++calls; }
void task_with_context(tenon::context ctx) { calls += ctx ? 1 : 100; }  // NOLINT: as above
tenon::error task_with_error(const tenon::context&) {
  ++calls;
  return {};
}
void indexed(int i) { calls += i >= 0 ? 1 : 100; }
void indexed_with_context(tenon::context, int) { ++calls; }  // NOLINT: as above
void stage(tenon::sender<int>& out) { out.send(1); }
tenon::error stage_with_context(tenon::sender<int>& out, tenon::context ctx) {  // NOLINT: as above
  (void)!out.send(ctx, 1);
  return {};
}
int twice(int n) { return 2 * n; }
bool is_even(int n) { return n % 2 == 0; }
void consume(int n) { calls += n; }
void emit_one(tenon::emitter<int>& emit) { (void)emit(1); }

TEST(PlainFunction, IsRun) {
  EXPECT_EQ(tenon::run(app_of_group), 7);
  EXPECT_EQ(tenon::run(&app_of_group), 7);
  int (&reference)(tenon::group&) = app_of_group;
  EXPECT_EQ(tenon::run(reference, {.workers = 1}), 7);
  int (*const pointer)(tenon::group&) = app_of_group;
  EXPECT_EQ(tenon::run(pointer), 7);
  EXPECT_EQ(tenon::run(app_of_context), 7);
  EXPECT_EQ(tenon::run(&app_of_context), 7);
  EXPECT_EQ(tenon::run(app_of_nothing), 7);
  EXPECT_EQ(tenon::run(&app_of_nothing), 7);
  EXPECT_EQ(tenon::run(app_noexcept), 7);
  EXPECT_EQ(tenon::run(app_without_status), 0);
  EXPECT_EQ(tenon::run(app_with_error), 0);
  EXPECT_EQ(tenon::testing::run_virtual(app_of_group), 7);
  EXPECT_EQ(tenon::testing::run_virtual(app_of_nothing), 7);
}

TEST(PlainFunction, IsStarted) {
  calls = 0;
  tenon::run([] {
    tenon::go(task).join();
    tenon::go(&task).join();
    tenon::go(task_with_context).join();
    tenon::go({.name = "function"}, &task_with_context).join();
    EXPECT_EQ(tenon::go(twice, 21).join(), 42);
    EXPECT_EQ(tenon::go(tenon::background(), twice, 21).join(), 42);
    tenon::wait_group wg;
    wg.go(task);
    wg.go({.name = "function"}, &task);
    wg.wait();
  });
  EXPECT_EQ(calls.load(), 6);
}

TEST(PlainFunction, IsAMemberAStageAndAStep) {
  calls = 0;
  tenon::run([](tenon::group& root) {
    tenon::group g(root.ctx());
    g.go(task);
    g.go(&task);
    g.go(task_with_context);
    g.go({.name = "function"}, task_with_error);
    g.go_n(2, task);
    g.go_n(2, indexed);
    g.go_n(2, &indexed_with_context);
    g.go_n({.name = "function"}, 2, indexed_with_context);
    EXPECT_TRUE(g.try_go(task));
    for (const int n : g.produce<int>(stage)) calls += n;
    for (const int n : g.produce<int>(1, &stage_with_context)) calls += n;
    for (const int n : g.produce_n<int>(2, stage)) calls += n;
    EXPECT_FALSE(g.wait());
    tenon::pipeline p(root.ctx());
    p.for_each(p.filter(p.transform(p.generate<int>(emit_one), twice), is_even), consume);
    p.go(task);
    EXPECT_FALSE(p.wait());
  });
  EXPECT_EQ(calls.load(), 4 + 8 + 1 + 4 + 2 + 1);
}

}  // namespace
