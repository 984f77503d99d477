"""Who may include whom. Reads the #include lines of every source against a table of allowed edges, and keeps foreign
packages, intrinsics and real-number headers out of the folders that must not know them.
"""
import re

import lint

# Layer of a file: the longest folder of this table that holds it. Value: the layers it may include besides itself.
ALLOWED = {
    "kernels/numerics": (),
    "kernels": ("kernels/numerics",),  # kernels.h, tiers
    "kernels/isa": ("kernels", "kernels/numerics"),
    "kernels/gemm": ("kernels", "kernels/numerics", "kernels/isa"),
    "kernels/nn": ("kernels", "kernels/numerics", "kernels/isa", "kernels/gemm"),
    "runtime/include": (),
    "runtime/base": (),
    "runtime/sam": ("runtime/base",),
    "runtime/image": ("runtime/base", "kernels/numerics"),
    "runtime/records": ("runtime/base", "kernels", "kernels/numerics"),
    "runtime/ops": ("runtime/base", "runtime/records", "kernels", "kernels/numerics"),
    "runtime/encoder": ("runtime/base", "runtime/sam", "runtime/image", "runtime/records", "runtime/ops", "kernels",
                        "kernels/numerics"),
    "runtime/format": ("runtime/base", "runtime/sam", "runtime/records", "runtime/encoder", "kernels",
                       "kernels/numerics"),
    "runtime/exec": ("runtime/base", "runtime/sam", "runtime/image", "runtime/records", "runtime/ops",
                     "runtime/encoder", "runtime/format", "kernels", "kernels/numerics"),
    "runtime/everything": ("runtime/base", "runtime/sam", "runtime/format", "runtime/image", "runtime/exec", "kernels",
                           "kernels/numerics"),
    "runtime/api": ("runtime/include", "runtime/base", "runtime/sam", "runtime/format", "runtime/image", "runtime/exec",
                    "runtime/everything", "kernels", "kernels/numerics"),
}
_CORE = tuple(layer for layer in ALLOWED if layer not in ("kernels/isa", "kernels/gemm", "kernels/nn"))
ALLOWED["files"] = ("runtime/base",)
ALLOWED["converter"] = _CORE + ("files",)
ALLOWED["bindings"] = ("runtime/include",)
ALLOWED["apps"] = _CORE + ("files", "converter")
ALLOWED["tests"] = _CORE + ("files", "converter", "apps")

# Angled includes: what may not be named where. Tests may name everything.
FOREIGN = re.compile(r"^(oneapi/|dnnl|xnnpack|pthreadpool|stb|cxxopts|nlohmann/|gtest|gmock|benchmark/|opencv)")
INTRINSICS = re.compile(r"^(immintrin|x86intrin|[a-z]mmintrin|nmmintrin|arm_neon|arm_acle)\.h$")
REALS = re.compile(r"^(cmath|math\.h|cfloat|float\.h|complex|random|iostream|numbers)$")

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def layer_of(path):
    best = ""
    for folder in ALLOWED:
        if path.startswith(folder + "/") and len(folder) > len(best):
            best = folder
    return best


def check(root):
    findings = []
    sources = lint.files(root)
    for path in sources:
        layer = layer_of(path)
        if not layer:
            findings.append(f"{path}: belongs to no layer of the table in tests/lint/layers.py")
            continue
        text = lint.strip_comments((root / path).read_text(encoding="utf-8"), strings=False)
        for quoted, angled in INCLUDE.findall(text):
            name = quoted or angled
            if name.startswith("intsam/"):  # the public headers, by their installed name
                target = "runtime/include"
            elif quoted:
                target = layer_of(name)
                if not (root / name).is_file():
                    findings.append(f'{path}: includes "{name}", which is no path from the root of the repository')
                    continue
            else:
                core = layer.startswith(("runtime", "kernels"))
                if core and FOREIGN.match(name):
                    findings.append(f"{path}: <{name}>: libintsam links no package")
                elif core and REALS.match(name):
                    findings.append(f"{path}: <{name}>: no real numbers and no streams in libintsam")
                elif layer.startswith("runtime") and INTRINSICS.match(name):
                    findings.append(f"{path}: <{name}>: intrinsics belong in kernels/")
                continue
            if target != layer and target not in ALLOWED[layer]:
                findings.append(f'{path}: {layer} may not include {target} ("{name}")')
    return findings


def self_test(scratch):
    lint.write(scratch, "runtime/base/good.h", "#include <vector>\n")
    lint.write(scratch, "converter/fp32/good.cc", '#include "runtime/base/good.h"\n#include <cmath>\n')
    assert check(scratch) == [], "self-test: flags a good tree"
    lint.write(scratch, "runtime/base/up.cc", '#include "converter/fp32/good.cc"\n')
    lint.write(scratch, "kernels/gemm/up.cc", '  #  include "runtime/base/good.h"\n')
    lint.write(scratch, "kernels/nn/good.h", '#include "kernels/gemm/up.cc"\n')
    lint.write(scratch, "kernels/gemm/back.cc", '#include "kernels/nn/good.h"\n')
    lint.write(scratch, "runtime/api/third.cc", "#include <stb_image.h>\n#include <cmath>\n#include <immintrin.h>\n")
    lint.write(scratch, "converter/lost.cc", '#include "nowhere.h"\n')
    lint.write(scratch, "apps/main.cc", '#include "converter/lost.cc"\n')
    lint.write(scratch, "converter/upwards.cc", '#include "apps/main.cc"\n')
    lint.write(scratch, "runtime/attic/old.cc", "int x;\n")
    findings = check(scratch)
    lint.expect(findings, "runtime/base/up.cc", "may not include converter")
    lint.expect(findings, "kernels/gemm/up.cc", "may not include runtime/base")
    lint.expect(findings, "kernels/gemm/back.cc", "may not include kernels/nn")
    lint.expect(findings, "stb_image.h", "links no package")
    lint.expect(findings, "cmath", "no real numbers")
    lint.expect(findings, "immintrin.h", "belong in kernels/")
    lint.expect(findings, "lost.cc", "no path")
    lint.expect(findings, "converter/upwards.cc", "may not include apps")
    lint.expect(findings, "runtime/attic/old.cc", "no layer")
    assert not any("kernels/nn/good.h:" in finding for finding in findings), "self-test: flags nn including gemm"
    assert not any("apps/main.cc:" in finding for finding in findings), "self-test: flags apps including the converter"


if __name__ == "__main__":
    lint.main("layers", check, self_test)
