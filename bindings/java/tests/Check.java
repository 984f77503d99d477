import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.intsam.Everything;
import org.intsam.IntsamException;
import org.intsam.Mask;
import org.intsam.Model;
import org.intsam.PixelFormat;
import org.intsam.Prediction;
import org.intsam.Prompt;
import org.intsam.Session;
import org.intsam.Status;

/** Everything that the Java binding promises, on the model named by the argument. */
public class Check {
  private static final int WIDTH = 40;
  private static final int HEIGHT = 30;

  private static void check(boolean holds, String what) {
    if (!holds) throw new AssertionError(what);
  }

  private static <E extends Throwable> E refused(Class<E> type, String part, Runnable call) {
    try {
      call.run();
    } catch (RuntimeException failure) {
      if (type.isInstance(failure) && failure.getMessage().contains(part)) return type.cast(failure);
      throw failure;
    }
    throw new AssertionError("accepted what it should refuse: " + part);
  }

  private static void refused(Class<IntsamException> type, Status status, Runnable call) {
    check(refused(type, "", call).status() == status, "not " + status);
  }

  private static int[] photo() {
    int[] argb = new int[WIDTH * HEIGHT];
    for (int i = 0; i < argb.length; ++i) argb[i] = i % WIDTH < 20 ? 0xffdc3c28 : 0xff1e3c5a;
    return argb;
  }

  private static ByteBuffer buffer(int[] argb, PixelFormat format, int bytes, int stride) {
    ByteBuffer pixels = ByteBuffer.allocateDirect(stride * HEIGHT);
    for (int y = 0; y < HEIGHT; ++y) {
      for (int x = 0; x < WIDTH; ++x) {
        int color = argb[y * WIDTH + x];
        byte[] rgb = {(byte) (color >> 16), (byte) (color >> 8), (byte) color};
        boolean reversed = format == PixelFormat.BGR || format == PixelFormat.BGRA;
        for (int c = 0; c < 3; ++c) pixels.put(y * stride + x * bytes + c, rgb[reversed ? 2 - c : c]);
      }
    }
    return pixels;
  }

  private static byte[] bytes(Prediction prediction, int index) {
    try (Mask mask = prediction.mask(index)) {
      return mask.bytes();
    }
  }

  private static void images(Model model) {
    try (Session session = model.newSession(1, "scalar"); Session other = model.newSession()) {
      check(session.threads() == 1 && session.tier().equals("scalar") && session.memory() > 0, "what a session says");
      check(session.imageSize()[0] == 0, "a size without a photo");
      refused(IllegalArgumentException.class, "image", () -> session.predict(new Prompt().add(1, 1)));
      refused(IllegalArgumentException.class, "pixels", () -> session.setImage(photo(), WIDTH, HEIGHT + 1));
      refused(IllegalArgumentException.class, "pixels", () -> session.setImage(null, WIDTH, HEIGHT));
      session.setImage(photo(), WIDTH, HEIGHT);
      check(Arrays.equals(session.imageSize(), new int[] {WIDTH, HEIGHT}), "the photo's size");
      Prompt prompt = new Prompt().add(10, 15);
      byte[] mask = bytes(session.predict(prompt), 1);
      other.loadEmbedding(session.saveEmbedding());
      check(Arrays.equals(mask, bytes(other.predict(prompt), 1)), "an embedding gives another mask");
      byte[] damaged = session.saveEmbedding();
      damaged[damaged.length - 1] ^= 1;
      refused(IntsamException.class, Status.DAMAGED, () -> other.loadEmbedding(damaged));
      for (PixelFormat format : List.of(PixelFormat.RGB, PixelFormat.BGR, PixelFormat.RGBA, PixelFormat.BGRA)) {
        int size = format.name().length();
        int stride = WIDTH * size + 5;
        other.setImage(buffer(photo(), format, size, stride), WIDTH, HEIGHT, stride, format, null);
        check(Arrays.equals(mask, bytes(other.predict(prompt), 1)), format + " gives another mask");
      }
      ByteBuffer small = ByteBuffer.allocateDirect(WIDTH * HEIGHT * 3 - 1);
      refused(IllegalArgumentException.class, "rows",
          () -> other.setImage(small, WIDTH, HEIGHT, WIDTH * 3, PixelFormat.RGB, null));
      refused(IllegalArgumentException.class, "direct",
          () -> other.setImage(ByteBuffer.allocate(9999), WIDTH, HEIGHT, WIDTH * 3, PixelFormat.RGB, null));
    }
  }

