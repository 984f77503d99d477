"""The wheel as strangers get it: built in one virtual environment, installed into another that sees no compiler, and
tested there.

  package_test.py --source DIR [--build DIR] [--max-megabytes N] [--static]

--build names a CMake build of libintsam that is linked instead of compiling the library once more, which leaves the
tools out. Without it, the wheel is made of the source distribution, as pip does of a package from elsewhere, and must
have the tools. --static links their picture libraries statically, as wheels for others do. Exits with 77, which ctest
calls skipped, where this Python is too old, lacks its headers, or pip reaches no packages.
"""
import argparse
import os
import pathlib
import shlex
import subprocess
import sys
import sysconfig
import tempfile
import venv
import zipfile

SKIPPED = 77
BUILD_TOOLS = ("scikit-build-core>=0.10", "cffi>=1.15.1", "cmake>=3.26", "ninja")
TEST_TOOLS = ("cffi", "numpy", "pillow", "pytest", "pycocotools")


class Skip(Exception):
    pass


def run(*command, env=None, cwd=None, reach=False):
    """The output of a command, which must succeed; with `reach`, its failure means that pip got no packages."""
    words = [str(word) for word in command]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, env=env, cwd=cwd)
    if done.returncode:
        if reach:
            raise Skip(f"pip gets no packages here: {(done.stdout.strip().splitlines() or ['no output'])[-1]}")
        raise SystemExit(f"{shlex.join(words)}\n{done.stdout}")
    return done.stdout


def environment(folder, *packages):
    """A fresh virtual environment with these packages; its interpreter."""
    try:
        venv.create(folder, with_pip=True)
    except (Exception, SystemExit) as error:  # Debian's Python without python3-venv
        raise Skip(f"this Python makes no virtual environments: {error}") from None
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages, reach=True)
    return python


def source_distribution(python, source, scratch):
    run(python, "-c", "import sys; from scikit_build_core.build import build_sdist; build_sdist(sys.argv[1])",
        scratch / "sdist", cwd=source)
    [archive] = (scratch / "sdist").glob("*.tar.gz")
    print(f"{archive.name}: {archive.stat().st_size / 1e6:.2f} MB")
    return archive


def build_wheel(python, options, scratch):
    source = options.source if options.build else source_distribution(python, options.source, scratch)
    command = [python, "-m", "pip", "wheel", "--disable-pip-version-check", "--no-deps", "--no-build-isolation", "-w",
               scratch / "wheel", source, "--config-settings", f"build-dir={scratch / 'build'}"]
    if not options.build:
        command += ["--config-settings", "cmake.define.INTSAM_PYTHON_TOOLS=ON"]
    if options.static:
        command += ["--config-settings", "cmake.define.INTSAM_PYTHON_STATIC=ON"]
    if options.build:
        prefix = scratch / "prefix"
        run("cmake", "--install", options.build, "--prefix", prefix, "--component", "devel")
        [config] = prefix.rglob("intsam-config.cmake")
        command += ["--config-settings", "cmake.define.INTSAM_PYTHON_INSTALLED=ON",
                    "--config-settings", f"cmake.define.intsam_DIR={config.parent}"]
    run(*command, env={**os.environ, "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"})
    [wheel] = (scratch / "wheel").glob("*.whl")
    return wheel


def check_contents(wheel, limit, with_tools):
    """Only the package and its tools, of the stable interface, and small."""
    if "-cp310-abi3-" not in wheel.name:
        raise SystemExit(f"{wheel.name}: not for every Python from 3.10")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    strays = [name for name in names if not name.startswith(("intsam/", "intsam-"))]
    if strays or "intsam/py.typed" not in names:
        raise SystemExit(f"{wheel.name}: {strays or 'no py.typed'}")
    tools = sorted(name.rsplit("/", 1)[1] for name in names if ".data/scripts/" in name)
    if bool(tools) != with_tools:
        raise SystemExit(f"{wheel.name}: tools: {tools}")
    size = wheel.stat().st_size
    print(f"{wheel.name}: {size / 1e6:.2f} MB{', with ' if tools else ''}{', '.join(tools)}")
    if size > limit * 1e6:
        raise SystemExit(f"{wheel.name}: more than {limit} MB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=pathlib.Path, required=True)
    parser.add_argument("--build", type=pathlib.Path)
    parser.add_argument("--max-megabytes", type=float, default=5)
    parser.add_argument("--static", action="store_true")
    options = parser.parse_args()
    if sys.version_info < (3, 10):
        raise Skip(f"Python {sys.version.split()[0]} is older than 3.10")
    if not (pathlib.Path(sysconfig.get_path("include")) / "Python.h").is_file():
        raise Skip("this Python's headers are not installed")
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        builder = environment(scratch / "builder", *BUILD_TOOLS)
        user = environment(scratch / "user", *TEST_TOOLS)
        wheel = build_wheel(builder, options, scratch)
        check_contents(wheel, options.max_megabytes, with_tools=not options.build)
        run(user, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-index", wheel)
        # Neither a compiler nor the sources' own package is found from there.
        bare = {"PATH": str(user.parent), "HOME": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        tests = options.source.resolve() / "bindings/python/tests"
        print(run(user, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests, env=bare, cwd=scratch))


if __name__ == "__main__":
    try:
        main()
    except Skip as reason:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
