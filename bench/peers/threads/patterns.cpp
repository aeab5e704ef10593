#include <algorithm>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "channel.hpp"
#include "rows.hpp"

namespace bench::threads {

namespace {

using numbers = channel<std::int64_t>;

constexpr std::int64_t sieve_primes = 500;
constexpr std::int64_t sieve_last = 3571;   // the 500th prime
constexpr std::int64_t sieve_sum = 824693;  // of the first 500 primes

void pass_on_increased(numbers& in, numbers& out) {
  while (const auto v = in.recv()) out.send(*v + 1);
  out.close();
}

}  // namespace

template <std::int64_t Size>
void ring(std::int64_t n) {
  std::deque<numbers> channels(Size);
  std::vector<std::jthread> others;
  for (std::size_t i = 0; i + 1 < channels.size(); ++i) {
    others.emplace_back(pass_on_increased, std::ref(channels[i]), std::ref(channels[i + 1]));
  }
  std::int64_t token = 0;
  for (std::int64_t lap = 0; lap < n / Size; ++lap) {
    channels.front().send(token);
    token = *channels.back().recv() + 1;
  }
  channels.front().close();
  others.clear();
  expect("the token", token, n);
}
template void ring<100>(std::int64_t);
template void ring<1000>(std::int64_t);

void pipeline_10(std::int64_t n) {
  constexpr std::int64_t stages = 10;
  std::deque<numbers> channels(stages + 1);
  std::vector<std::jthread> threads;
  threads.emplace_back([&source = channels.front(), n] {
    for (std::int64_t i = 0; i < n; ++i) source.send(i);
    source.close();
  });
  for (std::size_t i = 0; i + 1 < channels.size(); ++i) {
    threads.emplace_back(pass_on_increased, std::ref(channels[i]), std::ref(channels[i + 1]));
  }
  std::int64_t sum = 0;
  while (const auto v = channels.back().recv()) sum += *v;
  threads.clear();
  expect("the sum of the values", sum, sum_below(n) + stages * n);
}

// As in Go's version: a job carries the channel that its result comes back on, and the queue of these keeps the order.
void parallel_transform(std::int64_t n) {
  constexpr std::size_t workers = 4;
  constexpr std::size_t window = 8;
  struct job {
    std::int64_t value;
    numbers* result;
  };
  channel<job> jobs;
  channel<numbers*> order(window);
  channel<numbers*> free(2 * window);
  std::deque<numbers> results;
  for (std::size_t i = 0; i < 2 * window; ++i) free.send(&results.emplace_back(1));
  std::vector<std::jthread> threads;
  threads.emplace_back([&, n] {
    for (std::int64_t i = 0; i < n; ++i) {
      numbers* const result = *free.recv();
      order.send(result);
      jobs.send({i, result});
    }
    jobs.close();
    order.close();
  });
  for (std::size_t i = 0; i < workers; ++i) {
    threads.emplace_back([&jobs] {
      while (const auto j = jobs.recv()) j->result->send(2 * j->value);
    });
  }
  std::int64_t next = 0;
  bool ordered = true;
  while (const auto result = order.recv()) {
    ordered = ordered && *(*result)->recv() == 2 * next;
    ++next;
    free.send(*result);
  }
  threads.clear();
  if (!ordered) throw wrong_result("the results are out of order");
  expect("the number of results", next, n);
}

void sieve_range(std::int64_t) {
  std::deque<numbers> channels(1);
  std::vector<std::jthread> threads;
  threads.emplace_back([&out = channels.front()] {
    for (std::int64_t v = 2; v <= sieve_last; ++v) out.send(v);
    out.close();
  });
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < sieve_primes; ++i) {
    auto& in = channels.back();
    const std::int64_t prime = *in.recv();
    sum += prime;
    auto& out = channels.emplace_back();
    threads.emplace_back([&in, &out, prime] {
      while (const auto v = in.recv()) {
        if (*v % prime != 0) out.send(*v);
      }
      out.close();
    });
  }
  std::int64_t more = 0;
  while (channels.back().recv()) ++more;
  threads.clear();
  expect("the sum of the primes", sum, sieve_sum);
  expect("the number of primes after the 500th", more, 0);
}

namespace {

/// Moves what is less than the pivot to the front, and returns where the rest begins. Never all or nothing.
std::int64_t* split(std::int64_t* first, std::int64_t* last) {
  const std::int64_t pivot =
      std::max(std::min(first[0], last[-1]), std::min(std::max(first[0], last[-1]), first[(last - first) / 2]));
  std::int64_t* i = first;
  std::int64_t* j = last - 1;
  for (;;) {
    while (*i < pivot) ++i;
    while (pivot < *j) --j;
    if (i >= j) return i == first ? i + 1 : i;
    std::swap(*i++, *j--);
  }
}

void quicksort(std::int64_t* first, std::int64_t* last) {
  constexpr std::int64_t few = 2048;
  std::vector<std::jthread> halves;
  while (last - first > few) {
    std::int64_t* const middle = split(first, last);
    halves.emplace_back(quicksort, first, middle);
    first = middle;
  }
  std::sort(first, last);
}

}  // namespace

void quicksort_1m(std::int64_t) {
  std::vector<std::int64_t> values(1'000'000);
  std::uint64_t seed = 1;
  std::uint64_t sum = 0;
  for (auto& v : values) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    v = static_cast<std::int64_t>(seed >> 1U);
    sum += static_cast<std::uint64_t>(v);
  }
  quicksort(values.data(), values.data() + values.size());
  for (const auto v : values) sum -= static_cast<std::uint64_t>(v);
  expect("what the sum has changed by", static_cast<std::int64_t>(sum), 0);
  if (!std::is_sorted(values.begin(), values.end())) throw wrong_result("the numbers are not sorted");
}

}  // namespace bench::threads
