"""What the lints share: walking the repository's sources, stripping comments, and the frame of a lint.

A lint is a function check(root) -> list of findings, and a function self_test(scratch) that builds a deliberately bad
tree in `scratch` and raises AssertionError unless check() flags it. run() does both: a lint that cannot find what it
is for fails before it looks at the repository.
"""
import pathlib
import re
import sys
import tempfile

TOP_LEVEL = ("runtime", "kernels", "files", "converter", "apps", "bindings", "tests", "cmake", "toolchains",
             "models", "docs", "release", ".ci")
CODE = (".h", ".hpp", ".cc", ".c", ".inc")
SCRIPTS = (".py", ".sh", ".cmake")


def files(root, folders=TOP_LEVEL, suffixes=CODE):
    """Paths (relative to root, as posix strings) of files below `folders` that end in `suffixes`."""
    found = []
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and path.name.endswith(suffixes) and "__pycache__" not in path.parts:
                found.append(path.relative_to(root).as_posix())
    return found


def documents(root):
    """Paths of the Markdown files: those of the root and of .github, and those below the folders above."""
    top = [path.name for path in sorted(root.glob("*.md"))]
    return top + files(root, TOP_LEVEL + (".github",), (".md",))


_COMMENT_OR_STRING = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Za-z_])\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def strip_comments(text, strings=True):
    """C++ text with comments (and string and character literals, unless strings=False) blanked, lines kept."""
    def blank(match):
        token = match.group(0)
        if not strings and not token.startswith(("//", "/*")):
            return token
        return re.sub(r"[^\n]", " ", token)
    return _COMMENT_OR_STRING.sub(blank, text)


def write(root, path, text):
    """For self-tests: a file with parents."""
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)


def expect(findings, *words):
    """For self-tests: one finding contains all the words."""
    assert any(all(word in finding for word in words) for finding in findings), \
        f"self-test: nothing flagged {' '.join(words)!r} in {findings}"


def run(name, root, check, self_test):
    """Returns the process's exit code."""
    with tempfile.TemporaryDirectory() as scratch:
        try:
            self_test(pathlib.Path(scratch))
        except AssertionError as error:
            print(f"{name}: {error}")
            return 1
    findings = check(pathlib.Path(root).resolve())
    for finding in findings:
        print(f"{name}: {finding}")
    print(f"{name}: {len(findings)} findings")
    return 1 if findings else 0


def main(name, check, self_test):
    if len(sys.argv) != 2:
        print(f"usage: {name}.py REPOSITORY")
        sys.exit(2)
    sys.exit(run(name, sys.argv[1], check, self_test))
