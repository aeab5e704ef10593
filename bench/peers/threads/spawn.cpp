#include <exception>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "channel.hpp"
#include "rows.hpp"

namespace bench::threads {

void yield(std::int64_t n) {
  const auto yields = [n](std::int64_t& count) {
    for (std::int64_t i = 0; i < n / 2; ++i) {
      std::this_thread::yield();
      ++count;
    }
  };
  std::int64_t mine = 0;
  std::int64_t others = 0;
  {
    const std::jthread other([&] { yields(others); });
    yields(mine);
  }
  expect("the number of yields", mine + others, n);
}

void spawn_join(std::int64_t n) {
  channel<std::int64_t> ended;
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::jthread one([&ended, i] { ended.send(i); });
    sum += *ended.recv();
  }
  expect("the sum of what the threads sent", sum, sum_below(n));
}

void spawn_batch(std::int64_t n) {
  std::vector<std::int64_t> runs(batch_size);
  std::vector<std::thread> threads;
  threads.reserve(batch_size);
  for (std::int64_t batch = 0; batch < n / batch_size; ++batch) {
    for (auto& r : runs) threads.emplace_back([&r] { ++r; });
    for (auto& t : threads) t.join();
    threads.clear();
  }
  for (const auto r : runs) expect("the number of runs of one thread of the batch", r, n / batch_size);
}

namespace {

/// Tasks of which the first that throws stops the others; wait throws what it threw.
class group {
 public:
  template <class F>
  void run(F f) {
    threads_.emplace_back([this, f = std::move(f)] {
      try {
        f();
      } catch (...) {
        std::call_once(failed_, [this] {
          error_ = std::current_exception();
          stop_.request_stop();
        });
      }
    });
  }
  void wait() {
    for (auto& t : threads_) t.join();
    threads_.clear();
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::stop_source stop_;
  std::once_flag failed_;
  std::exception_ptr error_;
  std::vector<std::jthread> threads_;
};

}  // namespace

void group_100(std::int64_t n) {
  std::vector<std::int64_t> runs(group_size);
  for (std::int64_t round = 0; round < n / group_size; ++round) {
    group g;
    for (auto& r : runs) g.run([&r] { ++r; });
    g.wait();
  }
  for (const auto r : runs) expect("the number of runs of one task of the group", r, n / group_size);
}

}  // namespace bench::threads
