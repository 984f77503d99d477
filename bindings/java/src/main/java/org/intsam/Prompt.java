package org.intsam;

import java.util.ArrayList;
import java.util.List;

/** One object: points on it and off it, a box around it, an earlier mask of it; at least one of these. */
public final class Prompt {
  private static final int FOREGROUND = 1;
  private static final int BACKGROUND = 0;

  private final List<Integer> points = new ArrayList<>();
  int[] box;
  short[] mask;

  /** A point on the object, in pixels of the photo. */
  public Prompt add(double x, double y) {
    return point(x, y, FOREGROUND);
  }

  /** A point off the object. */
  public Prompt remove(double x, double y) {
    return point(x, y, BACKGROUND);
  }

  /** Edges in pixels of the photo. */
  public Prompt box(double left, double top, double right, double bottom) {
    box = new int[] {code(left), code(top), code(right), code(bottom)};
    return this;
  }

  /** {@link Prediction#lowRes} of an earlier prediction on this photo; copied. */
  public Prompt mask(short[] lowRes) {
    mask = lowRes.clone();
    return this;
  }

  int numPoints() {
    return points.size() / 3;
  }

  List<Integer> codes() {
    return points;
  }

  private Prompt point(double x, double y, int label) {
    points.add(code(x));
    points.add(code(y));
    points.add(label);
    return this;
  }

  // 1/64 pixel; the library checks the range.
  private static int code(double pixels) {
    double code = Math.rint(pixels * 64);
    if (!(Math.abs(code) <= Integer.MAX_VALUE)) throw new IllegalArgumentException(pixels + " is no coordinate");
    return (int) code;
  }
}
