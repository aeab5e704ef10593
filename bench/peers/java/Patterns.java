import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Many virtual threads that work together. */
final class Patterns {
  private static final long END = Channels.END;
  private static final int SIEVE_PRIMES = 500;
  private static final long SIEVE_LAST = 3571; // the 500th prime
  private static final long SIEVE_SUM = 824693; // of the first 500 primes
  private static final long SKYNET_LEAVES = 1_000_000;
  private static final int SKYNET_FANOUT = 10;

  private Patterns() {}

  private static Thread passOnIncreased(BlockingQueue<Long> in, BlockingQueue<Long> out) {
    return Harness.start(
        () -> {
          for (long v = in.take(); v != END; v = in.take()) {
            out.put(v + 1);
          }
          out.put(END);
        });
  }

  static void ring(long n, int size) throws Exception {
    BlockingQueue<Long> first = Channels.unbuffered();
    BlockingQueue<Long> in = first;
    for (int i = 0; i < size - 1; ++i) {
      BlockingQueue<Long> out = Channels.unbuffered();
      passOnIncreased(in, out);
      in = out;
    }
    long token = 0;
    for (long lap = 0; lap < n / size; ++lap) {
      first.put(token);
      token = in.take() + 1;
    }
    first.put(END);
    in.take(); // all have ended
    Harness.expect("the token", token, n);
  }

  static void pipeline10(long n) throws Exception {
    final int stages = 10;
    BlockingQueue<Long> source = Channels.unbuffered();
    Harness.start(
        () -> {
          for (long i = 0; i < n; ++i) {
            source.put(i);
          }
          source.put(END);
        });
    BlockingQueue<Long> in = source;
    for (int i = 0; i < stages; ++i) {
      BlockingQueue<Long> out = Channels.unbuffered();
      passOnIncreased(in, out);
      in = out;
    }
    long sum = 0;
    for (long v = in.take(); v != END; v = in.take()) {
      sum += v;
    }
    Harness.expect("the sum of the values", sum, Harness.sumBelow(n) + stages * n);
  }

  /** The queue of the futures keeps the order, and bounds how far the workers are ahead. */
  static void parallelTransform(long n) throws Exception {
    final int workers = 4;
    final int window = 8;
    BlockingQueue<Future<Long>> order = new ArrayBlockingQueue<>(window);
    try (var pool = Executors.newFixedThreadPool(workers, Thread.ofVirtual().factory())) {
      Harness.start(
          () -> {
            for (long i = 0; i < n; ++i) {
              long value = i;
              order.put(pool.submit(() -> 2 * value));
            }
          });
      for (long next = 0; next < n; ++next) {
        if (order.take().get() != 2 * next) {
          throw new Harness.WrongResult("the results are out of order");
        }
      }
    }
  }

  static void sieveRange(long n) throws Exception {
    BlockingQueue<Long> numbers = Channels.unbuffered();
    Harness.start(
        () -> {
          for (long v = 2; v <= SIEVE_LAST; ++v) {
            numbers.put(v);
          }
          numbers.put(END);
        });
    BlockingQueue<Long> last = numbers;
    long sum = 0;
    for (int i = 0; i < SIEVE_PRIMES; ++i) {
      BlockingQueue<Long> in = last;
      long prime = in.take();
      sum += prime;
      BlockingQueue<Long> out = Channels.unbuffered();
      Harness.start(
          () -> {
            for (long v = in.take(); v != END; v = in.take()) {
              if (v % prime != 0) {
                out.put(v);
              }
            }
            out.put(END);
          });
      last = out;
    }
    long more = 0;
    while (last.take() != END) {
      ++more;
    }
    Harness.expect("the sum of the primes", sum, SIEVE_SUM);
    Harness.expect("the number of primes after the 500th", more, 0);
  }

  private static void skynet(BlockingQueue<Long> result, long number, long leaves) throws InterruptedException {
    if (leaves == 1) {
      result.put(number);
      return;
    }
    BlockingQueue<Long> sums = Channels.unbuffered();
    long below = leaves / SKYNET_FANOUT;
    for (int i = 0; i < SKYNET_FANOUT; ++i) {
      long first = number + i * below;
      Harness.start(() -> skynet(sums, first, below));
    }
    long sum = 0;
    for (int i = 0; i < SKYNET_FANOUT; ++i) {
      sum += sums.take();
    }
    result.put(sum);
  }

  static void skynet1m(long n) throws Exception {
    BlockingQueue<Long> result = Channels.unbuffered();
    Harness.start(() -> skynet(result, 0, SKYNET_LEAVES));
    Harness.expect("the sum of the leaves", result.take(), Harness.sumBelow(SKYNET_LEAVES));
  }

  /** Moves what is less than the pivot to the front, and returns where the rest begins. Never all or nothing. */
  private static int split(long[] a, int first, int end) {
    long low = Math.min(a[first], a[end - 1]);
    long high = Math.max(a[first], a[end - 1]);
    long pivot = Math.max(low, Math.min(high, a[first + (end - first) / 2]));
    int i = first;
    int j = end - 1;
    while (true) {
      while (a[i] < pivot) {
        ++i;
      }
      while (pivot < a[j]) {
        --j;
      }
      if (i >= j) {
        return Math.max(i, first + 1);
      }
      long v = a[i];
      a[i++] = a[j];
      a[j--] = v;
    }
  }

  private static void quicksort(long[] a, int first, int end) throws InterruptedException {
    final int few = 2048;
    List<Thread> halves = new ArrayList<>();
    int rest = first;
    while (end - rest > few) {
      int from = rest;
      int middle = split(a, from, end);
      halves.add(Harness.start(() -> quicksort(a, from, middle)));
      rest = middle;
    }
    Arrays.sort(a, rest, end);
    Harness.join(halves);
  }

  static void quicksort1m(long n) throws Exception {
    long[] numbers = new long[1_000_000];
    long seed = 1;
    long sum = 0;
    for (int i = 0; i < numbers.length; ++i) {
      seed = seed * 6364136223846793005L + 1442695040888963407L;
      numbers[i] = seed >>> 1;
      sum += numbers[i];
    }
    quicksort(numbers, 0, numbers.length);
    boolean sorted = true;
    for (int i = 0; i < numbers.length; ++i) {
      sum -= numbers[i];
      sorted = sorted && (i == 0 || numbers[i - 1] <= numbers[i]);
    }
    Harness.expect("what the sum has changed by", sum, 0);
    if (!sorted) {
      throw new Harness.WrongResult("the numbers are not sorted");
    }
  }
}
