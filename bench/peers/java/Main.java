import java.util.List;
import java.util.Locale;

/** Measures Java's virtual threads and java.util.concurrent at the rows that bench/README.md defines. */
final class Main {
  private static final String PROGRAM = "tenon_peer_java";

  private static final List<Row> ROWS =
      List.of(
          Row.of("yield", Spawn::yield).inMultiplesOf(2).onOneWorker(),
          Row.of("spawn_join", Spawn::spawnJoin),
          Row.of("spawn_batch", Spawn::spawnBatch).inMultiplesOf(Spawn.BATCH),
          Row.of("unbuffered", Channels::unbuffered),
          Row.of("ping_pong", Channels::pingPong),
          Row.of("buffered_128", Channels::buffered128),
          Row.of("buffered_uncontended", Channels::bufferedUncontended),
          Row.of("mpmc_4x4", Channels::mpmc4x4).inMultiplesOf(4),
          Row.of("mutex_uncontended", Locks::mutexUncontended),
          mutex("mutex_contended", Locks.CONTENDERS, 0),
          Row.of("timer_start_stop", Timers::startStop),
          ring("ring_1000", 1000),
          Row.of("skynet_1m", Patterns::skynet1m).inWholeRunsOf(1_000_000),
          // The core rows end here.
          Row.of("chan_64", n -> Channels.arrays(n, 8)),
          Row.of("chan_1k", n -> Channels.arrays(n, 128)),
          Row.of("chan_ptr", Channels::pointers),
          Row.of("fan_in_100", Channels::fanIn100).inMultiplesOf(Channels.FAN_IN),
          mutex("mutex_2_0", 2, 0),
          mutex("mutex_2_100", 2, 100),
          mutex("mutex_2_1000", 2, 1000),
          mutex("mutex_8_0", 8, 0),
          mutex("mutex_8_100", 8, 100),
          mutex("mutex_8_1000", 8, 1000),
          mutex("mutex_64_0", 64, 0),
          mutex("mutex_64_100", 64, 100),
          mutex("mutex_64_1000", 64, 1000),
          Row.of("rwmutex_90_10", Locks::rwMutex9010).inMultiplesOf(10 * Locks.CONTENDERS),
          Row.of("cond_ping_pong", Locks::condPingPong),
          Row.of("semaphore_4", Locks::semaphore4).inMultiplesOf(Locks.CONTENDERS),
          Row.of("group_100", Spawn::group100).inMultiplesOf(Spawn.GROUP),
          Row.of("context_poll", Timers::interruptPoll),
          Row.of("timers_1k", Timers::startStop).inside(Timers.among(1000)),
          Row.of("timers_1m", Timers::startStop).inside(Timers.among(1_000_000)),
          Row.own("ticker_load", Timers::tickerLoad),
          ring("ring_100", 100),
          ring("ring_10k", 10_000),
          ring("ring_100k", 100_000),
          Row.of("pipeline_10", Patterns::pipeline10),
          Row.of("parallel_transform", Patterns::parallelTransform),
          Row.of("quicksort_1m", Patterns::quicksort1m).inWholeRunsOf(1_000_000),
          Row.of("sieve_range", Patterns::sieveRange).inWholeRunsOf(500),
          Row.own("wake_p50", Timers.wake(500)),
          Row.own("wake_p99", Timers.wake(990)),
          Row.own("wake_p999", Timers.wake(999)),
          Row.own("hog_wake_p50", Timers.wake(500)).inside(Timers::besideAHog),
          Row.own("hog_wake_p99", Timers.wake(990)).inside(Timers::besideAHog),
          Row.own("hog_wake_p999", Timers.wake(999)).inside(Timers::besideAHog),
          Row.of("hog_ping_pong", Channels::pingPong).inside(Timers::besideAHog));

  private static Row mutex(String name, int contenders, int insideNanos) {
    return Row.of(name, n -> Locks.mutexContended(n, contenders, insideNanos)).inMultiplesOf(contenders);
  }

  private static Row ring(String name, int size) {
    return Row.of(name, n -> Patterns.ring(n, size)).inMultiplesOf(size);
  }

  static int workers = Runtime.getRuntime().availableProcessors();

  public static void main(String[] args) throws InterruptedException {
    Thread.setDefaultUncaughtExceptionHandler((thread, e) -> fail(e.toString()));
    if (args.length == 1 && args[0].equals("list")) {
      ROWS.forEach(row -> System.out.println(row.name()));
      return;
    }
    if (args.length < 2 || args.length % 2 != 0 || !args[0].equals("run")) {
      usage("");
    }
    int ms = 150;
    for (int i = 2; i < args.length; i += 2) {
      switch (args[i]) {
        case "--ms" -> ms = positive(args[i], args[i + 1]);
        case "--workers" -> workers = positive(args[i], args[i + 1]);
        default -> usage("no option " + args[i] + "\n");
      }
    }
    for (Row row : ROWS) {
      if (row.name().equals(args[1])) {
        run(row, ms * 1_000_000L);
        return;
      }
    }
    usage("no row " + args[1] + "\n");
  }

  private static void run(Row row, long target) throws InterruptedException {
    if (row.oneWorker()) {
      workers = 1;
    }
    // Read when the first virtual thread is made.
    System.setProperty("jdk.virtualThreadScheduler.parallelism", String.valueOf(workers));
    System.setProperty("jdk.virtualThreadScheduler.maxPoolSize", String.valueOf(workers));
    Thread.ofVirtual()
        .start(
            () -> {
              try {
                row.around().run(() -> report(row, Harness.measure(row, target)));
              } catch (Exception e) {
                fail(row.name() + ": " + e.getMessage());
              }
            })
        .join();
  }

  private static void report(Row row, Row.Measurement m) {
    System.out.printf(
        Locale.ROOT,
        "{\"row\":\"%s\",\"unit\":\"%s\",\"value\":%.2f,\"ops\":%d}%n",
        row.name(),
        m.unit(),
        m.value(),
        m.ops());
  }

  private static int positive(String option, String text) {
    try {
      int value = Integer.parseInt(text);
      if (value > 0) {
        return value;
      }
    } catch (NumberFormatException e) {
      // said below
    }
    usage(option + " wants a positive number\n");
    return 0;
  }

  private static void usage(String why) {
    System.err.println(why + "usage: " + PROGRAM + " list | run ROW [--ms N] [--workers N]");
    System.exit(2);
  }

  /** Without waiting for the threads that the failure has left behind. */
  private static void fail(String why) {
    System.err.println(PROGRAM + ": " + why);
    Runtime.getRuntime().halt(1);
  }
}