  private static void predictions(Model model) {
    try (Session session = model.newSession()) {
      session.setImage(photo(), WIDTH, HEIGHT);
      List<Prompt> prompts =
          List.of(
              new Prompt().add(10, 15),
              new Prompt().add(10, 15).remove(30, 15),
              new Prompt().box(-3, 2.5, 20, 28),
              new Prompt().add(31.25, 3).box(18, 0, 40, 30));
      List<Integer> steps = new ArrayList<>();
      List<Prediction> batch =
          session.predict(prompts, (step, all, name) -> {
            check(all == prompts.size() && !name.isEmpty(), "progress");
            return !steps.add(step);
          });
      check(!steps.isEmpty(), "no progress");
      List<byte[]> masks = new ArrayList<>();
      for (Prediction prediction : batch) {
        int best = prediction.best();
        check(best >= 1 && best < model.numMasks(), "best mask");
        for (int i = 1; i < model.numMasks(); ++i) check(prediction.iou(best) >= prediction.iou(i), "not the best");
        check(prediction.stability(best, 0.5) >= 0 && prediction.stability(best, 0.5) <= 1, "stability");
        masks.add(bytes(prediction, 0));
      }
      refused(IllegalArgumentException.class, "mask 99", () -> batch.get(0).iou(99));
      refused(IllegalArgumentException.class, "mask -1", () -> batch.get(0).mask(-1));
      short[] lowRes = batch.get(0).lowRes(0);
      check(lowRes.length == model.lowResSize() * model.lowResSize() && model.logitStep() > 0, "low-resolution mask");
      for (int i = 0; i < prompts.size(); ++i) {
        check(Arrays.equals(masks.get(i), bytes(session.predict(prompts.get(i)), 0)), "batch and single " + i);
      }
      refused(IllegalStateException.class, "something else", () -> batch.get(0).best());
      byte[] refined = bytes(session.predict(new Prompt().add(10, 15).mask(lowRes)), 0);
      check(refined.length == WIDTH * HEIGHT, "a refined mask");

      refused(IllegalArgumentException.class, "prompt", () -> session.predict(new Prompt()));
      List<Prompt> second = List.of(prompts.get(0), new Prompt());
      refused(IllegalArgumentException.class, "prompt 1", () -> session.predict(second, null));
      refused(IllegalArgumentException.class, "mask", () -> session.predict(new Prompt().mask(new short[3])));
      refused(IllegalArgumentException.class, "coordinate", () -> session.predict(new Prompt().add(Double.NaN, 0)));
      refused(CancellationException.class, "", () -> session.predict(prompts, (step, all, name) -> true));
      refused(ArithmeticException.class, "mine", () -> session.predict(prompts, (step, all, name) -> {
        throw new ArithmeticException("mine");
      }));
      refused(IllegalStateException.class, "callback", () -> session.predict(prompts, (step, all, name) -> {
        session.predict(prompts.get(0));
        return false;
      }));
      refused(IllegalStateException.class, "running", () -> session.predict(prompts, (step, all, name) -> {
        session.close();
        return false;
      }));
      session.predict(prompts.get(0)); // still well
    }
  }

