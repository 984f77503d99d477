package org.intsam;

import java.util.function.Predicate;

/** How everything mode searches: the arguments of the original package's automatic mask generator, and its defaults. */
public final class Everything {
  private static final double Q30 = 1 << 30;

  final int[] settings = Native.everythingDefaults();

  /** A mask that was found. */
  public static final class Found {
    /** Of the whole photo; good until the receiver returns. */
    public final Mask mask;

    public final double iou;
    public final double stability;

    /** The click that gave it, in pixels of the photo. */
    public final double x;

    public final double y;

    /** Which of how many. */
    public final int index;

    public final int count;

    Found(Mask mask, int iou, int stability, int x, int y, int index, int count) {
      this.mask = mask;
      this.iou = iou / 32768.0;
      this.stability = stability / 65536.0;
      this.x = x / 64.0;
      this.y = y / 64.0;
      this.index = index;
      this.count = count;
    }
  }

  /** Gets each mask when all are known, the best first; true stops. It must not use the session. */
  public interface Receiver extends Predicate<Found> {}

  public Everything pointsPerSide(int points) {
    return set(0, points);
  }

  public Everything pointsPerBatch(int points) {
    return set(1, points);
  }

  /** Shares that must be exceeded are rounded up, those that must be reached down. */
  public Everything predIouThresh(double share) {
    return set(2, Math.ceil(share * Q30));
  }

  public Everything stabilityScoreThresh(double share) {
    return set(3, Math.floor(share * Q30));
  }

  /** In logits. */
  public Everything stabilityScoreOffset(double offset) {
    return set(4, Session.q16(offset));
  }

  public Everything boxNmsThresh(double share) {
    return set(5, Math.ceil(share * Q30));
  }

  /** In pixels: smaller holes and islands of masks are filled and removed. */
  public Everything minMaskRegionArea(int pixels) {
    return set(10, pixels);
  }

  private Everything set(int index, double value) {
    if (!(Math.abs(value) <= Integer.MAX_VALUE)) throw new IllegalArgumentException(value + " is out of range");
    settings[index] = (int) value;
    return this;
  }
}
