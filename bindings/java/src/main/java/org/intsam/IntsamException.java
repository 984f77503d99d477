package org.intsam;

/**
 * What went wrong, in one sentence. Bad arguments are an IllegalArgumentException instead, closed objects an
 * IllegalStateException, and calls that a {@link Progress} stopped a java.util.concurrent.CancellationException.
 */
public final class IntsamException extends RuntimeException {
  private static final long serialVersionUID = 1;
  private final Status status;

  IntsamException(int code, String message) {
    super(message);
    status = Status.of(code);
  }

  public Status status() {
    return status;
  }
}
