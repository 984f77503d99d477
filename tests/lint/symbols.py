"""What a built libintsam needs and shows, read with nm and objdump (of another target: their names come last).

  symbols.py static LIBRARY.a [NM OBJDUMP]
                                 calls into no package (oneDNN, XNNPACK, stb, JSON, options, tests), and defines only
                                 intsam_*, members of such types, and names inside namespace intsam or the C++
                                 library's templates
  symbols.py shared LIBRARY.so [NM OBJDUMP]
                                 exports exactly the C API, intsam_*, and needs no package
"""
import re
import subprocess
import sys

PACKAGES = re.compile(r"dnnl|xnn_|pthreadpool|cpuinfo_|stbi|cxxopts|nlohmann|testing::|benchmark::|GOMP_|omp_get")
OURS = re.compile(r"^(?:intsam_\w+(?:::~?\w+\(.*\)(?: const)?)?|(?:(?:vtable|typeinfo(?: name)?|guard variable|VTT|non-virtual thunk|TLS (?:init|wrapper) function) (?:for|to) )?intsam::.*)$")
CXX = re.compile(r"\bstd::|__gnu_cxx::|^operator (?:new|delete)|^DW\.ref\.|^__clang_call_terminate")


def symbols(text):
    """(type, demangled name) of each line of `nm -C` output."""
    for line in text.splitlines():
        match = re.match(r"^(?:[0-9a-f]+)?\s+([A-Za-z]) (.+)$", line)
        if match:
            yield match.group(1), match.group(2)


def static_findings(text):
    findings = []
    for kind, name in symbols(text):
        if kind in "Uw" and PACKAGES.search(name):
            findings.append(f"calls into a package: {name}")
        elif kind in "TDBRVWu" and not OURS.match(name) and not CXX.search(name) and "intsam::" not in name:
            findings.append(f"defines a name outside namespace intsam: {name}")
    return findings


def shared_findings(text, needed):
    findings = [f"exports {name}" for kind, name in symbols(text) if kind in "TDBRVWu" and not re.match(r"^intsam_\w+$", name)]
    if not any(re.match(r"^intsam_\w+$", name) for _, name in symbols(text)):
        findings.append("exports nothing of the C API")
    allowed = re.compile(r"^(?:libc|libm|libpthread|libstdc\+\+|libc\+\+|libgcc_s|ld-linux[\w-]*|libasan|libubsan|libtsan)\.so")
    return findings + [f"needs {name}" for name in needed if not allowed.match(name)]


def self_test():
    bad = "0 T intsam_open\n0 T intsam::Foo()\n0 W std::vector<int>::push_back(int)\n                 U memcpy\n"
    assert static_findings(bad) == []
    assert static_findings("0 T intsam_model::~intsam_model()\n") == []
    assert static_findings(bad + "                 U dnnl_sgemm\n") == ["calls into a package: dnnl_sgemm"]
    assert static_findings(bad + "0 T helper(int)\n") == ["defines a name outside namespace intsam: helper(int)"]
    assert shared_findings("0 T intsam_open\n", ["libc.so.6"]) == []
    assert shared_findings("0 T intsam_open\n0 W std::vector<int>::push_back(int)\n", []) != []
    assert shared_findings("", []) == ["exports nothing of the C API"]
    assert shared_findings("0 T intsam_open\n", ["libdnnl.so.2"]) == ["needs libdnnl.so.2"]


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def main(arguments):
    if len(arguments) not in (2, 4) or arguments[0] not in ("static", "shared"):
        print(__doc__)
        return 2
    self_test()
    kind, library = arguments[:2]
    nm, objdump = arguments[2:] or ("nm", "objdump")
    if kind == "static":
        listing = output(nm, "-C", "--quiet", library)
        findings = static_findings(listing) if listing.strip() else ["no symbols were read"]
    else:
        needed = re.findall(r"NEEDED\s+(\S+)", output(objdump, "-p", library))
        findings = shared_findings(output(nm, "-D", "-C", "--defined-only", library), needed)
    for finding in findings:
        print(f"symbols: {finding}")
    print(f"symbols: {len(findings)} findings in {library}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
