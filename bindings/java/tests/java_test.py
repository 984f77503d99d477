"""The Java binding on this machine's JVM: compiled without a warning, run with the JVM's own checks of native code.

  java_test.py JAVAC JAVA FOLDER_OF_LIBINTSAM_JNI MODEL
"""
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def main(javac, java, library, model):
    with tempfile.TemporaryDirectory() as scratch:
        sources = sorted((HERE.parent / "src/main/java").rglob("*.java"))
        subprocess.run([javac, "--release", "11", "-Xlint:all,-options,-try", "-Werror", "-d", scratch, *sources,
                        HERE / "Check.java"], check=True)
        done = subprocess.run([java, "-Xcheck:jni", f"-Djava.library.path={library}", "-cp", scratch, "Check", model],
                              stdout=subprocess.PIPE, text=True, check=True)
        # What the JVM finds in native code it prints, and goes on.
        if "WARNING in native method" in done.stdout or "FATAL ERROR" in done.stdout:
            print(done.stdout)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
