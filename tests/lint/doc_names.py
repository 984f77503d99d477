"""What Markdown files name exists: links and their anchors, files and folders, options of the tools, presets, tests of
the lint, functions and constants of the C API, CMake options and environment variables.

Looked at are links everywhere, intsam_* and INTSAM_* everywhere, and everything else in code (`...` and indented or
fenced blocks). What stands for many names, as in `epilogue_<tier>.cc`, `peak_*.cc` or `{reader,model}.cc`, must stand
for at least one.
"""
import itertools
import re

import lint

FOLDERS = ("runtime", "kernels", "converter", "apps", "bindings", "tests", "cmake", "toolchains", "models", "docs",
           ".ci", ".github")
SOURCES = lint.CODE + lint.SCRIPTS + ("CMakeLists.txt", "CMakePresets.json", "run", ".in", ".yml")
PATH = re.compile(r"(?<![\w./-])(?:%s)/[\w./*<>{},-]*" % "|".join(re.escape(folder) for folder in FOLDERS))
BARE_FILE = re.compile(r"(?<![\w./*<>{},-])[\w*<>]+\.(?:h|hpp|cc|py|sh|cmake|md)\b(?!/)")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^()\s]+)\)")
OPTION = re.compile(r"(?<![\w-])--([a-z][a-z0-9_-]*)")
# Programs of others: the options behind them are theirs.
FOREIGN = re.compile(r"(?:^|[\s(])(?:cmake|ctest|cc|c\+\+|g\+\+|gcc|clang\S*|git|gh|apt-get|pip|qemu\S*|node|pytest|adb|docker)\s")
FOREIGN_OPTIONS = {"benchmark_filter", "component", "minify", "parallel", "preset", "prefix", "output-junit"}
TOOL = re.compile(r"\bintsam-(%s)\b" % "|".join(("bench", "compare", "convert", "everything", "inspect", "segment")))


def slug(heading):
    """The anchor that GitHub gives a heading."""
    text = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading.strip()).lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors(text):
    return {slug(line.lstrip("#")) for line in text.splitlines() if line.startswith("#")}


def code_of(text):
    """(line number, code) of every code span and of every line of a code block."""
    fenced = False
    before = ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif fenced or (line.startswith("    ") and (not before.strip() or before.startswith("    "))):
            yield number, line
        else:
            for span in re.findall(r"`([^`]+)`", line):
                yield number, span
        before = line


def alternatives(name):
    """The names that one with {a,b} stands for; <...> stands for anything."""
    parts = re.split(r"\{([^{}]*)\}", re.sub(r"<[^<>]*>", "*", name))
    choices = [part.split(",") if i % 2 else [part] for i, part in enumerate(parts)]
    return ["".join(choice) for choice in itertools.product(*choices)]


class Repository:
    """What there is to be named."""

    def __init__(self, root):
        self.root = root
        paths = lint.files(root, FOLDERS, SOURCES) + lint.documents(root) + ["CMakeLists.txt", "CMakePresets.json"]
        self.text = {path: (root / path).read_text(encoding="utf-8") for path in paths
                     if not path.endswith(".md") and path != "tests/lint/doc_names.py" and (root / path).is_file()}
        self.base_names = {path.rsplit("/", 1)[-1] for path in paths}
        self.api = set(re.findall(r"\b(?:intsam|INTSAM)_\w+", self.joined("runtime/include/")))
        self.cmake = {word for path, text in self.text.items() if path.endswith((".cmake", ".txt", ".json", ".in"))
                      for word in re.findall(r"\b(?:intsam|INTSAM)_\w+", text)}
        self.environment = set(re.findall(r"(?:getenv\(|environ\S*[\[(]|\$\{?)\"?(INTSAM_\w+)", self.joined("")))
        self.lints = set(re.findall(r"NAME (lint\.[\w.]+)", self.joined("tests/")))
        self.lints |= {f"lint.{path.stem}" for path in (root / "tests/lint").glob("*.py")}
        self.presets = set(re.findall(r'"name": "([\w-]+)"', self.joined("CMakePresets.json")))

    def joined(self, folder):
        return "\n".join(text for path, text in sorted(self.text.items()) if path.startswith(folder))

    def has_path(self, name):
        return any((self.root / one).exists() or any(self.root.glob(one)) for one in alternatives(name.rstrip("/.,")))

    def has_file(self, name):
        pattern = re.compile(re.sub(r"\\\*|<[^<>]*>", lambda _: r"\w+", re.escape(name)))
        return any(pattern.fullmatch(base) for base in self.base_names)

    def has_option(self, option, tool):
        """An option of this tool, or of any program or script of the repository where no tool is named."""
        folders = ("apps/common/", f"apps/{tool}/") if tool else ("",)
        literal = re.compile(r'"(?:\w,)?%s[",]|--%s(?![\w-])' % (re.escape(option), re.escape(option)))
        return any(literal.search(self.joined(folder)) for folder in folders)


