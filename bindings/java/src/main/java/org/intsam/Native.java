package org.intsam;

import java.nio.ByteBuffer;

/** What the C files of this binding implement. Handles are addresses, 0 for a closed object, which every function refuses. */
final class Native {
  static {
    System.loadLibrary("intsam_jni");
  }

  private Native() {}

  static native String version();

  static native long openModel(String path);

  static native long openModelBuffer(ByteBuffer bytes);

  static native void closeModel(long model);

  static native void verify(long model);

  /** imageSize, numMasks, lowResSize, logitMantissa, logitShift, fileBytes */
  static native long[] modelInfo(long model);

  static native String provenance(long model);

  static native long newSession(long model, int threads, String tier);

  static native void closeSession(long session);

  static native String tier(long session);

  static native int threads(long session);

  static native long memory(long session);

  static native void setImage(long session, int[] argb, int width, int height, Progress progress);

  static native void setImageBuffer(
      long session, ByteBuffer pixels, int width, int height, int stride, int format, Progress progress);

  /** width, height */
  static native int[] imageSize(long session);

  static native byte[] saveEmbedding(long session);

  static native void loadEmbedding(long session, byte[] bytes);

  /** Of each prompt: its number of points, {x, y, label} of these, a box {x0, y0, x1, y1} or null, a mask or null. */
  static native void predict(
      long session, long model, int[] numPoints, int[] points, int[][] boxes, short[][] masks, Progress progress);

  static native int bestMask(long session, int result);

  static native int iou(long session, int result, int mask);

  static native short[] lowRes(long session, long model, int result, int mask);

  static native int stability(long session, int result, int mask, int offset);

  /** settings: {x, y, region width, region height, width, height, threshold offset} of intsam_mask_options */
  static native long makeMask(long session, int result, int mask, int[] settings);

  static native void closeMask(long mask);

  /** width, height, x0, y0, x1, y1, area */
  static native long[] maskInfo(long mask);

  static native void maskBytes(long mask, byte[] out, int stride);

  static native void maskBuffer(long mask, ByteBuffer out, int stride);

  static native void maskArgb(long mask, int[] out, int inside, int outside);

  static native int[] runLengths(long mask);

  static native String cocoString(long mask);

  /** First the rings, three numbers each (first corner, number of corners, outer ring), behind them the corners. */
  static native int[] outlines(long mask, int[] numRings);

  /** settings: the fields of intsam_everything_options behind `size`, in their order. */
  static native void everything(long session, int[] settings, Found found, Progress progress);

  static native int[] everythingDefaults();

  /** Called by native code; true cancels. The mask is valid during the call. */
  interface Found {
    boolean found(long mask, int iou, int stability, int x, int y, int index, int count);
  }
}
