"""Which instructions compute with real numbers, for every instruction set that libintsam is built for. Moves, loads,
stores, shuffles and bitwise operations do not, whatever the type in their name.
"""
import re

PREFIXES = ("lock", "rep", "repz", "repnz", "notrack", "bnd", "data16")

# x86: a name ending in a real-number type (ss, sd, ps, pd, sh, ph) computes, unless it begins like one of these.
X86_REAL = re.compile(r"(?:ss|sd|ps|pd|sh|ph)$")
X86_TILES = re.compile(r"^tdpb[su][su]d$")  # AMX products of bytes; those of reals end in ps
X86_MOVES = ("mov", "and", "or", "xor", "shuf", "unpck", "blend", "broadcast", "extract", "insert", "maskmov",
             "compress", "expand", "gather", "scatter", "clflush")


def x86(mnemonic):
    base = mnemonic[1:] if mnemonic.startswith("v") else mnemonic
    if base.startswith("f"):  # x87, and fused multiply-add
        return True
    if base.startswith("cvt"):
        return True
    if base.startswith("p"):  # the integer vector instructions (pabsd, pmaxsd, pdpbusd) and permutations
        return False
    return bool(X86_REAL.search(base)) and not base.startswith(X86_MOVES) and not X86_TILES.match(base)


# The others: what matches computes.
#   AArch64: f... but fmov, conversions, bf16; bfi, bfxil, bfc and bfm are bit fields.
#   ARM: a type of reals in the name, but for vmov; its other moves (vldr, vstr, vpush, vmrs) carry none.
#   RISC-V: f... but fence, moves between registers, loads, stores and the status register; of vectors vf... and vmf...
#   WebAssembly: everything about f32 and f64, moves included, and the conversions to integers. But select has one
#     opcode whatever it chooses from, which LLVM shows as f32.select.
RULES = {
    "aarch64": re.compile(r"^(?:f(?!mov$)|[su]cvtf$|bf(?!i$|xil$|c$|m$))"),
    "arm": re.compile(r"^v(?!mov\.)\w+(?:\.\w+)*\.(?:bf|f)\d\d"),
    "riscv": re.compile(r"^(?:f(?!ence|mv\.[xwd]|ld$|lw$|sd$|sw$|[rs]?csr|[rs]flags|rrm|srm)|v(?:f(?!irst|mv)|mf))"),
    "wasm": re.compile(r"^(?:f(?:32|64)(?!\.select)|[iv]\d+(?:x\d+)?\.(?:trunc|reinterpret))"),
}
FORMATS = (("x86", r"elf64-x86-64|elf32-i386"), ("aarch64", r"elf64-littleaarch64"), ("arm", r"elf32-littlearm"),
           ("riscv", r"elf64-littleriscv"), ("wasm", r"wasm"))

# What fills the tables of kernels runs on every CPU, also those that cannot run the kernels: no instruction there is
# beyond the baseline. On x86 those all begin with v.
BASELINE_FUNCTION = re.compile(r"\dFill[A-Z]\w*Kernels")


def beyond_baseline(computes, function, mnemonic):
    return computes is x86 and bool(BASELINE_FUNCTION.search(function)) and mnemonic.startswith("v")


# Per instruction set: the name of its format, mnemonics that must be found, mnemonics that must not.
CANARIES = {
    "x86": ("elf64-x86-64",
            "vmulps cvttss2si flds vfmadd231ps addsd comiss tdpbf16ps vaddps",
            "vmovaps vpabsd vpdpbusd stos xorps vpmaxsd vshufps push imul tdpbusd vmovdqu8 vpmovqd kmovd"),
    "aarch64": ("elf64-littleaarch64",
                "fmul fcvtzs scvtf ucvtf fadd fcmp bfmmla bfdot fcsel fmla",
                "fmov bfi bfxil bfc smull sdot smmla ldr dup udiv b.gt sqrdmulh"),
    "arm": ("elf32-littlearm",
            "vmul.f32 vcvt.s32.f32 vcvt.f64.s32 vcmp.f64 vadd.f32 vcvtr.s32.f32 vnmul.f64 vdot.bf16 vmaxnm.f32",
            "vmov.f32 vldr vpush vmrs vmov.32 bfi vmull.s8 vqrdmulh.s32 vadd.i32 smull bl"),
    "riscv": ("elf64-littleriscv",
              "fmul.s fcvt.w.s fcvt.d.l flt.d fmadd.d fsgnj.s fclass.d vfmul.vv vmfeq.vv fsqrt.d",
              "fence fence.i fmv.x.w fmv.d.x fld fsd frcsr mulw sraiw vmul.vv vfirst.m sext.w"),
    "wasm": ("wasm",
             "f32.mul f64.convert_i32_s i32.trunc_f32_s i32.trunc_sat_f64_u i64.reinterpret_f64 f32x4.add f64.load",
             "local.get i32.mul i64.shr_s i32.load8_u i64.extend_i32_s i16x8.extmul_low_i8x16_s v128.load f32.select end"),
}


def rule_of(text):
    """The instruction set of a disassembly, and its question: does an instruction of this name compute with reals?"""
    for name, pattern in FORMATS:
        if re.search(rf"file format (?:{pattern})\b", text):
            return x86 if name == "x86" else lambda mnemonic: bool(RULES[name].match(mnemonic))
    return None


def findings(name, text):
    """What computes with reals, or runs where it cannot, in the output of objdump -d, and how many instructions that
    holds."""
    computes = rule_of(text)
    if computes is None:
        return [f"{name}: objdump names no known format"], 0
    function, seen, count = "?", {}, 0
    for line in text.splitlines():
        if line.endswith(">:"):
            function = line.split("<", 1)[1][:-2]
        fields = line.split("\t")
        if len(fields) < 2 or not re.match(r"^\s*[0-9a-f]+:\s*$", fields[0]):
            continue
        words = [word for word in " ".join(fields[1:]).split() if word not in PREFIXES]
        count += 1
        if words and (computes(words[0]) or beyond_baseline(computes, function, words[0])):
            seen[function, words[0]] = seen.get((function, words[0]), 0) + 1
    return [f"{name}: {function}: {times} x {mnemonic}" for (function, mnemonic), times in seen.items()], count


def self_test():
    for name, (file_format, bad, good) in CANARIES.items():
        for mnemonics, expected in ((bad.split(), len(bad.split())), (good.split(), 0)):
            lines = [f"   {address}:\tlock {name}\toperands" for address, name in enumerate(mnemonics)]
            text = "\n".join([f"x.o:     file format {file_format}", "0000000000000000 <F>:", *lines])
            found, count = findings("canary", text)
            if len(found) != expected or count != len(mnemonics):
                return [f"self-test of {name}: {len(found)} findings instead of {expected}: {found}"]
    for function, expected in (("_ZN6intsam11FillGemmAvxERNS_7KernelsE", 1), ("_ZN6intsam8GemmFillERNS_7KernelsE", 0)):
        text = f"x.o: file format elf64-x86-64\n0 <{function}>:\n   0:\tvmovdqu64 %zmm0,(%rdi)\n   1:\tmov %rax,(%rdi)"
        if len(findings("canary", text)[0]) != expected:
            return [f"self-test: {function} with a vector instruction: not {expected} findings"]
    return [] if findings("canary", "no format here")[0] else ["self-test: an unknown format passed"]
