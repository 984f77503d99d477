"""Installs libintsam under a scratch prefix, moves it, and builds the examples of docs/embedding.md against it as a
stranger would: the first C one through find_package(intsam) in a project that knows only C, and all through pkg-config,
as C99 and C++17, with every warning an error. Runs what it built: a missing model must be refused in one line, the
bundled one must give masks, of the first program on a picture drawn here.

  install_test.py --source DIR --build DIR [--model FILE.isam] [--shared] [--cc CC] [--cxx CXX] [--flags FLAGS]
                  [--link-flags FLAGS] [--toolchain FILE] [--emulator WORDS] [--suffix .js] [--nm NM] [--objdump OBJDUMP]

--shared builds the library alone as a shared one in DIR first, which also shows that this needs no package. For another
target: its toolchain file for what CMake builds, and what starts its programs, words separated by semicolons.
"""
import argparse
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

MAX_LINES = 42
STRICT = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic-errors"]

CONSUMER = """cmake_minimum_required(VERSION 3.16)
project(consumer LANGUAGES C)
find_package(intsam {version} CONFIG REQUIRED)
add_executable(example example.c)
set_target_properties(example PROPERTIES C_STANDARD 99 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
target_compile_options(example PRIVATE -Wall -Wextra -Werror -pedantic-errors)
target_link_libraries(example PRIVATE intsam::intsam)
"""


class Failure(Exception):
    pass


def run(*command, check=True, env=None, cwd=None):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, cwd=cwd,
                          env={**os.environ, **(env or {})})
    if check and done.returncode:
        raise Failure(f"{shlex.join(str(word) for word in command)}\n{done.stdout}{done.stderr}")
    return done


def examples_of(document, language):
    """The blocks of the document in this language that have a main(): one at least."""
    text = document.read_text(encoding="utf-8")
    blocks = [block for block in re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
              if re.search(r"\bint main\(", block)]
    for block in blocks:
        lines = block.count("\n")
        if lines > MAX_LINES:
            raise Failure(f"{document}: an example has {lines} lines, more than {MAX_LINES}")
    if not blocks:
        raise Failure(f"{document}: no ```{language} block with a main()")
    return blocks


def compilers(options):
    """The words that make a CMake project build for the same target as the library."""
    if options.toolchain:
        return [f"-DCMAKE_TOOLCHAIN_FILE={options.toolchain}"]
    return [f"-DCMAKE_C_COMPILER={options.cc}", f"-DCMAKE_CXX_COMPILER={options.cxx}",
            f"-DCMAKE_C_FLAGS={options.flags}", f"-DCMAKE_CXX_FLAGS={options.flags}"]


def build_shared(options):
    build = options.build / "install_shared"
    # INTSAM_WERROR: what the presets compile with, so that a compiler cache gives the objects of the build around this.
    run("cmake", "-S", options.source, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DBUILD_SHARED_LIBS=ON",
        "-DINTSAM_BUILD_CONVERTER=OFF", "-DINTSAM_BUILD_APPS=OFF", "-DINTSAM_BUILD_TESTS=OFF", "-DINTSAM_WERROR=ON",
        *compilers(options))
    run("cmake", "--build", build, "--parallel")
    library = next((build / "lib").glob("libintsam.so"))
    if not options.flags:
        checked = run(sys.executable, "-B", options.source / "tests/lint/symbols.py", "shared", library, options.nm,
                      options.objdump, check=False)
        if checked.returncode:
            raise Failure(checked.stdout)
    return build


def check_no_absolute_paths(prefix, roots):
    for path in prefix.rglob("*"):
        if path.suffix in (".cmake", ".pc"):
            text = path.read_text(encoding="utf-8")
            for root in roots:
                if str(root) in text:
                    raise Failure(f"{path.name} names the absolute path {root}")


