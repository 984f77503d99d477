"""A cost model of the ARM tiers, for machines without an ARM CPU: instructions and multiply-accumulates of each hot
kernel's inner loop, as compiled, and llvm-mca's cycles for it on several cores, beside what nothing but the tier's
multiplication would reach. Prints Markdown. Started by run.sh; docs/performance.md says what it can and cannot tell."""
import argparse
import dataclasses
import re
import sys

import loops
import mca

# ---------------------------------------------------------------- products


@dataclasses.dataclass(frozen=True)
class Product:
    label: str
    member: str    # object file
    function: str  # how its demangled name begins
    peak: str      # its multiplication; {d} is the register of the sums
    share: int = 1  # instructions' products for one of the kernel's: two where a probability is two codes


SMLAL8 = "smlal v{d}.8h, v30.8b, v31.8b"
SMLAL16 = "smlal v{d}.4s, v30.4h, v15.h[1]"
SDOT = "sdot v{d}.4s, v30.16b, v31.4b[1]"
SMMLA = "smmla v{d}.4s, v30.16b, v31.16b"
EXTENSION = {SMMLA: "i8mm"}  # of ARMv8.2 and later
PRODUCTS = [
    Product("neon: W8A8, W7A8, q k", "gemm_neon", "Tile<3, 2>", SMLAL8),
    Product("neon: W6A8", "gemm_neon", "Tile<3, 4>", SMLAL8),
    Product("neon: W6A6, W4A8, W4A4", "gemm_neon", "Tile<3, 0>", SMLAL8),
    Product("neon: W8A16", "gemm_neon", "WideRows<4>", SMLAL16),
    Product("neon: probabilities v", "attention_neon", "MixTile<4>", SMLAL16),
    Product("dotprod: any width, q k", "gemm_dotprod", "Tile<6>", SDOT),
    Product("dotprod: probabilities v", "gemm_dotprod", "Tile<6>", SDOT, 2),
    Product("i8mm: any width, q k", "gemm_i8mm", "Tile<3>", SMMLA),
    Product("i8mm: probabilities v", "gemm_i8mm", "Tile<3>", SMMLA, 2),
]


def tile(rows, columns, multiply, rows_each, columns_each, row_bytes, column_bytes):
    """The inner loop of a tile of rows x columns registers of sums as other libraries have it: loads of 16 bytes, then
    every product once. The registers' numbers only keep dependences true: sums from v0 on, operands above."""
    body, sums = [], rows * columns
    free = [register for register in range(31, -1, -1) if register >= min(sums, 24)]
    loads = (row_bytes + 15) // 16 + (column_bytes + 15) // 16
    body += [f"ldr\tq{free[i % len(free)]}, [x{1 if i < (row_bytes + 15) // 16 else 2}, #{16 * i}]" for i in range(loads)]
    for _ in range(rows_each * columns_each):
        body += [multiply.format(d=d) for d in range(sums)]
    return loops.Loop(body + ["add\tx1, x1, #64", "add\tx2, x2, #64", "subs\tx3, x3, #1"])


# Tiles whose shapes their sources and papers state. rows x columns in registers of sums.
OTHERS = [
    ("ruy-style SDOT, 8 x 8, 4 k a pass", tile(8, 2, "sdot\tv{d}.4s, v30.16b, v31.4b[1]", 1, 1, 32, 32), SDOT),
    ("XNNPACK-style SDOT, 4 x 16, 16 k a pass", tile(4, 4, "sdot\tv{d}.4s, v30.16b, v31.4b[1]", 2, 2, 64, 256), SDOT),
    ("KleidiAI-style SMMLA, 8 x 4, 32 k a pass", tile(4, 2, "smmla\tv{d}.4s, v30.16b, v31.16b", 2, 2, 256, 128), SMMLA),
    ("ruy-style SMULL, SMLAL, SADALP, 4 x 4, 16 k a pass",
     loops.Loop([f"ldr\tq{24 + i}, [x{1 + i // 4}, #{16 * i}]" for i in range(8)]
                + [text for s in range(16) for text in (f"smull\tv{16 + s % 8}.8h, v{24 + s // 4}.8b, v{28 + s % 4}.8b",
                                                        f"smlal2\tv{16 + s % 8}.8h, v{24 + s // 4}.16b, v{28 + s % 4}.16b",
                                                        f"sadalp\tv{s}.4s, v{16 + s % 8}.8h")]
                + ["add\tx1, x1, #64", "add\tx2, x2, #64", "subs\tx3, x3, #1"]), SMLAL8),
]

# ---------------------------------------------------------------- everything else


@dataclasses.dataclass(frozen=True)
class Elementwise:
    label: str
    member: str
    function: str
    marker: str    # an instruction of which a pass has one for every `lanes` elements
    lanes: int


ELEMENTWISE = [
    Elementwise("accumulators to codes", "epilogue_neon", "NeonRequantizeNarrow", "sqrdmulh", 8),
    Elementwise("accumulators to GELU to codes", "epilogue_neon", "NeonRequantizeGelu", "tbl", 8 / 3),
    Elementwise("accumulators to the residual stream", "epilogue_neon", "NeonRequantizeR24", "smull2", 4),
    Elementwise("LayerNorm to codes, second pass", "layer_norm_neon", "NeonLayerNormNarrow", "sqrdmulh", 8),
    Elementwise("softmax: exponentials and their sum", "softmax_neon", "NeonSoftmaxRow", "uadalp", 8),
    Elementwise("softmax: AGQ levels", "softmax_neon", "NeonSoftmaxRow", "tbl", 8),
    Elementwise("neon: depthwise 3x3 of codes", "depthwise_neon", "Depthwise<signed char", "smull", 16 / 5),
    Elementwise("dotprod: depthwise 3x3 of codes, stride 1", "depthwise_dotprod", "DotColumns, 1, 4>", "sdot", 4 / 3),
    Elementwise("dotprod: depthwise 3x3 of codes, stride 2", "depthwise_dotprod", "DotColumns, 2, 4>", "sdot", 4 / 3),
    Elementwise("neon: depthwise 3x3 of s16", "depthwise_neon", "Depthwise<short", "smlal", 16 / 18),
]


