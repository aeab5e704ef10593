/** How a figure is made: as bench/README.md says, but that the compiler is given time to do its work. */
final class Harness {
  /** For so long at least a row runs before it is measured; by then its methods have been compiled. */
  private static final long WARM_UP = 1_500_000_000L;

  private Harness() {}

  static Row.Measurement measure(Row row, long target) throws Exception {
    if (row.own() != null) {
      row.own().measure(WARM_UP / 10);
      return row.own().measure(target);
    }
    long began = System.nanoTime();
    if (row.whole() != 0) {
      do {
        timed(row, 1);
      } while (System.nanoTime() - began < WARM_UP);
      long ops = 0;
      long total = 0;
      for (; total < target; ops += row.whole()) {
        total += timed(row, 1);
      }
      return new Row.Measurement("ns/op", (double) total / ops, ops);
    }
    long n = row.multiple();
    long t = timed(row, n);
    while (t < target / 3 || System.nanoTime() - began < WARM_UP) {
      double factor = (double) target / t;
      n = scaled(row, n, t < target / 3 ? Math.clamp(0.5 * factor, 2, 10) : factor);
      t = timed(row, n);
    }
    n = scaled(row, n, (double) target / t);
    t = timed(row, n);
    return new Row.Measurement("ns/op", (double) t / n, n);
  }

  private static long scaled(Row row, long n, double factor) {
    return Math.max((long) (n * factor) / row.multiple(), 1) * row.multiple();
  }

  private static long timed(Row row, long n) throws Exception {
    long start = System.nanoTime();
    row.body().run(n);
    return Math.max(System.nanoTime() - start, 1);
  }

  static final class WrongResult extends Exception {
    private static final long serialVersionUID = 1;

    WrongResult(String what) {
      super("wrong result: " + what);
    }
  }

  static void expect(String what, long got, long want) throws WrongResult {
    if (got != want) {
      throw new WrongResult(what + " is " + got + ", should be " + want);
    }
  }

  /** 0 + 1 + … + n-1. */
  static long sumBelow(long n) {
    return n * (n - 1) / 2;
  }

  /** Starts a virtual thread. What it throws ends the program. */
  static Thread start(Row.Task task) {
    return Thread.startVirtualThread(
        () -> {
          try {
            task.run();
          } catch (Exception e) {
            throw new IllegalStateException(e);
          }
        });
  }

  static void join(Iterable<Thread> threads) throws InterruptedException {
    for (Thread thread : threads) {
      thread.join();
    }
  }
}