def check_links(repository, path, text):
    # What looks like a link in a block of code, `table[name](argument)`, is none.
    for target in LINK.findall(FENCED.sub("", text)):
        file, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        place = (repository.root / path).parent / file if file else repository.root / path
        if not place.exists():
            yield f"link to {target}, which does not exist"
        elif anchor and place.suffix == ".md" and anchor not in anchors(place.read_text(encoding="utf-8")):
            yield f"link to {target}: no such heading"


def check_code(repository, code):
    for name in PATH.findall(code):
        if not repository.has_path(name):
            yield f"the path {name}"
    for name in BARE_FILE.findall(code):
        if name == code and not repository.has_file(name):
            yield f"the file {name}"
    for name in re.findall(r"--preset[ =]([a-z][\w-]*)", code):
        if name not in repository.presets:
            yield f"the preset {name}"
    for name in re.findall(r"\blint\.[a-z_]\w*(?!\w|/|\.\w)", code):
        if name not in repository.lints:
            yield f"the test {name}"
    if not FOREIGN.search(code + " "):
        tool = TOOL.search(code)
        for option in OPTION.findall(code):
            if option not in FOREIGN_OPTIONS and not repository.has_option(option, tool.group(1) if tool else ""):
                yield f"the option --{option}" + (f" of {tool.group(0)}" if tool else "")


def check_words(repository, text):
    known = repository.api | repository.cmake | repository.environment
    for name in re.findall(r"(?<![\w/.-])(?:intsam|INTSAM)_\w*[<*]?", text):
        stem = name.rstrip("<*")
        if name != stem or stem.endswith("_"):
            if not any(word.startswith(stem) for word in known):
                yield f"{name}: nothing begins so"
        elif stem not in known:
            yield f"{stem}, which is neither of the C API nor an option nor read from the environment"


def check(root):
    repository = Repository(root)
    findings = []
    for path in lint.documents(root):
        text = (root / path).read_text(encoding="utf-8")
        findings += [f"{path}: {finding}" for finding in check_links(repository, path, text)]
        for number, line in enumerate(text.splitlines(), 1):
            findings += [f"{path}:{number}: {finding}" for finding in check_words(repository, line)]
        for number, code in code_of(text):
            findings += [f"{path}:{number}: {finding} does not exist" for finding in check_code(repository, code)]
    return findings


def self_test(scratch):
    lint.write(scratch, "CMakeLists.txt", 'option(INTSAM_WITH_TOOLS "Build the tools" ON)\n')
    lint.write(scratch, "CMakePresets.json", '{"configurePresets": [{"name": "release"}]}\n')
    lint.write(scratch, "runtime/include/intsam/intsam.h", "int intsam_open(void);\n")
    lint.write(scratch, "runtime/base/environment.cc", 'auto* x = getenv("INTSAM_TIER");\n')
    lint.write(scratch, "apps/segment/main.cc", '("o,output", "file")("point", "a point")\n')
    lint.write(scratch, "apps/bench/main.cc", '("rounds", "how many")\n')
    lint.write(scratch, "kernels/nn/softmax_avx2.cc", "\n")
    lint.write(scratch, "tests/lint/CMakeLists.txt", "add_test(NAME lint.words)\n")
    lint.write(scratch, "docs/good.md",
               "# A page: of `words`\n```\ntable[0](name)\n```\n[here](#a-page-of-words), [file](../CMakeLists.txt), [out](https://example.org/x#y)\n"
               "`intsam_open`, `intsam_*`, `INTSAM_TIER=x`, `-DINTSAM_WITH_TOOLS=OFF`, `cmake --build --preset release`\n"
               "`kernels/nn/softmax_<tier>.cc`, `runtime/{base,include}/`, `environment.cc`, `lint.words`, `build/x/y.cc`\n"
               "\n    intsam-segment --point 1,2 --output x\n    git log --oneline\n")
    assert check(scratch) == [], f"self-test: flags a good page: {check(scratch)}"
    for number, (text, expected) in enumerate((
            ("[x](gone.md)", "gone.md"), ("[x](good.md#gone)", "no such heading"), ("`kernels/nn/gone.cc`", "gone.cc"),
            ("`gone_<tier>.cc`", "gone_<tier>.cc"), ("`runtime/{gone,lost}/`", "the path"), ("`--gone`", "--gone"),
            ("`intsam-segment --rounds 3`", "--rounds of intsam-segment"), ("call intsam_gone", "intsam_gone"),
            ("`INTSAM_GONE=1`", "INTSAM_GONE"), ("`cmake --preset gone`", "the preset gone"), ("`lint.gone`", "lint.gone"),
            ("\n    apps/gone.sh --help", "apps/gone.sh"))):
        lint.write(scratch, f"docs/bad{number}.md", text + "\n")
        lint.expect(check(scratch), f"docs/bad{number}.md", expected)


if __name__ == "__main__":
    lint.main("doc_names", check, self_test)
