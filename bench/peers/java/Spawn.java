import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.Executors;

/** Starting virtual threads and waiting for them. */
final class Spawn {
  static final int BATCH = 1000;
  static final int GROUP = 100;

  private Spawn() {}

  private static long yields(long n) {
    long count = 0;
    for (long i = 0; i < n; ++i) {
      Thread.yield();
      ++count;
    }
    return count;
  }

  static void yield(long n) throws Exception {
    long[] others = new long[1];
    Thread other = Thread.startVirtualThread(() -> others[0] = yields(n / 2));
    long mine = yields(n / 2);
    other.join();
    Harness.expect("the number of yields", mine + others[0], n);
  }

  static void spawnJoin(long n) throws Exception {
    BlockingQueue<Long> ended = Channels.unbuffered();
    long sum = 0;
    for (long i = 0; i < n; ++i) {
      long mine = i;
      Harness.start(() -> ended.put(mine));
      sum += ended.take();
    }
    Harness.expect("the sum of what the threads sent", sum, Harness.sumBelow(n));
  }

  /** A latch for all of them is faster than joining each, and than an executor. */
  static void spawnBatch(long n) throws Exception {
    long[] runs = new long[BATCH];
    for (long batch = 0; batch < n / BATCH; ++batch) {
      CountDownLatch left = new CountDownLatch(BATCH);
      for (int i = 0; i < BATCH; ++i) {
        int mine = i;
        Thread.startVirtualThread(
            () -> {
              ++runs[mine];
              left.countDown();
            });
      }
      left.await();
    }
    for (long r : runs) {
      Harness.expect("the number of runs of one thread of the batch", r, n / BATCH);
    }
  }

  /** The results come as the tasks end; the first that is an exception would have the rest interrupted. */
  static void group100(long n) throws Exception {
    long[] runs = new long[GROUP];
    for (long round = 0; round < n / GROUP; ++round) {
      try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
        var group = new ExecutorCompletionService<Void>(threads);
        for (int i = 0; i < GROUP; ++i) {
          int mine = i;
          group.submit(() -> ++runs[mine], null);
        }
        try {
          for (int i = 0; i < GROUP; ++i) {
            group.take().get();
          }
        } catch (Exception e) {
          threads.shutdownNow();
          throw e;
        }
      }
    }
    for (long r : runs) {
      Harness.expect("the number of runs of one task of the group", r, n / GROUP);
    }
  }
}
