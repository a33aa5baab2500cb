package thumbstream.oracle;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** Counts records until all have come; when the first and the last one came. */
final class Meter {
  private final long wanted;
  private final AtomicLong seen = new AtomicLong();
  private final CountDownLatch all = new CountDownLatch(1);
  private volatile long first;
  private volatile long last;

  Meter(long wanted) {
    this.wanted = wanted;
  }

  void mark() {
    long number = seen.incrementAndGet();
    if (number == 1) first = System.nanoTime();
    if (number == wanted) {
      last = System.nanoTime();
      all.countDown();
    }
  }

  boolean await(long seconds) throws InterruptedException {
    return all.await(seconds, TimeUnit.SECONDS);
  }

  long seen() {
    return seen.get();
  }

  double seconds() {
    return (last - first) / 1e9;
  }
}
