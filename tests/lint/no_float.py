"""libintsam computes with integers only, proved by the compiler and by its objects.

  no_float.py compile REPOSITORY COMPILER [NM]   every source without intrinsics compiles for the general registers
                                                 alone
  no_float.py objects OBJDUMP OBJECT...          no instruction of the built objects computes with real numbers
  no_float.py helpers COMPILER NM EMULATOR LIBRARY...
                                                 objects for an ARM without a floating-point unit call no soft-float
                                                 helper, and the CPU that EMULATOR (words separated by semicolons) plays
                                                 has no such unit, so that what runs there needs none

`compile` uses -mgeneral-regs-only (an error at each use of a real number, x86-64 and aarch64 GCC) and then looks for
soft-float helpers and libm names among the undefined symbols, in case the compiler turned a use into a call.
`objects` allows moves, shuffles and bitwise operations on vector registers, whatever the type in their name; for which
instruction set, the disassembly says. All begin with canaries that must fail and one that must pass.
"""
import concurrent.futures
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

import disassembly
import lint

INTRINSICS = re.compile(r'#[ \t]*include[ \t]*<(?:\w*intrin|arm_\w+)\.h>')
QUOTED = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)
TIER_NAME = re.compile(r"^kernels/.*_(?:sse|avx|amx|neon|i8mm|dotprod|simd)\w*\.cc$")  # only these may use intrinsics
HELPER = re.compile(
    r"^(?:__aeabi_[fd]\w*|__aeabi_\w*2[fd]|__(?:float|fix)\w*|__\w*[sdtx]f\d?|"
    r"(?:sin|cos|tan|exp|exp2|log|log2|log10|pow|sqrt|cbrt|floor|ceil|round|lround|rint|lrint|nearbyint|fma|fmod|erf|tanh|ldexp|frexp)[fl]?)$")


def helper_calls(nm, path):
    undefined = subprocess.run([nm, "-u", str(path)], capture_output=True, text=True, check=True).stdout.split()
    return sorted({name for name in undefined if HELPER.match(name)})


# ---------------------------------------------------------------- compile

def compile_general(compiler, nm, include_root, source, scratch):
    """Findings for one source compiled without vector and real-number registers."""
    result = pathlib.Path(scratch) / (re.sub(r"\W", "_", str(source)) + ".o")
    command = [compiler, "-std=c++20", "-O0", "-mgeneral-regs-only", "-w", "-I", str(include_root),
               "-I", str(include_root / "runtime" / "include"), "-c", str(source), "-o", str(result)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if "error" in line] or ["the compiler failed"]
        return [f"{source}: does not compile with -mgeneral-regs-only: {errors[0]}"]
    return [f"{source}: calls {name}" for name in helper_calls(nm, result)]


def uses_intrinsics(root, path, seen=()):
    """Whether the file includes an intrinsics header, by itself or through the repository's headers."""
    if path in seen or not (root / path).is_file():
        return False
    text = (root / path).read_text(encoding="utf-8")
    return bool(INTRINSICS.search(text)) or any(uses_intrinsics(root, name, (*seen, path)) for name in QUOTED.findall(text))


def check_compile(root, compiler, nm):
    sources, misplaced = [], []
    for path in lint.files(root, ("kernels", "runtime"), (".cc",)):
        if not uses_intrinsics(root, path):
            sources.append(root / path)
        elif not TIER_NAME.match(path):
            misplaced.append(f"{path}: intrinsics in a source that is not named after a tier")
    with tempfile.TemporaryDirectory() as scratch:
        canary = pathlib.Path(scratch) / "canary.cc"
        canary.write_text("int Canary(int x) { return static_cast<int>(x * 0.5f); }\n")
        if not compile_general(compiler, nm, root, canary, scratch):
            return ["the canary x * 0.5f passed: this compiler proves nothing"]
        canary.write_text("#include <string>\n#include <vector>\nint Canary(int x) { return std::vector<int>(3, x)[1] / 2; }\n")
        broken = compile_general(compiler, nm, root, canary, scratch)
        if broken:
            return [f"the clean canary failed: {broken[0]}"]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            results = list(pool.map(lambda source: compile_general(compiler, nm, root, source, scratch), sources))
    print(f"no_float: {len(sources)} sources compiled with -mgeneral-regs-only")
    return misplaced + [finding for result in results for finding in result] + ([] if sources else ["found no sources"])


# ---------------------------------------------------------------- objects

def check_objects(objdump, objects):
    broken = disassembly.self_test()
    if broken:
        return broken
    findings, total = [], 0
    for name in objects:
        command = [objdump, "-d", "--no-show-raw-insn", name]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        found, count = disassembly.findings(pathlib.Path(name).name, text)
        findings += found
        total += count
    print(f"no_float: {len(objects)} objects, {total} instructions")
    return findings if total else ["no instruction was read"]


# ---------------------------------------------------------------- helpers

def check_helpers(compiler, nm, emulator, libraries):
    with tempfile.TemporaryDirectory() as scratch:
        source, program = pathlib.Path(scratch) / "canary.cc", pathlib.Path(scratch) / "canary"

        def build(text, *flags):
            source.write_text(text)
            subprocess.run([compiler, "-O2", *flags, str(source), "-o", str(program)], check=True)

        build("int Canary(int x) { return static_cast<int>(x * 0.5f); }\n", "-c")
        if not helper_calls(nm, program):
            return ["the canary x * 0.5f calls no helper: this target proves nothing"]
        for text, flags, expected in (("int main() { return 0; }\n", (), 0),
                                      ("int main(int argc, char**) { return static_cast<int>(argc * 0.5f); }\n",
                                       ("-mfpu=vfp", "-mfloat-abi=softfp"), -signal.SIGILL)):
            build(text, *flags)
            status = subprocess.run([*emulator, str(program)], capture_output=True, check=False).returncode
            if status != expected:
                return [f"the emulated CPU: exit status {status} of the program {text.strip()}, not {expected}"]
    print(f"no_float: the emulated CPU has no floating-point unit; {len(libraries)} libraries")
    return [f"{library}: calls {name}" for library in libraries for name in helper_calls(nm, library)]


def main(arguments):
    if len(arguments) in (3, 4) and arguments[0] == "compile":
        findings = check_compile(pathlib.Path(arguments[1]).resolve(), *arguments[2:], *["nm"][len(arguments) - 3:])
    elif len(arguments) >= 3 and arguments[0] == "objects":
        findings = check_objects(arguments[1], arguments[2:])
    elif len(arguments) >= 5 and arguments[0] == "helpers":
        findings = check_helpers(*arguments[1:3], arguments[3].split(";"), arguments[4:])
    else:
        print(__doc__)
        return 2
    for finding in findings:
        print(f"no_float: {finding}")
    print(f"no_float: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
