package org.intsam;

/** Bytes of a pixel in memory, in this order; alpha is ignored. The constants are those of intsam_pixel_format. */
public enum PixelFormat {
  RGB(3),
  BGR(3),
  RGBA(4),
  BGRA(4),
  GRAY(1);

  final int bytes;

  PixelFormat(int bytes) {
    this.bytes = bytes;
  }
}
