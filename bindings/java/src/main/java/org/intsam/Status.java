package org.intsam;

/** Why a call failed; the values of intsam_status that are not an exception of Java's own. */
public enum Status {
  /** A file cannot be read. */
  IO(3),
  /** A damaged or hostile model or embedding. */
  DAMAGED(4),
  /** Well formed, but not supported: a version, a size, a CPU. */
  UNSUPPORTED(5),
  /** Out of memory, or over a limit. */
  RESOURCE(6),
  /** A bug in intsam: please report. */
  INTERNAL(70);

  private final int code;

  Status(int code) {
    this.code = code;
  }

  static Status of(int code) {
    for (Status status : values()) if (status.code == code) return status;
    return INTERNAL;
  }
}
