// libintsam for Java and Android: one model, one session. Calls on one object must not overlap.
package org.intsam;

public final class Intsam implements AutoCloseable {
  static {
    System.loadLibrary("intsam_jni");
  }

  private long engine;

  /** The path of a file, not of an asset: models are mapped. On a phone, leave it to 0 how many threads run. */
  public Intsam(String model, int threads) {
    engine = open(model, threads);
  }

  /** Slow: the image encoder. Pixels as Bitmap.getPixels() gives them, rows without gaps. */
  public void setImage(int[] argb, int width, int height) {
    setImage(engine, argb, width, height);
  }

  /** Fast: x, y, label (1: this object, 0: not this), again and again; coordinates in 1/64 pixel. Bytes of 0 and 1. */
  public byte[] segment(int... points) {
    return segment(engine, points);
  }

  @Override
  public void close() {
    close(engine);
    engine = 0;
  }

  private static native long open(String model, int threads);

  private static native void setImage(long engine, int[] argb, int width, int height);

  private static native byte[] segment(long engine, int[] points);

  private static native void close(long engine);
}
