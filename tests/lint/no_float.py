"""libintsam computes with integers only, proved by the compiler and by its objects.

  no_float.py compile REPOSITORY COMPILER    every source without intrinsics compiles for the general registers alone
  no_float.py objects OBJDUMP OBJECT...      no instruction of the built objects computes with real numbers

`compile` uses -mgeneral-regs-only (an error at each use of a real number, x86-64 and aarch64 GCC) and then looks for
soft-float helpers and libm names among the undefined symbols, in case the compiler turned a use into a call.
`objects` allows moves, shuffles and bitwise operations on vector registers, whatever the type in their name.
Both begin with canaries that must fail and one that must pass.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import lint

INTRINSICS = re.compile(r'#[ \t]*include[ \t]*<(?:\w*intrin|arm_\w+)\.h>')
QUOTED = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)
TIER_NAME = re.compile(r"^kernels/.*_(?:sse|avx|amx|neon|i8mm|dotprod|simd)\w*\.cc$")  # only these may use intrinsics
HELPER = re.compile(
    r"^(?:__aeabi_[fd]\w*|__aeabi_\w*2[fd]|__(?:float|fix)\w*|__\w*[sdtx]f\d?|"
    r"(?:sin|cos|tan|exp|exp2|log|log2|log10|pow|sqrt|cbrt|floor|ceil|round|lround|rint|lrint|nearbyint|fma|fmod|erf|tanh|ldexp|frexp)[fl]?)$")

# x86: a name ending in a real-number type (ss, sd, ps, pd, sh, ph) computes, unless it begins like one of these.
X86_REAL = re.compile(r"(?:ss|sd|ps|pd|sh|ph)$")
X86_TILES = re.compile(r"^tdpb[su][su]d$")  # AMX products of bytes; those of reals end in ps
X86_MOVES = ("mov", "and", "or", "xor", "shuf", "unpck", "blend", "broadcast", "extract", "insert", "maskmov", "compress",
             "expand", "gather", "scatter", "clflush")
ARM_REAL = re.compile(r"^(?:f(?!mov$|ence)|[su]cvtf$|bf|v(?:add|sub|mul|mla|mls|div|cvt|sqrt|fma|neg|abs|cmp)\w*\.f)")


def computes_with_reals(mnemonic, arm):
    """Whether an instruction of this name does arithmetic (or conversion, or comparison) on real numbers."""
    if arm:
        return bool(ARM_REAL.match(mnemonic)) and not mnemonic.startswith(("bfi", "bfx", "bfm", "bfc"))
    base = mnemonic[1:] if mnemonic.startswith("v") else mnemonic
    if base.startswith("f"):  # x87, and fused multiply-add
        return True
    if base.startswith("cvt"):
        return True
    if base.startswith("p"):  # the integer vector instructions (pabsd, pmaxsd, pdpbusd) and permutations
        return False
    return bool(X86_REAL.search(base)) and not base.startswith(X86_MOVES) and not X86_TILES.match(base)


# ---------------------------------------------------------------- compile

def compile_general(compiler, include_root, source, scratch):
    """Findings for one source compiled without vector and real-number registers."""
    result = pathlib.Path(scratch) / (re.sub(r"\W", "_", str(source)) + ".o")
    command = [compiler, "-std=c++20", "-O0", "-mgeneral-regs-only", "-w", "-I", str(include_root),
               "-I", str(include_root / "runtime" / "include"), "-c", str(source), "-o", str(result)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if "error" in line] or ["the compiler failed"]
        return [f"{source}: does not compile with -mgeneral-regs-only: {errors[0]}"]
    undefined = subprocess.run(["nm", "-u", str(result)], capture_output=True, text=True, check=True).stdout.split()
    return [f"{source}: calls {name}" for name in undefined if HELPER.match(name)]


def uses_intrinsics(root, path, seen=()):
    """Whether the file includes an intrinsics header, by itself or through the repository's headers."""
    if path in seen or not (root / path).is_file():
        return False
    text = (root / path).read_text(encoding="utf-8")
    return bool(INTRINSICS.search(text)) or any(uses_intrinsics(root, name, (*seen, path)) for name in QUOTED.findall(text))


