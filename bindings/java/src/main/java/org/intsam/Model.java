package org.intsam;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;

/** A model file, immutable, for any number of sessions on any threads. */
public final class Model implements AutoCloseable {
  private final ByteBuffer bytes; // kept: the model lies in it
  private final AtomicInteger sessions = new AtomicInteger();
  private final long[] info;
  private long handle;

  private Model(long handle, ByteBuffer bytes) {
    this.handle = handle;
    this.bytes = bytes;
    info = Native.modelInfo(handle);
  }

  /** Maps a file (no asset: those are compressed) and checks all of it. It must not change while the model is open. */
  public static Model open(String path) {
    return new Model(Native.openModel(path), null);
  }

  /** Of a direct buffer that starts at a multiple of 64, such as FileChannel.map gives; kept, not copied. */
  public static Model open(ByteBuffer bytes) {
    return new Model(Native.openModelBuffer(bytes), bytes);
  }

  public static String version() {
    return Native.version();
  }

  /** A session with a thread per CPU on the best kernels that this CPU has. */
  public Session newSession() {
    return newSession(0, null);
  }

  /** threads: 1 to 256, or 0 for one per CPU; tier: a kernel tier such as "neon", or null for the best. */
  public synchronized Session newSession(int threads, String tier) {
    Session session = new Session(this, Native.newSession(handle, threads, tier));
    sessions.incrementAndGet();
    return session;
  }

  /** Longest side of the picture that the model looks at. */
  public int imageSize() {
    return (int) info[0];
  }

  /** Masks of one prediction: 0 is the single one, 1 and on are alternatives. */
  public int numMasks() {
    return (int) info[1];
  }

  /** Side of the low-resolution masks. */
  public int lowResSize() {
    return (int) info[2];
  }

  /** A logit is a code of {@link Prediction#lowRes} times this. */
  public double logitStep() {
    return info[3] * Math.scalb(1.0, (int) -info[4]);
  }

  public long fileBytes() {
    return info[5];
  }

  /** JSON: which checkpoint it came from, its bits, how it was calibrated. */
  public synchronized String provenance() {
    return Native.provenance(handle);
  }

  /** Compares the tensors with the checksum of the file: reads all of it. */
  public synchronized void verify() {
    Native.verify(handle);
  }

  synchronized long handle() {
    return handle;
  }

  void sessionClosed() {
    sessions.decrementAndGet();
  }

  /** Its sessions must be closed. */
  @Override
  public synchronized void close() {
    if (sessions.get() != 0) throw new IllegalStateException(sessions.get() + " sessions of the model are open");
    Native.closeModel(handle);
    handle = 0;
  }
}