def check_runs(program, options, scratch, environment, takes_picture):
    picture = scratch / "picture.ppm"
    width, height = 96, 64
    pixels = bytearray()
    for y in range(height):
        for x in range(width):
            inside = 24 <= x < 72 and 16 <= y < 48
            pixels += bytes((220, 60, 40) if inside else (30 + x, 60 + y, 90))
    picture.write_bytes(b"P6\n%d %d\n255\n" % (width, height) + pixels)

    arguments = (picture, 48, 32) if takes_picture else ()
    missing = run(*options.emulator, program, scratch / "missing.isam", *arguments, check=False, env=environment)
    if missing.returncode <= 0 or missing.stderr.count("\n") != 1:
        raise Failure(f"a missing model: exit status {missing.returncode}, stderr {missing.stderr!r}; one line was expected")
    if options.model:
        done = run(*options.emulator, program, options.model, *arguments, env=environment)
        if not done.stdout.strip():
            raise Failure("the example printed nothing")
        print(f"install_test: the example printed: {done.stdout.strip()}")


def test(options, scratch):
    build = build_shared(options) if options.shared else options.build
    first, prefix = scratch / "first", scratch / "moved"
    run("cmake", "--install", build, "--prefix", first, "--component", "devel")
    check_no_absolute_paths(first, (first, options.source, options.build))
    shutil.move(first, prefix)
    libdir = next(prefix.rglob("pkgconfig")).parent
    environment = {"LD_LIBRARY_PATH": str(libdir)} if options.shared else {}

    consumer = scratch / "consumer"
    consumer.mkdir()
    example = consumer / "example.c"
    document = options.source / "docs" / "embedding.md"
    c_examples = examples_of(document, "c")
    example.write_text(c_examples[0])
    config = (libdir / "cmake/intsam/intsam-config-version.cmake").read_text(encoding="utf-8")
    version = re.search(r'set\(PACKAGE_VERSION "([\d.]+)"\)', config).group(1)
    (consumer / "CMakeLists.txt").write_text(CONSUMER.format(version=version))

    # Toolchain files confine the search of packages to the target's folders, so there the place itself is given.
    place = f"-Dintsam_DIR={libdir}/cmake/intsam" if options.toolchain else f"-DCMAKE_PREFIX_PATH={prefix}"
    run("cmake", "-S", consumer, "-B", consumer / "build", "-G", "Ninja", place, *compilers(options))
    run("cmake", "--build", consumer / "build")
    check_runs(consumer / "build" / f"example{options.suffix}", options, scratch, environment, True)
    print("install_test: find_package: builds and runs")

    pc = run("pkg-config", "--cflags", "--libs", "intsam", env={"PKG_CONFIG_PATH": str(libdir / "pkgconfig")}).stdout.split()
    cxx = [options.cxx, "-std=c++17", *STRICT[1:]]
    for compiler, language, examples in (([options.cc, *STRICT], "c", c_examples),
                                         (cxx, "cpp", examples_of(document, "cpp"))):
        for number, text in enumerate(examples):
            source = scratch / f"{language}_{number}.{language}"
            source.write_text(text)
            program = scratch / f"{language}_{number}{options.suffix}"
            run(*compiler, *shlex.split(options.flags), source, "-o", program, *pc, *shlex.split(options.link_flags))
            check_runs(program, options, scratch, environment, (language, number) == ("c", 0))
        print(f"install_test: pkg-config, {language}: {len(examples)} build and run")


def self_test(scratch):
    """examples_of() must refuse a long example and a document without one."""
    document = scratch / "document.md"
    for text in ("```c\nint x;\n```\n", "```c\nint main(void) {\n" + "\n" * MAX_LINES + "}\n```\n"):
        document.write_text(text)
        try:
            examples_of(document, "c")
        except Failure:
            continue
        raise Failure("self-test: a bad example was accepted")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", type=pathlib.Path, required=True)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--model", type=pathlib.Path)
    parser.add_argument("--shared", action="store_true")
    for name, default in (("--cc", "cc"), ("--cxx", "c++"), ("--nm", "nm"), ("--objdump", "objdump"), ("--toolchain", ""),
                          ("--link-flags", ""), ("--suffix", "")):
        parser.add_argument(name, default=default)
    parser.add_argument("--emulator", default="", type=lambda words: tuple(filter(None, words.split(";"))))
    parser.add_argument("--flags", default="", help="what the library was compiled with, sanitizers for instance")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as scratch:
            self_test(pathlib.Path(scratch))
            test(options, pathlib.Path(scratch))
    except Failure as failure:
        print(f"install_test: {failure}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
