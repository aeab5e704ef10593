#include <algorithm>
#include <vector>

#include <tenon/chan.hpp>
#include <tenon/go.hpp>
#include <tenon/pipeline.hpp>
#include <tenon/select.hpp>
#include <tenon/wait_group.hpp>

#include "harness.hpp"
#include "rows.hpp"

namespace bench {

namespace {

using tenon::make_chan;
using in_chan = tenon::recv_chan<std::int64_t>;
using out_chan = tenon::send_chan<std::int64_t>;

constexpr std::int64_t sieve_primes = 500;
constexpr std::int64_t sieve_last = 3571;   // the 500th prime
constexpr std::int64_t sieve_sum = 824693;  // of the first 500 primes

constexpr std::int64_t skynet_leaves = 1'000'000;
constexpr std::int64_t skynet_fanout = 10;

// Children refer to their parent's channel: the parent waits for them.
void skynet(const out_chan& result, std::int64_t number, std::int64_t leaves) {
  if (leaves == 1) {
    result.send(number);
    return;
  }
  const auto sums = make_chan<std::int64_t>();
  const out_chan results = sums;
  tenon::wait_group children;
  const std::int64_t below = leaves / skynet_fanout;
  for (std::int64_t i = 0; i < skynet_fanout; ++i) {
    children.go([&results, first = number + i * below, below] { skynet(results, first, below); });
  }
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < skynet_fanout; ++i) sum += *sums.recv();
  result.send(sum);
  children.wait();
}

}  // namespace

template <std::int64_t Size>
void ring(std::int64_t n) {
  const auto first = make_chan<std::int64_t>();
  std::vector<tenon::goroutine<>> others;
  in_chan in = first;
  for (std::int64_t i = 0; i + 1 < Size; ++i) {
    const auto out = make_chan<std::int64_t>();
    others.push_back(tenon::go([in, out] {
      for (const std::int64_t v : in) out.send(v + 1);
      out.close();
    }));
    in = out;
  }
  std::int64_t token = 0;
  for (std::int64_t lap = 0; lap < n / Size; ++lap) {
    first.send(token);
    token = *in.recv() + 1;
  }
  first.close();
  for (auto& g : others) g.join();
  expect("the token", token, n);
}

template void ring<100>(std::int64_t);
template void ring<1000>(std::int64_t);
template void ring<10'000>(std::int64_t);
template void ring<100'000>(std::int64_t);

void pipeline_10(std::int64_t n) {
  constexpr std::int64_t stages = 10;
  const auto source = make_chan<std::int64_t>();
  std::vector<tenon::goroutine<>> goroutines;
  goroutines.push_back(tenon::go([source, n] {
    for (std::int64_t i = 0; i < n; ++i) source.send(i);
    source.close();
  }));
  in_chan in = source;
  for (std::int64_t stage = 0; stage < stages; ++stage) {
    const auto out = make_chan<std::int64_t>();
    goroutines.push_back(tenon::go([in, out] {
      for (const std::int64_t v : in) out.send(v + 1);
      out.close();
    }));
    in = out;
  }
  std::int64_t sum = 0;
  for (const std::int64_t v : in) sum += v;
  for (auto& g : goroutines) g.join();
  expect("the sum of the values", sum, sum_below(n) + stages * n);
}

void parallel_transform(std::int64_t n) {
  tenon::pipeline p(tenon::background());
  const auto numbers = p.generate<std::int64_t>([n](auto& emit) {
    for (std::int64_t i = 0; i < n && emit(i); ++i) {
    }
  });
  const auto doubled = p.transform({.workers = 4}, numbers, [](std::int64_t v) { return 2 * v; });
  std::int64_t next = 0;
  for (const std::int64_t v : doubled) {
    if (v != 2 * next) throw wrong_result("the results are out of order");
    ++next;
  }
  if (const tenon::error e = p.wait()) throw wrong_result(std::string(e.message()));
  expect("the number of results", next, n);
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
  tenon::wait_group halves;
  while (last - first > few) {
    std::int64_t* middle = split(first, last);
    halves.go([first, middle] { quicksort(first, middle); });
    first = middle;
  }
  std::sort(first, last);
  halves.wait();
}

}  // namespace

void quicksort_1m(std::int64_t) {
  std::vector<std::int64_t> numbers(1'000'000);
  std::uint64_t seed = 1;
  std::uint64_t sum = 0;
  for (auto& v : numbers) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    v = static_cast<std::int64_t>(seed >> 1U);
    sum += static_cast<std::uint64_t>(v);
  }
  quicksort(numbers.data(), numbers.data() + numbers.size());
  for (const auto v : numbers) sum -= static_cast<std::uint64_t>(v);
  expect("what the sum has changed by", static_cast<std::int64_t>(sum), 0);
  if (!std::is_sorted(numbers.begin(), numbers.end())) throw wrong_result("the numbers are not sorted");
}

void sieve_500(std::int64_t) {
  const auto stop = make_chan<std::int64_t>();
  const auto numbers = make_chan<std::int64_t>();
  std::vector<tenon::goroutine<>> goroutines;
  goroutines.push_back(tenon::go([numbers, stop] {
    auto next = tenon::send(numbers, 2);
    auto stopped = tenon::recv(stop);
    for (std::int64_t v = 2; v <= sieve_last; next.set(++v)) {
      tenon::select(next, stopped);
      if (stopped) return;
    }
  }));
  in_chan in = numbers;
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < sieve_primes; ++i) {
    const std::int64_t prime = *in.recv();
    sum += prime;
    const auto out = make_chan<std::int64_t>();
    goroutines.push_back(tenon::go([in, out, stop, prime] {
      auto next = tenon::recv(in);
      auto pass = tenon::send(out, 0);
      auto stopped = tenon::recv(stop);
      for (;;) {
        tenon::select(next, stopped);
        if (stopped) return;
        if (*next % prime == 0) continue;
        pass.set(*next);
        tenon::select(pass, stopped);
        if (stopped) return;
      }
    }));
    in = out;
  }
  stop.close();
  for (auto& g : goroutines) g.join();
  expect("the sum of the primes", sum, sieve_sum);
}

void sieve_range(std::int64_t) {
  const auto numbers = make_chan<std::int64_t>();
  std::vector<tenon::goroutine<>> goroutines;
  goroutines.push_back(tenon::go([numbers] {
    for (std::int64_t v = 2; v <= sieve_last; ++v) numbers.send(v);
    numbers.close();
  }));
  in_chan in = numbers;
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < sieve_primes; ++i) {
    const std::int64_t prime = *in.recv();
    sum += prime;
    const auto out = make_chan<std::int64_t>();
    goroutines.push_back(tenon::go([in, out, prime] {
      for (const std::int64_t v : in) {
        if (v % prime != 0) out.send(v);
      }
      out.close();
    }));
    in = out;
  }
  std::int64_t more = 0;
  for ([[maybe_unused]] const std::int64_t v : in) ++more;
  for (auto& g : goroutines) g.join();
  expect("the sum of the primes", sum, sieve_sum);
  expect("the number of primes after the 500th", more, 0);
}

void skynet_1m(std::int64_t) {
  const auto result = make_chan<std::int64_t>();
  auto root = tenon::go([result] { skynet(result, 0, skynet_leaves); });
  const std::int64_t sum = *result.recv();
  root.join();
  expect("the sum of the leaves", sum, sum_below(skynet_leaves));
}

}  // namespace bench
