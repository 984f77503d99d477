"""toolchains/android.cmake hands over to the NDK that it is told of, with the defaults that docs/embedding.md names. The
NDK here is a fake: the layout, and a toolchain file that tells what it was given and chooses this machine's compilers.

  toolchains_test.py SOURCE CC CXX
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

FAKE = """message(STATUS "given: ${{ANDROID_ABI}} ${{ANDROID_PLATFORM}} ${{ANDROID_STL}}.")
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER {cc})
set(CMAKE_CXX_COMPILER {cxx})
"""


def configure(source, build, *options, environment=None):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ANDROID_")}
    command = ["cmake", "-S", source, "-B", build, "-G", "Ninja", "--toolchain", source / "toolchains/android.cmake",
               "-DINTSAM_BUILD_CONVERTER=OFF", "-DINTSAM_BUILD_APPS=OFF", "-DINTSAM_BUILD_TESTS=OFF", *options]
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False,
                          env={**clean, **(environment or {})})


def main(source, cc, cxx):
    source = pathlib.Path(source)
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        ndk = scratch / "ndk"
        (ndk / "build/cmake").mkdir(parents=True)
        (ndk / "build/cmake/android.toolchain.cmake").write_text(FAKE.format(cc=cc, cxx=cxx))
        for name, options, environment, given in (
            ("option", [f"-DANDROID_NDK={ndk}"], {}, "arm64-v8a android-24 c++_static"),
            ("environment", [], {"ANDROID_NDK_HOME": str(ndk)}, "arm64-v8a android-24 c++_static"),
            ("abi", [f"-DANDROID_NDK={ndk}", "-DANDROID_ABI=x86_64", "-DANDROID_PLATFORM=30"], {}, "x86_64 30 c++_static"),
        ):
            done = configure(source, scratch / name, *options, environment=environment)
            told = set(re.findall(r"given: (.*)\.", done.stdout))
            if done.returncode or told != {given}:
                print(f"{name}: the NDK was given {told}, not {given}\n{done.stdout}{done.stderr}")
                return 1
        for options in ([], [f"-DANDROID_NDK={scratch}/nowhere"]):
            done = configure(source, scratch / "none", *options)
            if done.returncode == 0 or "ANDROID_NDK" not in done.stderr:
                print(f"without an NDK: {done.stdout}{done.stderr}")
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
