/** One line of the comparison. */
record Row(String name, Body body, long multiple, long whole, boolean oneWorker, Own own, Around around) {
  /** Does n operations and checks their result. */
  interface Body {
    void run(long n) throws Exception;
  }

  /** Makes a figure that is not the time that operations take, in about the time that is given. */
  interface Own {
    Measurement measure(long targetNanos) throws Exception;
  }

  /** What is made before the clock starts and lives until it has stopped. */
  interface Around {
    void run(Task measured) throws Exception;
  }

  interface Task {
    void run() throws Exception;
  }

  record Measurement(String unit, double value, long ops) {}

  static Row of(String name, Body body) {
    return new Row(name, body, 1, 0, false, null, Task::run);
  }

  static Row own(String name, Own own) {
    return new Row(name, null, 1, 0, false, own, Task::run);
  }

  /** n is a multiple of this. */
  Row inMultiplesOf(long multiple) {
    return new Row(name, body, multiple, whole, oneWorker, own, around);
  }

  /** Measured as whole runs of body(1), each of so many operations. */
  Row inWholeRunsOf(long ops) {
    return new Row(name, body, multiple, ops, oneWorker, own, around);
  }

  /** Measures a switch, which two workers would not make. */
  Row onOneWorker() {
    return new Row(name, body, multiple, whole, true, own, around);
  }

  Row inside(Around around) {
    return new Row(name, body, multiple, whole, oneWorker, own, around);
  }
}
