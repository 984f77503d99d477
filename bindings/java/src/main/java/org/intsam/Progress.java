package org.intsam;

/** Told before each step of a call, on the thread that makes it. It must not use the session. */
public interface Progress {
  /** True stops the call, which then throws a CancellationException. So does an exception, which is passed on. */
  boolean step(int step, int steps, String name);
}
