"""What a build may download has one address and one content: each FetchContent_Declare has a URL with https and a
SHA-256, and nothing else in the build description fetches. Actions of workflows are named by commit.
"""
import re

import lint

DECLARE = re.compile(r"FetchContent_Declare\((\w+)([^)]*)\)", re.IGNORECASE)
PINNED = re.compile(r"\sURL https://\S+\s+URL_HASH SHA256=[0-9a-f]{64}(?![0-9a-f])")
ACTION = re.compile(r"\buses:\s*(\S+)")
COMMIT = re.compile(r"@[0-9a-f]{40}$")
OTHERS = re.compile(r"\bGIT_REPOSITORY\b|ExternalProject_Add\s*\(|file\s*\(\s*DOWNLOAD\b", re.IGNORECASE)


def check(root):
    findings = []
    for path in ["CMakeLists.txt", *lint.files(root, suffixes=("CMakeLists.txt", ".cmake"))]:
        if not (root / path).is_file():
            continue
        text = re.sub(r"#[^\n]*", "", (root / path).read_text(encoding="utf-8"))
        findings += [f"{path}: {name}: no URL with URL_HASH SHA256=..." for name, body in DECLARE.findall(text)
                     if not PINNED.search(body)]
        findings += [f"{path}: {found}: downloads without a hash" for found in OTHERS.findall(text)]
    for path in sorted((root / ".github" / "workflows").glob("*.yml")):
        findings += [f"{path.relative_to(root)}: {action}: a name that can come to mean another commit"
                     for action in ACTION.findall(path.read_text(encoding="utf-8")) if not COMMIT.search(action)]
    return findings


def self_test(scratch):
    declare = "FetchContent_Declare(a\n  URL https://example.com/a.tar.gz\n  URL_HASH SHA256={}{})\n"
    lint.write(scratch, "cmake/good.cmake", declare.format("0" * 64, "\n  SOURCE_SUBDIR doc/none"))
    assert check(scratch) == [], "self-test: flags a pinned release"
    lint.write(scratch, "cmake/short.cmake", declare.format("0" * 63, ""))
    lint.write(scratch, "cmake/none.cmake", "FetchContent_Declare(b URL https://example.com/a.tar.gz)\n")
    lint.write(scratch, "tests/CMakeLists.txt", "FetchContent_Declare(c GIT_REPOSITORY https://example.com/a.git)\n")
    lint.write(scratch, ".github/workflows/a.yml", "steps:\n  - uses: a/b@" + "0" * 40 + " # v1\n  - uses: a/c@v1\n")
    findings = check(scratch)
    lint.expect(findings, "a.yml: a/c@v1")
    assert not any("a/b" in finding for finding in findings), "self-test: flags a pinned action"
    lint.expect(findings, "short.cmake", "no URL with")
    lint.expect(findings, "none.cmake", "b: no URL with")
    lint.expect(findings, "tests/CMakeLists.txt", "GIT_REPOSITORY", "without a hash")


if __name__ == "__main__":
    lint.main("pinned", check, self_test)