def check_compile(root, compiler):
    sources, misplaced = [], []
    for path in lint.files(root, ("kernels", "runtime"), (".cc",)):
        if not uses_intrinsics(root, path):
            sources.append(root / path)
        elif not TIER_NAME.match(path):
            misplaced.append(f"{path}: intrinsics in a source that is not named after a tier")
    with tempfile.TemporaryDirectory() as scratch:
        canary = pathlib.Path(scratch) / "canary.cc"
        canary.write_text("int Canary(int x) { return static_cast<int>(x * 0.5f); }\n")
        if not compile_general(compiler, root, canary, scratch):
            return ["the canary x * 0.5f passed: this compiler proves nothing"]
        canary.write_text("#include <string>\n#include <vector>\nint Canary(int x) { return std::vector<int>(3, x)[1] / 2; }\n")
        broken = compile_general(compiler, root, canary, scratch)
        if broken:
            return [f"the clean canary failed: {broken[0]}"]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            results = list(pool.map(lambda source: compile_general(compiler, root, source, scratch), sources))
    print(f"no_float: {len(sources)} sources compiled with -mgeneral-regs-only")
    return misplaced + [finding for result in results for finding in result] + ([] if sources else ["found no sources"])


# ---------------------------------------------------------------- objects

def disassembly_findings(name, text):
    arm = bool(re.search(r"file format elf\d+-little(?:aarch64|arm)", text))
    function, seen, count = "?", {}, 0
    for line in text.splitlines():
        if line.endswith(">:"):
            function = line.split("<", 1)[1][:-2]
        fields = line.split("\t")
        if len(fields) < 2 or not re.match(r"^\s*[0-9a-f]+:$", fields[0]):
            continue
        words = [word for word in fields[1].split() if word not in ("lock", "rep", "repz", "repnz", "notrack", "bnd", "data16")]
        count += 1
        if words and computes_with_reals(words[0], arm):
            seen.setdefault((function, words[0]), 0)
            seen[function, words[0]] += 1
    return [f"{name}: {function}: {times} x {mnemonic}" for (function, mnemonic), times in seen.items()], count


def listing(instructions):
    lines = [f"   {address}:\t{text}" for address, text in enumerate(instructions)]
    return "\n".join(["x.o:     file format elf64-x86-64", "0000000000000000 <F>:"] + lines)


def check_objects(objdump, objects):
    bad = ["vmulps %ymm0,%ymm1,%ymm2", "cvttss2si %xmm0,%eax", "flds (%rax)", "vfmadd231ps %ymm0,%ymm1,%ymm2", "addsd %xmm0,%xmm1",
           "comiss %xmm0,%xmm1", "tdpbf16ps %tmm0,%tmm1,%tmm2", "vaddps %zmm0,%zmm1,%zmm2{%k1}"]
    good = ["vmovaps %ymm0,%ymm1", "vpabsd %ymm0,%ymm1", "vpdpbusd %zmm0,%zmm1,%zmm2", "rep stos %al,(%rdi)", "xorps %xmm0,%xmm0",
            "vpmaxsd %ymm0,%ymm1,%ymm2", "vshufps $0,%xmm0,%xmm0,%xmm0", "push %rax", "imul %eax,%eax",
            "tdpbusd %tmm0,%tmm1,%tmm2", "vmovdqu8 %ymm0,(%rax){%k1}", "vpmovqd %zmm0,%ymm0", "kmovd %eax,%k1"]
    if len(disassembly_findings("canary", listing(bad))[0]) != len(bad):
        return ["self-test: a real-number instruction passed"]
    if disassembly_findings("canary", listing(good))[0]:
        return ["self-test: an integer instruction was flagged"]
    findings, total = [], 0
    for name in objects:
        command = [objdump, "-d", "--no-show-raw-insn", name]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        found, count = disassembly_findings(pathlib.Path(name).name, text)
        findings += found
        total += count
    print(f"no_float: {len(objects)} objects, {total} instructions")
    return findings if total else ["no instruction was read"]


def main(arguments):
    if len(arguments) == 3 and arguments[0] == "compile":
        findings = check_compile(pathlib.Path(arguments[1]).resolve(), arguments[2])
    elif len(arguments) >= 3 and arguments[0] == "objects":
        findings = check_objects(arguments[1], arguments[2:])
    else:
        print(__doc__)
        return 2
    for finding in findings:
        print(f"no_float: {finding}")
    print(f"no_float: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
