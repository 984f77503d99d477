"""Words that may not occur: in libintsam printing, aborting, throwing, asserting and plain `new`; real-number types and
literals (comments included for the types); anywhere left-over markers and paths of somebody's machine.
"""
import re

import lint

# (what the finding says, pattern, folders where it is allowed). On code without comments and strings.
CORE_RULES = [
    ("assert: errors are values", re.compile(r"(?<!static_)\bassert\s*\("), ()),
    ("printing: the library never prints", re.compile(r"\bv?f?printf\s*\(|\b(?:f?puts|putchar|perror)\s*\(|std::(?:cout|cerr|clog)\b"), ()),
    ("ending the process: the library returns a Status", re.compile(r"\b(?:abort|exit|_Exit|quick_exit|terminate)\s*\("), ()),
    ("throw: errors are values", re.compile(r"\bthrow\b"), ()),
    ("new: allocate through containers or runtime/base", re.compile(r"(?<!operator )\bnew\b"), ("runtime/base/", "runtime/api/")),
    ("malloc: allocate through containers or runtime/base", re.compile(r"\b(?:malloc|calloc|realloc)\s*\("), ("runtime/base/",)),
    ("real-number literal", re.compile(r"(?<![\w.])(?:\d[\d']*\.\d*|\.\d+|\d+(?=[eE][+-]?\d))(?:[eE][+-]?\d+)?[fFlL]?\b"), ()),
]
# nlohmann-json has made a null that becomes an object by [] or an array by push_back half of one by the time it
# allocates: where memory runs out then, its destructor ends the process.
UNDECIDED_JSON = re.compile(r"\b(?:Json|ordered_json)\s+\w+;")
REAL_TYPES = re.compile(r"\b(?:float|double)\b")
# Spelled in pieces, so that this file does not find itself.
MARKERS = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:wo" + r"rk|ho" + r"me|fa" + r"rm|ro" + r"ot|tmp/bash_" + r"jobs)/")
TEXT = lint.CODE + lint.SCRIPTS + ("CMakeLists.txt", ".md", ".json", ".in", ".map", "run")


def lines_matching(text, pattern):
    return [text.count("\n", 0, match.start()) + 1 for match in pattern.finditer(text)]


def check(root):
    findings = []
    for path in lint.files(root, ("kernels", "runtime")):
        text = (root / path).read_text(encoding="utf-8")
        findings += [f"{path}:{line}: the word float or double, which has no place here, not even in a comment"
                     for line in lines_matching(text, REAL_TYPES)]
        code = lint.strip_comments(text)
        for message, pattern, allowed in CORE_RULES:
            if not path.startswith(allowed or ("\0",)):
                findings += [f"{path}:{line}: {message}" for line in lines_matching(code, pattern)]
    for path in lint.files(root, ("apps", "converter")):
        code = lint.strip_comments((root / path).read_text(encoding="utf-8"))
        findings += [f"{path}:{line}: JSON that is neither an object nor an array yet: = Json::object()"
                     for line in lines_matching(code, UNDECIDED_JSON)]
    everything = lint.files(root, suffixes=TEXT)
    everything += [name for name in ("README.md", "CMakeLists.txt", "CMakePresets.json") if (root / name).is_file()]
    for path in everything:
        text = (root / path).read_text(encoding="utf-8")
        findings += [f"{path}:{line}: left-over marker" for line in lines_matching(text, MARKERS)]
        findings += [f"{path}:{line}: path of a machine" for line in lines_matching(text, MACHINE_PATHS)]
    return findings


def self_test(scratch):
    lint.write(scratch, "runtime/base/good.cc",
               "// prints nothing, throws nothing; 1.5 in a comment\n"
               'const char* s = "printf( 2.5 new"; int x = 0x1e5 + 1\'000 + a.b; auto* p = new int; static_assert(true);\n'
               "int n = snprintf(0, 0, s); void* operator new(unsigned long); for (auto [k, v] : m3.e5) {}\n")
    assert check(scratch) == [], f"self-test: flags a good file: {check(scratch)}"
    lint.write(scratch, "apps/good.cc", "Json json = Json::object();\nJson Report(Json json);\n")
    assert check(scratch) == [], f"self-test: flags a good file: {check(scratch)}"
    lint.write(scratch, "apps/bad.cc", "int ok;\n  Json json;\n")
    lint.expect(check(scratch), "apps/bad.cc:2:")
    bad = ["assert (x);", "std::fprintf(f, 0);", "std::cerr << 1;", "std::abort();", "throw 1;", "new int;", "malloc (4);",
           "x = 1.5;", "x = .5f;", "x = 1e-6;", "// a fl" + "oat", "doub" + "le x;", "// TO" + "DO: later", '"/wo' + 'rk/main"']
    for number, line in enumerate(bad):
        lint.write(scratch, f"kernels/nn/bad{number}.cc", f"int ok;\n{line}\n")
        lint.expect(check(scratch), f"bad{number}.cc:2:")


if __name__ == "__main__":
    lint.main("tokens", check, self_test)
