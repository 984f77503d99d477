package org.intsam;

/** The answer to a prompt: several masks and what the model thinks of them. Good until the session's next one. */
public final class Prediction {
  private final Session session;
  private final long serial;
  private final int result;

  Prediction(Session session, long serial, int result) {
    this.session = session;
    this.serial = serial;
    this.result = result;
  }

  /** Number of the best alternative, as the original package picks for single clicks. */
  public int best() {
    return session.read(serial, handle -> Native.bestMask(handle, result));
  }

  /** The model's own estimate of a mask's intersection over union with the truth. */
  public double iou(int mask) {
    session.checkMask(mask);
    return session.read(serial, handle -> Native.iou(handle, result, mask)) / 32768.0;
  }

  /** Logits, lowResSize x lowResSize, for {@link Prompt#mask}. */
  public short[] lowRes(int mask) {
    session.checkMask(mask);
    return session.read(serial, handle -> Native.lowRes(handle, session.model().handle(), result, mask));
  }

  /** How little a mask changes when the threshold of its logits moves by this much, 0 to 1. */
  public double stability(int mask, double offset) {
    session.checkMask(mask);
    int code = Session.q16(offset);
    return session.read(serial, handle -> Native.stability(handle, result, mask, code)) / 65536.0;
  }

  /** At the photo's size. To be closed. */
  public Mask mask(int mask) {
    return mask(mask, 0, 0);
  }

  /** At a size of its own, such as that of a view. */
  public Mask mask(int mask, int width, int height) {
    return mask(mask, new int[] {0, 0, 0, 0, width, height, 0});
  }

  /** A region of the photo, in its pixels, at a size of its own. */
  public Mask mask(int mask, int x, int y, int regionWidth, int regionHeight, int width, int height) {
    return mask(mask, new int[] {x, y, regionWidth, regionHeight, width, height, 0});
  }

  private Mask mask(int mask, int[] settings) {
    session.checkMask(mask);
    return new Mask(session.read(serial, handle -> Native.makeMask(handle, result, mask, settings)), true);
  }
}
