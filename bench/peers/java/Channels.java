import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.SynchronousQueue;
import java.util.function.LongFunction;
import java.util.function.ToLongFunction;

/** Queues for channels. They cannot be closed: a last value says that no more will come. */
final class Channels {
  static final int FAN_IN = 100;
  static final long END = -1;

  private Channels() {}

  /** The kind that is not fair is the fastest: faster than the fair one and than LinkedTransferQueue's transfer. */
  static BlockingQueue<Long> unbuffered() {
    return new SynchronousQueue<>();
  }

  private static <T> void carry(long n, BlockingQueue<T> queue, LongFunction<T> pack, ToLongFunction<T> unpack)
      throws Exception {
    T end = pack.apply(END); // known by its identity
    Thread producer =
        Harness.start(
            () -> {
              for (long i = 0; i < n; ++i) {
                queue.put(pack.apply(i));
              }
              queue.put(end);
            });
    long sum = 0;
    for (T v = queue.take(); v != end; v = queue.take()) {
      sum += unpack.applyAsLong(v);
    }
    producer.join();
    Harness.expect("the sum of the values", sum, Harness.sumBelow(n));
  }

  static void unbuffered(long n) throws Exception {
    carry(n, unbuffered(), Long::valueOf, Long::longValue);
  }

  static void buffered128(long n) throws Exception {
    carry(n, new ArrayBlockingQueue<>(128), Long::valueOf, Long::longValue);
  }

  /** The first and the last element are the number. */
  static void arrays(long n, int words) throws Exception {
    carry(
        n,
        new ArrayBlockingQueue<>(128),
        i -> {
          long[] v = new long[words];
          v[0] = i;
          v[words - 1] = i;
          return v;
        },
        v -> (v[0] + v[words - 1]) / 2);
  }

  private record Box(long value) {}

  static void pointers(long n) throws Exception {
    carry(n, new ArrayBlockingQueue<>(128), Box::new, Box::value);
  }

  static void pingPong(long n) throws Exception {
    BlockingQueue<Long> ping = unbuffered();
    BlockingQueue<Long> pong = unbuffered();
    Thread other =
        Harness.start(
            () -> {
              for (long v = ping.take(); v != END; v = ping.take()) {
                pong.put(v + 1);
              }
            });
    long v = 0;
    for (long i = 0; i < n; ++i) {
      ping.put(v);
      v = pong.take();
    }
    ping.put(END);
    other.join();
    Harness.expect("the token", v, n);
  }

  static void bufferedUncontended(long n) throws Exception {
    BlockingQueue<Long> queue = new ArrayBlockingQueue<>(1);
    long sum = 0;
    for (long i = 0; i < n; ++i) {
      queue.put(i);
      sum += queue.take();
    }
    Harness.expect("the sum of the values", sum, Harness.sumBelow(n));
  }

  static void mpmc4x4(long n) throws Exception {
    BlockingQueue<Long> queue = new ArrayBlockingQueue<>(128);
    List<Thread> senders = new ArrayList<>();
    for (long s = 0; s < 4; ++s) {
      long first = s;
      senders.add(
          Harness.start(
              () -> {
                for (long i = first; i < n; i += 4) {
                  queue.put(i);
                }
              }));
    }
    long[] sums = new long[4];
    List<Thread> receivers = new ArrayList<>();
    for (int r = 0; r < 4; ++r) {
      int mine = r;
      receivers.add(
          Harness.start(
              () -> {
                long sum = 0;
                for (long v = queue.take(); v != END; v = queue.take()) {
                  sum += v;
                }
                sums[mine] = sum;
              }));
    }
    Harness.join(senders);
    for (int r = 0; r < 4; ++r) {
      queue.put(END);
    }
    Harness.join(receivers);
    Harness.expect("the sum of the values", sums[0] + sums[1] + sums[2] + sums[3], Harness.sumBelow(n));
  }

  static void fanIn100(long n) throws Exception {
    BlockingQueue<Long> queue = new ArrayBlockingQueue<>(128);
    List<Thread> senders = new ArrayList<>();
    for (int s = 0; s < FAN_IN; ++s) {
      senders.add(
          Harness.start(
              () -> {
                for (long i = 0; i < n / FAN_IN; ++i) {
                  queue.put(i);
                }
              }));
    }
    long sum = 0;
    for (long i = 0; i < n; ++i) {
      sum += queue.take();
    }
    Harness.join(senders);
    Harness.expect("the sum of the values", sum, FAN_IN * Harness.sumBelow(n / FAN_IN));
  }
}
