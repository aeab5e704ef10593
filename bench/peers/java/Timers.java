import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** Timers, sleep, and what a hog does to both. */
final class Timers {
  private static final Duration MILLISECOND = Duration.ofMillis(1);
  private static final Runnable NOTHING = () -> {};

  private static final ScheduledThreadPoolExecutor TIMERS =
      new ScheduledThreadPoolExecutor(1, Thread.ofPlatform().daemon().factory());

  static {
    TIMERS.setRemoveOnCancelPolicy(true); // else what was canceled would stay until its hour is over
  }

  private Timers() {}

  static void startStop(long n) throws Exception {
    long stopped = 0;
    for (long i = 0; i < n; ++i) {
      if (TIMERS.schedule(NOTHING, 1, TimeUnit.HOURS).cancel(false)) {
        ++stopped;
      }
    }
    Harness.expect("the number of timers stopped in time", stopped, n);
  }

  static Row.Around among(int pending) {
    return measured -> {
      List<Future<?>> timers = new ArrayList<>(pending);
      long hour = TimeUnit.HOURS.toMicros(1);
      for (int i = 0; i < pending; ++i) {
        timers.add(TIMERS.schedule(NOTHING, hour + i, TimeUnit.MICROSECONDS));
      }
      measured.run();
    };
  }

  /** The interrupt status is what a Java thread has for a context. */
  static void interruptPoll(long n) throws Exception {
    long live = 0;
    for (long i = 0; i < n; ++i) {
      if (!Thread.currentThread().isInterrupted()) {
        ++live;
      }
    }
    Harness.expect("the number of polls before the end", live, n);
  }

  /** A ticker is a thread that sleeps until the next tick; one that it is late for is lost, as with Go's. */
  static Row.Measurement tickerLoad(long target) throws Exception {
    final int tickers = 100;
    var process = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    long[] ticks = new long[tickers];
    long began = process.getProcessCpuTime();
    long end = System.nanoTime() + 4 * target;
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < tickers; ++i) {
      int mine = i;
      threads.add(
          Harness.start(
              () -> {
                long count = 0;
                long now = System.nanoTime();
                for (long next = now + 1_000_000; next < end; ++count) {
                  Thread.sleep(Duration.ofNanos(next - now));
                  now = System.nanoTime();
                  next = Math.max(next + 1_000_000, now);
                }
                ticks[mine] = count;
              }));
    }
    Harness.join(threads);
    long cpu = process.getProcessCpuTime() - began;
    long all = Arrays.stream(ticks).sum();
    if (all < tickers * (4 * target / 1_000_000) / 2) {
      throw new Harness.WrongResult("fewer than half of the ticks came");
    }
    return new Row.Measurement("ns cpu", (double) cpu / all, all);
  }

  /** How late four threads wake that sleep a millisecond at a time: the value at so many of a thousand parts. */
  static Row.Own wake(int perThousand) {
    return target -> {
      final int sleepers = 4;
      long end = System.nanoTime() + 10 * target;
      long[][] late = new long[sleepers][1 << 16];
      int[] counts = new int[sleepers];
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < sleepers; ++i) {
        int mine = i;
        threads.add(
            Harness.start(
                () -> {
                  int count = 0;
                  for (long now = System.nanoTime(); now < end && count < late[mine].length; ++count) {
                    long due = now + 1_000_000;
                    Thread.sleep(MILLISECOND);
                    now = System.nanoTime();
                    late[mine][count] = now - due;
                  }
                  counts[mine] = count;
                }));
      }
      Harness.join(threads);
      long[] all = new long[Arrays.stream(counts).sum()];
      int to = 0;
      for (int i = 0; i < sleepers; ++i) {
        System.arraycopy(late[i], 0, all, to, counts[i]);
        to += counts[i];
      }
      Arrays.sort(all);
      return new Row.Measurement("ns", Math.max(all[(int) ((long) all.length * perThousand / 1000)], 1), all.length);
    };
  }

  static void besideAHog(Row.Task measured) throws Exception {
    if (Main.workers < 2) {
      throw new IllegalStateException("on one worker it would not end: nothing preempts a virtual thread");
    }
    AtomicBoolean stop = new AtomicBoolean();
    Thread hog =
        Harness.start(
            () -> {
              while (!stop.get()) {}
            });
    measured.run();
    stop.set(true);
    hog.join();
  }
}
