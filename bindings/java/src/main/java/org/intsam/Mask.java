package org.intsam;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A mask, independent of its session. It never changes and may be used by several threads until it is closed. */
public final class Mask implements AutoCloseable {
  private final boolean owned;
  private long handle;

  Mask(long handle, boolean owned) {
    this.handle = handle;
    this.owned = owned;
  }

  /** A closed polygon along the edges of pixels, x and y in turn; around a hole it goes the other way. */
  public static final class Outline {
    public final int[] corners;
    public final boolean hole;

    Outline(int[] corners, boolean hole) {
      this.corners = corners;
      this.hole = hole;
    }
  }

  public int width() {
    return (int) info()[0];
  }

  public int height() {
    return (int) info()[1];
  }

  /** Pixels inside. */
  public long area() {
    return info()[6];
  }

  /** Left, top, width, height of what is inside; all 0 for an empty mask. */
  public int[] box() {
    long[] info = info();
    if (info[6] == 0) return new int[4];
    return new int[] {(int) info[2], (int) info[3], (int) (info[4] - info[2] + 1), (int) (info[5] - info[3] + 1)};
  }

  /** A byte per pixel, 0 or 1, row by row. */
  public synchronized byte[] bytes() {
    byte[] out = new byte[Math.multiplyExact(width(), height())];
    Native.maskBytes(handle, out, width());
    return out;
  }

  /** The same into a direct buffer, `stride` bytes from row to row, from its beginning: its position is not used. */
  public synchronized void writeTo(ByteBuffer out, int stride) {
    Native.maskBuffer(handle, out, stride);
  }

  /** A colour (0xAARRGGBB) per pixel, as Bitmap.setPixels takes them. */
  public synchronized int[] argb(int inside, int outside) {
    int[] out = new int[Math.multiplyExact(width(), height())];
    Native.maskArgb(handle, out, inside, outside);
    return out;
  }

  /** COCO's run lengths: pixels outside, inside, outside, ... in turn, down one column after the other. */
  public synchronized int[] runLengths() {
    return Native.runLengths(handle);
  }

  /** The same as pycocotools' compressed string. */
  public synchronized String cocoString() {
    return Native.cocoString(handle);
  }

  public synchronized List<Outline> outlines() {
    int[] numRings = new int[1];
    int[] all = Native.outlines(handle, numRings);
    List<Outline> outlines = new ArrayList<>();
    int corners = 3 * numRings[0];
    for (int ring = 0; ring < numRings[0]; ++ring) {
      int begin = corners + 2 * all[3 * ring];
      outlines.add(
          new Outline(Arrays.copyOfRange(all, begin, begin + 2 * all[3 * ring + 1]), all[3 * ring + 2] != ring));
    }
    return outlines;
  }

  private synchronized long[] info() {
    return Native.maskInfo(handle);
  }

  @Override
  public synchronized void close() {
    if (owned) Native.closeMask(handle);
    handle = 0;
  }
}
