"""Cycles of a loop by llvm-mca's models of AArch64 cores."""
import re
import shutil
import subprocess

# What phones and boards have: the name, the model that LLVM schedules it with, the extensions it has. LLVM has no model of
# Cortex-A76 and X1, whose server variants are Neoverse N1 and V1 (X2 and V1 have i8mm, X1 does not); Apple's cores it
# models all alike, after an early one.
CORES = {
    "Cortex-A55": ("cortex-a55", {"dotprod"}),
    "Cortex-A510": ("cortex-a510", {"dotprod", "i8mm"}),
    "A76 / N1": ("neoverse-n1", {"dotprod"}),
    "X1, X2 / V1": ("neoverse-v1", {"dotprod", "i8mm"}),
    "Apple M1, M2": ("apple-m1", {"dotprod", "i8mm"}),
}
ITERATIONS = 200


def tool():
    """The newest llvm-mca there is. Before 18 it has no model of Neoverse N1 and V1."""
    for name in [f"llvm-mca-{version}" for version in range(30, 17, -1)] + ["llvm-mca"]:
        if shutil.which(name):
            return name
    return None


def version(mca):
    return re.search(r"LLVM version (\S+)", subprocess.run([mca, "--version"], capture_output=True, text=True).stdout)[1]


def cycles(mca, body, core):
    """Of one pass, once the pipelines are full. Branches are predicted and fuse with what sets them: left out."""
    # Targets of loads are what the disassembler makes of relocations and comments.
    text = "\n".join(line.split("//")[0].split("<")[0].replace("\t", " ") for line in body
                     if not re.match(r"^(?:b|cb|tb)[\w.]*\t", line))
    command = [mca, "-mtriple=aarch64-linux-gnu", f"-mcpu={core}", "-mattr=+dotprod,+i8mm", f"-iterations={ITERATIONS}",
               "-instruction-info=false", "-resource-pressure=false"]
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    match = re.search(r"Total Cycles:\s+(\d+)", done.stdout)
    if done.returncode or not match:
        raise RuntimeError(f"{mca}: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'no result'}")
    return int(match.group(1)) / ITERATIONS


def peak(mca, instruction, macs, core):
    """MAC per cycle of nothing but this multiplication, into twenty registers that do not wait for each other."""
    body = [instruction.format(d=d) for d in range(20)]
    return 20 * macs / cycles(mca, body, core)
