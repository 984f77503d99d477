"""No type is defined twice in one namespace: two definitions in two sources of one program are undefined behaviour that
no compiler reports (the one definition rule). Types in unnamed namespaces belong to their file alone."""
import re

import lint

# The house style does not indent inside namespaces, so what starts a line is at namespace scope.
_LINE = re.compile(r"^(?:namespace (?P<open>[\w:]*) ?\{|\}  *// namespace|(?:class|struct|union|enum(?: class)?)"
                   r" (?:\[\[\w+\]\] )?(?P<type>\w+)\b(?!::)[^;]*\{)")
FOLDERS = ("runtime", "kernels", "files", "converter", "apps")


def types(root):
    """(namespace, name, path, line) of every type at a named namespace's scope."""
    for path in lint.files(root, FOLDERS):
        scopes = []
        raw = (root / path).read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(raw, 1):
            match = _LINE.match(line)
            if not match:
                continue
            if match.group("open") is not None:
                scopes.append(match.group("open"))
            elif match.group("type"):
                if "" not in scopes:
                    yield "::".join(scopes), match.group("type"), path, number
            elif scopes:
                scopes.pop()


def check(root):
    findings, first = [], {}
    for namespace, name, path, line in types(root):
        before = first.setdefault((namespace, name), f"{path}:{line}")
        if before != f"{path}:{line}":
            findings.append(f"{path}:{line}: {namespace}::{name} is also defined at {before}")
    return findings


def self_test(scratch):
    body = "namespace intsam {\nnamespace {\nstruct Entry {\n};\n}  // namespace\n%s\n}  // namespace intsam\n"
    lint.write(scratch, "runtime/a.cc", body % "struct Linear {\n};")
    lint.write(scratch, "converter/b.cc", body % "namespace fp32 {\nclass Linear {\n};\n}  // namespace fp32\nclass Linear;")
    assert check(scratch) == [], "self-test: flags types of unnamed or different namespaces, or a declaration"
    lint.write(scratch, "converter/c.h", body % "class Linear : public Base {\n};")
    lint.expect(check(scratch), "runtime/a.cc", "intsam::Linear", "converter/c.h")


if __name__ == "__main__":
    lint.main("type_names", check, self_test)
