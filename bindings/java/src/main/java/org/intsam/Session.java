package org.intsam;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.LongFunction;

/** One photo at a time. Calls from several threads wait for each other; sessions do not. */
public final class Session implements AutoCloseable {
  private final Model model;
  private long handle;
  private long serial; // of the results that the library holds
  private boolean running;

  Session(Model model, long handle) {
    this.model = model;
    this.handle = handle;
  }

  public synchronized String tier() {
    return Native.tier(handle);
  }

  public synchronized int threads() {
    return Native.threads(handle);
  }

  /** Bytes that the session holds, photos excluded. */
  public synchronized long memory() {
    return Native.memory(handle);
  }

  /** Slow: the image encoder. Pixels as Bitmap.getPixels gives them, 0xAARRGGBB, rows without gaps. */
  public void setImage(int[] argb, int width, int height) {
    setImage(argb, width, height, null);
  }

  public synchronized void setImage(int[] argb, int width, int height, Progress progress) {
    change(() -> Native.setImage(handle, argb, width, height, progress));
  }

  /** Of a direct buffer, from its beginning, `stride` bytes from row to row: its position is not used. */
  public synchronized void setImage(
      ByteBuffer pixels, int width, int height, int stride, PixelFormat format, Progress progress) {
    change(() -> Native.setImageBuffer(handle, pixels, width, height, stride, format.ordinal(), progress));
  }

  /** Width and height of the photo; 0 and 0 without one. */
  public synchronized int[] imageSize() {
    return Native.imageSize(handle);
  }

  /** The encoded photo, for {@link #loadEmbedding} of any session of this model on any machine. */
  public synchronized byte[] saveEmbedding() {
    return Native.saveEmbedding(handle);
  }

  /** In the place of setImage. */
  public synchronized void loadEmbedding(byte[] bytes) {
    change(() -> Native.loadEmbedding(handle, bytes));
  }

  /** Fast. */
  public Prediction predict(Prompt prompt) {
    return predict(Collections.singletonList(prompt), null).get(0);
  }

  /** Up to 4096 prompts, spread over the session's threads; progress counts those that are answered. */
  public synchronized List<Prediction> predict(List<Prompt> prompts, Progress progress) {
    int[] numPoints = prompts.stream().mapToInt(Prompt::numPoints).toArray();
    int[] points = prompts.stream().flatMap(prompt -> prompt.codes().stream()).mapToInt(Integer::intValue).toArray();
    int[][] boxes = prompts.stream().map(prompt -> prompt.box).toArray(int[][]::new);
    short[][] masks = prompts.stream().map(prompt -> prompt.mask).toArray(short[][]::new);
    change(() -> Native.predict(handle, model.handle(), numPoints, points, boxes, masks, progress));
    List<Prediction> predictions = new ArrayList<>();
    for (int result = 0; result < numPoints.length; ++result) predictions.add(new Prediction(this, serial, result));
    return predictions;
  }

  /** All masks of the photo that is set. There are no predictions afterwards. */
  public synchronized void everything(Everything options, Everything.Receiver receiver, Progress progress) {
    Native.Found found =
        (handle, iou, stability, x, y, index, count) -> {
          try (Mask mask = new Mask(handle, false)) {
            return receiver.test(new Everything.Found(mask, iou, stability, x, y, index, count));
          }
        };
    change(() -> Native.everything(handle, options.settings, found, progress));
  }

  /** Not from a callback of a call that runs. */
  @Override
  public synchronized void close() {
    if (running) throw new IllegalStateException("a call on the session is running");
    if (handle == 0) return;
    Native.closeSession(handle);
    handle = 0;
    model.sessionClosed();
  }

  void checkMask(int mask) {
    if (mask < 0 || mask >= model.numMasks()) {
      throw new IllegalArgumentException("mask " + mask + " is none of 0 to " + (model.numMasks() - 1));
    }
  }

  synchronized <T> T read(long of, LongFunction<T> call) {
    if (running) throw new IllegalStateException("the session is called from its own callback");
    if (of != serial) throw new IllegalStateException("the session has answered something else since");
    return call.apply(handle);
  }

  // A call after which earlier results are gone. One within it, from a callback, is refused by the library and changes
  // nothing.
  private void change(Runnable call) {
    if (running) throw new IllegalStateException("the session is called from its own callback");
    running = true;
    try {
      call.run();
    } finally {
      running = false;
      ++serial;
    }
  }

  Model model() {
    return model;
  }

  static int q16(double logits) {
    double code = Math.rint(logits * 65536);
    if (!(Math.abs(code) <= Integer.MAX_VALUE)) throw new IllegalArgumentException(logits + " is out of range");
    return (int) code;
  }
}
