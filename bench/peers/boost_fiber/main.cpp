/// tenon_peer_boost_fiber measures Boost.Fiber at the rows that bench/README.md defines, each row on the scheduler on which
/// Boost.Fiber is fastest at it.

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include <boost/fiber/algo/round_robin.hpp>
#include <boost/fiber/algo/shared_work.hpp>
#include <boost/fiber/algo/work_stealing.hpp>
#include <boost/fiber/condition_variable.hpp>
#include <boost/fiber/future/async.hpp>
#include <boost/fiber/operations.hpp>

#include "../../micro/harness.hpp"
#include "rows.hpp"
#include "stacks.hpp"

namespace bench::boost_fiber {
namespace {

enum class scheduler {
  round_robin,           // one thread; Boost's default
  shared_work,           // one thread; looks at Boost's own dispatcher fiber last, not once a round
  shared_work_in_fiber,  // the same, with the row's first fiber not the main one, which waits its turn with the dispatcher
  work_stealing,         // a thread for each worker
};

struct row_on {
  row what;
  scheduler where = scheduler::round_robin;
};

constexpr row_on table[] = {
    {{.name = "yield", .body = yield, .multiple = 2, .one_worker = true}, scheduler::shared_work_in_fiber},
    {{.name = "spawn_join", .body = spawn_join}},
    {{.name = "spawn_batch", .body = spawn_batch, .multiple = batch_size}},
    {{.name = "unbuffered", .body = unbuffered}, scheduler::shared_work_in_fiber},
    {{.name = "ping_pong", .body = ping_pong}, scheduler::shared_work_in_fiber},
    {{.name = "buffered_128", .body = buffered_128}},
    {{.name = "buffered_uncontended", .body = buffered_uncontended}},
    {{.name = "mpmc_4x4", .body = mpmc_4x4, .multiple = 4}},
    {{.name = "mutex_uncontended", .body = mutex_uncontended}},
    {{.name = "mutex_contended", .body = mutex_contended, .multiple = contenders}, scheduler::work_stealing},
    {{.name = "ring_1000", .body = ring_1000, .multiple = ring_size}},
    {{.name = "skynet_1m", .body = skynet_1m, .whole = 1'000'000}, scheduler::work_stealing},
    // The core rows end here.
    {{.name = "sieve_range", .body = sieve_range, .whole = 500}, scheduler::shared_work},
};

/// Threads that run fibers for as long as it lives. The thread that makes it is the first of them.
class stealing_threads {
 public:
  explicit stealing_threads(unsigned count) : count_(count) {
    for (unsigned i = 1; i < count; ++i) {
      threads_.emplace_back([this] {
        take_part();
        std::unique_lock lock(mutex_);
        ended_changed_.wait(lock, [this] { return ended_; });  // runs fibers until then
      });
    }
    take_part();
  }
  ~stealing_threads() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    ended_changed_.notify_all();
    for (auto& t : threads_) t.join();
  }
  stealing_threads(const stealing_threads&) = delete;
  stealing_threads& operator=(const stealing_threads&) = delete;

 private:
  // Nobody may steal before all have registered.
  void take_part() {
    boost::fibers::use_scheduling_algorithm<boost::fibers::algo::work_stealing>(count_);
    std::unique_lock lock(mutex_);
    if (++registered_ == count_) registered_changed_.notify_all();
    registered_changed_.wait(lock, [this] { return registered_ == count_; });
  }

  const unsigned count_;
  std::mutex mutex_;
  unsigned registered_ = 0;
  std::condition_variable registered_changed_;
  bool ended_ = false;
  boost::fibers::condition_variable_any ended_changed_;
  std::vector<std::thread> threads_;
};

void run(const row& r, unsigned workers, const std::function<void()>& f) {
  auto where = std::ranges::find(table, r.name, [](const row_on& on) { return on.what.name; })->where;
  if (where == scheduler::work_stealing && workers == 1) where = scheduler::round_robin;
  if (where == scheduler::work_stealing) {
    several_threads = true;
    const stealing_threads threads(workers);
    f();
    return;
  }
  if (where != scheduler::round_robin) boost::fibers::use_scheduling_algorithm<boost::fibers::algo::shared_work>();
  if (where == scheduler::shared_work_in_fiber) {
    boost::fibers::async(f).get();
  } else {
    f();
  }
}

}  // namespace
}  // namespace bench::boost_fiber

int main(int argc, char** argv) {
  std::vector<bench::row> rows;
  for (const auto& on : bench::boost_fiber::table) rows.push_back(on.what);
  return bench::run_command_line("tenon_peer_boost_fiber",
                                 {argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0)}, rows,
                                 bench::boost_fiber::run);
}