  private static void masks(Model model) {
    Mask mask;
    try (Session session = model.newSession()) {
      session.setImage(photo(), WIDTH, HEIGHT);
      Prediction prediction = session.predict(new Prompt().box(2, 2, 22, 28));
      mask = prediction.mask(0);
      try (Mask large = prediction.mask(0, 80, 60); Mask piece = prediction.mask(0, 5, 6, 10, 8, 10, 8)) {
        check(large.width() == 80 && large.height() == 60, "another size");
        byte[] whole = mask.bytes();
        byte[] part = piece.bytes();
        for (int i = 0; i < part.length; ++i) check(part[i] == whole[(6 + i / 10) * WIDTH + 5 + i % 10], "a region");
      }
      refused(IllegalArgumentException.class, "", () -> prediction.mask(0, -1, 0, 5, 5, 5, 5));
    }
    byte[] bytes = mask.bytes(); // without its session
    long area = 0;
    for (byte pixel : bytes) area += pixel;
    check(mask.width() == WIDTH && mask.height() == HEIGHT && mask.area() == area, "area");
    int[] runs = mask.runLengths();
    check(Arrays.stream(runs).sum() == WIDTH * HEIGHT && !mask.cocoString().isEmpty(), "run lengths");
    for (int run = 0, at = 0; run < runs.length; at += runs[run++]) {
      for (int i = at; i < at + runs[run]; ++i) check(bytes[i % HEIGHT * WIDTH + i / HEIGHT] == run % 2, "runs");
    }
    long twice = 0;
    for (Mask.Outline outline : mask.outlines()) {
      int[] c = outline.corners;
      for (int i = 0; i < c.length; i += 2) {
        twice += (long) c[i] * c[(i + 3) % c.length] - (long) c[(i + 2) % c.length] * c[i + 1];
      }
    }
    check(twice == 2 * area, "outlines");
    int[] argb = mask.argb(0x80ff0000, 0);
    ByteBuffer rows = ByteBuffer.allocateDirect(HEIGHT * 64);
    mask.writeTo(rows, 64);
    for (int i = 0; i < bytes.length; ++i) {
      check(argb[i] == (bytes[i] == 1 ? 0x80ff0000 : 0), "colours");
      check(rows.get(i / WIDTH * 64 + i % WIDTH) == bytes[i], "rows");
    }
    refused(IllegalArgumentException.class, "rows", () -> mask.writeTo(rows, WIDTH - 1));
    mask.close();
    mask.close();
    refused(IllegalStateException.class, "closed", mask::bytes);
  }

  private static void everything(Model model) {
    try (Session session = model.newSession()) {
      session.setImage(photo(), WIDTH, HEIGHT);
      Everything options = new Everything().pointsPerSide(4).predIouThresh(0).stabilityScoreThresh(0);
      options.boxNmsThresh(0.9).minMaskRegionArea(0);
      List<Mask> kept = new ArrayList<>();
      List<Double> scores = new ArrayList<>();
      session.everything(options, found -> {
        check(found.mask.area() > 0 && found.stability >= 0 && found.x < WIDTH, "found");
        check(found.index == scores.size(), "order");
        kept.add(found.mask);
        scores.add(found.iou);
        return false;
      }, (step, all, name) -> {
        check(all == 16, "points");
        return false;
      });
      check(!scores.isEmpty() && scores.get(0) >= scores.get(scores.size() - 1), "order");
      refused(IllegalStateException.class, "closed", () -> kept.get(0).area());
      refused(CancellationException.class, "", () -> session.everything(options, found -> true, null));
      refused(IllegalArgumentException.class, "points_per_side",
          () -> session.everything(new Everything().pointsPerSide(0), found -> false, null));
    }
  }

  public static void main(String[] arguments) throws Exception {
    Path path = Path.of(arguments[0]);
    refused(IntsamException.class, Status.IO, () -> Model.open("missing.isam"));
    refused(IllegalArgumentException.class, "direct", () -> Model.open(ByteBuffer.allocate(64)));
    try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ)) {
      try (Model mapped = Model.open(file.map(FileChannel.MapMode.READ_ONLY, 0, file.size()))) {
        mapped.verify();
        check(mapped.fileBytes() == file.size() && mapped.provenance().startsWith("{"), "what a model says");
      }
    }
    Model model = Model.open(path.toString());
    check(model.imageSize() > 0 && !Model.version().isEmpty(), "what a model says");
    refused(IllegalArgumentException.class, "nonsense", () -> model.newSession(1, "nonsense"));
    images(model);
    predictions(model);
    masks(model);
    everything(model);
    Session session = model.newSession();
    refused(IllegalStateException.class, "1 sessions", model::close);
    session.close();
    session.close();
    refused(IllegalStateException.class, "closed", session::threads);
    model.close();
    model.close();
    refused(IllegalStateException.class, "closed", model::newSession);
  }
}
