"""No source file above 800 lines; those above 400 are named, without failing."""
import lint

LIMIT = 800
WARN = 400


def lengths(root):
    for path in lint.files(root, suffixes=lint.CODE + lint.SCRIPTS + ("CMakeLists.txt",)):
        with open(root / path, encoding="utf-8") as source:
            yield path, sum(1 for _ in source)


def check(root):
    findings = []
    for path, lines in lengths(root):
        if lines > LIMIT:
            findings.append(f"{path}: {lines} lines; the limit is {LIMIT}")
        elif lines > WARN:
            print(f"file_length: note: {path}: {lines} lines, above {WARN}")
    return findings


def self_test(scratch):
    lint.write(scratch, "runtime/fits.cc", "\n" * WARN)
    assert check(scratch) == [], "self-test: flags a file that fits"
    lint.write(scratch, "runtime/long.cc", "\n" * (LIMIT + 1))
    lint.expect(check(scratch), "runtime/long.cc", f"{LIMIT + 1} lines")


if __name__ == "__main__":
    lint.main("file_length", check, self_test)