def find(found, member, function, key):
    """The innermost loop of a function with the most of what `key` counts, its tail loops having less."""
    candidates = [loop for (name, symbol), many in found.items() for loop in many
                  if name.startswith(member + ".") and re.search(rf"\b{re.escape(function)}", symbol)]
    best = max(candidates, key=key, default=None)
    if best is None or key(best) == 0:
        raise LookupError(f"{member}: no such loop in {function}")
    return best


# ---------------------------------------------------------------- SAM-B

# Multiply-accumulates of SAM-B's image encoder at 1024 x 1024: 12 blocks of 768 channels over 4096 tokens, 8 of them
# over 25 windows of 196 keys, 4 over all tokens; patch embedding and neck.
EMBED, TOKENS, NECK = 768, 4096, 256
LINEAR = 12 * TOKENS * 12 * EMBED * EMBED + TOKENS * EMBED * EMBED + TOKENS * NECK * (EMBED + 9 * NECK)
ATTENTION = 8 * TOKENS * 196 * EMBED + 4 * TOKENS * TOKENS * EMBED  # of q k, and again of probabilities v
ENCODERS = {
    "neon, W8A8": ("neon: W8A8, W7A8, q k", "neon: W8A8, W7A8, q k", "neon: probabilities v"),
    "neon, W6A6": ("neon: W6A6, W4A8, W4A4", "neon: W6A6, W4A8, W4A4", "neon: probabilities v"),
    "dotprod, any": ("dotprod: any width, q k", "dotprod: any width, q k", "dotprod: probabilities v"),
    "i8mm, any": ("i8mm: any width, q k", "i8mm: any width, q k", "i8mm: probabilities v"),
}


def markdown(header, rows):
    return "\n".join(["| " + " | ".join(row) + " |" for row in [header, ["---"] * len(header), *rows]])


def product_rows(tool, entries):
    """Rows of the table, and {label: {core: MAC per cycle}}; entries are (label, loop, peak instruction, share)."""
    rows, rates = [], {}
    for label, loop, instruction, share in entries:
        per_instruction = loops.macs(instruction.replace(" ", "\t", 1))
        rates[label], cells = {}, []
        for core, (model, extensions) in mca.CORES.items():
            if EXTENSION.get(instruction, "dotprod") not in extensions:
                cells.append("-")
                continue
            rate = loop.macs / share / mca.cycles(tool, loop.body, model)
            limit = mca.peak(tool, instruction, per_instruction, model) / share
            rates[label][core] = rate
            cells.append(f"{rate:.1f} of {limit:.0f} ({100 * rate / limit:.0f} %)")
        rows.append([label, str(len(loop.body)), f"{loop.macs / share / len(loop.body):.1f}", *cells])
    return rows, rates


def main():
    parser = argparse.ArgumentParser(prog="run.sh", description=__doc__)
    parser.add_argument("library", help="libintsam.a for aarch64")
    parser.add_argument("--objdump", default="aarch64-linux-gnu-objdump")
    options = parser.parse_args()
    tool = mca.tool()
    if tool is None:
        sys.exit("arm_model: llvm-mca is not here; on Debian: apt-get install llvm-19")
    found = loops.read(options.objdump, options.library)
    products = [(p.label, find(found, p.member, p.function, lambda loop: loop.macs), p.peak, p.share) for p in PRODUCTS]
    ours, rates = product_rows(tool, products)
    others, _ = product_rows(tool, [(label, loop, peak, 1) for label, loop, peak in OTHERS])
    print(f"Inner loops by llvm-mca {mca.version(tool)}; MAC per cycle, of what the multiplication alone would reach.\n")
    print(markdown(["inner loop", "instructions", "MAC per instruction", *mca.CORES], ours + others))

    rows = []
    for e in ELEMENTWISE:
        loop = find(found, e.member, e.function, lambda loop: loop.count(e.marker))
        elements = loop.count(e.marker) * e.lanes
        rows.append([e.label, f"{len(loop.body) / elements:.2f}",
                     *(f"{mca.cycles(tool, loop.body, model) / elements:.2f}" for model, _ in mca.CORES.values())])
    print("\nEverything else; per element.\n")
    print(markdown(["kernel", "instructions", *(f"cycles, {core}" for core in mca.CORES)], rows))

    rows = []
    for label, (linear, qk, pv) in ENCODERS.items():
        cycles = {core: LINEAR / rates[linear][core] + ATTENTION * (1 / rates[qk][core] + 1 / rates[pv][core])
                  for core in mca.CORES if core in rates[linear]}
        rows.append([label, *(f"{cycles[core] / 1e9:.1f}" if core in cycles else "-" for core in mca.CORES)])
    print(f"\nProducts of SAM-B's image encoder, {(LINEAR + 2 * ATTENTION) / 1e9:.0f} GMAC: 10^9 cycles of one core, "
          "memory and everything else not counted.\n")
    print(markdown(["tier, profile", *mca.CORES], rows))


if __name__ == "__main__":
    main()
