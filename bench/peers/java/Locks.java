import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/** java.util.concurrent's locks. */
final class Locks {
  static final int CONTENDERS = 8;

  private Locks() {}

  private static void onThreads(int count, Row.Task task) throws InterruptedException {
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < count; ++i) {
      threads.add(Harness.start(task));
    }
    Harness.join(threads);
  }

  static void mutexUncontended(long n) throws Exception {
    Lock lock = new ReentrantLock();
    long count = 0;
    for (long i = 0; i < n; ++i) {
      lock.lock();
      try {
        ++count;
      } finally {
        lock.unlock();
      }
    }
    Harness.expect("the counter", count, n);
  }

  private static final class Counter {
    long count;
    long spun;
  }

  static void mutexContended(long n, int contenders, int insideNanos) throws Exception {
    long spins = insideNanos == 0 ? 0 : Spin.PER_MICROSECOND * insideNanos / 1000;
    Lock lock = new ReentrantLock();
    Counter counter = new Counter();
    onThreads(
        contenders,
        () -> {
          for (long i = 0; i < n / contenders; ++i) {
            lock.lock();
            try {
              ++counter.count;
              counter.spun = Spin.spin(spins, counter.spun);
            } finally {
              lock.unlock();
            }
          }
        });
    Harness.expect("the counter", counter.count, n);
  }

  /** A computation whose result is used, lest the compiler leave it out. */
  private static final class Spin {
    private static long spun;
    static final long PER_MICROSECOND = findOut();

    static long spin(long rounds, long seed) {
      long x = seed;
      for (long i = 0; i < rounds; ++i) {
        x = x * 6364136223846793005L + 1442695040888963407L;
      }
      return x;
    }

    private static long findOut() {
      final long rounds = 100_000;
      long fastest = Long.MAX_VALUE;
      for (int i = 0; i < 200; ++i) { // the compiler is done with it long before the end
        long start = System.nanoTime();
        spun = spin(rounds, spun);
        fastest = Math.min(fastest, System.nanoTime() - start);
      }
      return Math.max(rounds * 1000 / fastest, 1);
    }
  }

  static void rwMutex9010(long n) throws Exception {
    var lock = new ReentrantReadWriteLock();
    long[] words = new long[2];
    AtomicLong torn = new AtomicLong();
    onThreads(
        CONTENDERS,
        () -> {
          long unequal = 0;
          for (long i = 0; i < n / CONTENDERS; ++i) {
            if (i % 10 == 0) {
              lock.writeLock().lock();
              try {
                ++words[0];
                ++words[1];
              } finally {
                lock.writeLock().unlock();
              }
            } else {
              lock.readLock().lock();
              try {
                if (words[0] != words[1]) {
                  ++unequal;
                }
              } finally {
                lock.readLock().unlock();
              }
            }
          }
          torn.addAndGet(unequal);
        });
    Harness.expect("the number of torn reads", torn.get(), 0);
    Harness.expect("the number of writes", words[0], n / 10);
  }

  private static final class Game {
    private final Lock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private long turn;

    void play(long n, int mine) throws InterruptedException {
      for (long i = 0; i < n; ++i) {
        lock.lock();
        try {
          while (turn % 2 != mine) {
            changed.await();
          }
          ++turn;
          changed.signal();
        } finally {
          lock.unlock();
        }
      }
    }
  }

  static void condPingPong(long n) throws Exception {
    Game game = new Game();
    Thread other = Harness.start(() -> game.play(n, 1));
    game.play(n, 0);
    other.join();
    Harness.expect("the number of turns", game.turn, 2 * n);
  }

  static void semaphore4(long n) throws Exception {
    Semaphore units = new Semaphore(4);
    AtomicLong count = new AtomicLong();
    onThreads(
        CONTENDERS,
        () -> {
          for (long i = 0; i < n / CONTENDERS; ++i) {
            units.acquire();
            count.getAndIncrement();
            units.release();
          }
        });
    Harness.expect("the counter", count.get(), n);
  }
}
