"""The Java binding (jni/) segments from a Java program, and its failures are exceptions with the library's sentence.

  jni_test.py JAVAC JAVA FOLDER_OF_LIBINTSAM_JNI MODEL
"""
import pathlib
import subprocess
import sys
import tempfile

PROGRAM = """
import java.util.Arrays;
import org.intsam.Intsam;

public class Check {
  static void refused(Class<?> type, String part, Runnable call) {
    try {
      call.run();
    } catch (RuntimeException failure) {
      if (type.isInstance(failure) && failure.getMessage().contains(part)) return;
      throw failure;
    }
    throw new AssertionError("accepted what it should refuse: " + part);
  }

  public static void main(String[] arguments) {
    int width = 40, height = 30;
    int[] argb = new int[width * height];
    for (int i = 0; i < argb.length; ++i) argb[i] = i % width < 20 ? 0xffdc3c28 : 0xff1e3c5a;
    refused(IllegalStateException.class, "missing.isam", () -> new Intsam("missing.isam", 1));
    Intsam engine = new Intsam(arguments[0], 1);
    refused(IllegalArgumentException.class, "image", () -> engine.segment(64, 64, 1));
    refused(IllegalArgumentException.class, "pixels", () -> engine.setImage(argb, width, height + 1));
    engine.setImage(argb, width, height);
    refused(IllegalArgumentException.class, "points", () -> engine.segment(64, 64));
    byte[] one = engine.segment(10 * 64, 15 * 64, 1), again = engine.segment(10 * 64, 15 * 64, 1);
    byte[] two = engine.segment(10 * 64, 15 * 64, 1, 30 * 64, 15 * 64, 0);
    engine.close();
    engine.close();
    refused(IllegalArgumentException.class, "closed", () -> engine.segment(64, 64, 1));
    for (byte pixel : one) if (pixel != 0 && pixel != 1) throw new AssertionError("a mask of something else");
    if (one.length != width * height || !Arrays.equals(one, again) || Arrays.equals(one, two))
      throw new AssertionError("masks of " + one.length + " and " + two.length + " bytes");
  }
}
"""


def main(javac, java, library, model):
    with tempfile.TemporaryDirectory() as scratch:
        program = pathlib.Path(scratch) / "Check.java"
        program.write_text(PROGRAM)
        binding = pathlib.Path(__file__).resolve().parent / "jni" / "Intsam.java"
        subprocess.run([javac, "-Xlint:all", "-Werror", "-d", scratch, str(binding), str(program)], check=True)
        subprocess.run([java, "-Xcheck:jni", f"-Djava.library.path={library}", "-cp", scratch, "Check", model], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
