"""No line of a Markdown file is longer than 120 characters. Tables are exempt, because a row cannot be broken, and so is
a line that has no space to break at.

  markdown_width.py REPOSITORY      names the lines that are longer
  markdown_width.py --wrap FILE...  breaks the paragraphs and list items that have such lines anew; code stays
"""
import pathlib
import re
import sys

import lint

LIMIT = 120
_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)]) ")
_WORD = re.compile(r"(?:`[^`]*`|[^\s`])+|`")
# What would begin a list, a quotation or a heading at the start of a line stays behind the word before it.
_MARKER = re.compile(r"[-*+>=|]$|\d+[.)]$|#")


def too_long(line):
    return len(line) > LIMIT and not line.lstrip().startswith("|") and " " in line.strip()


def check(root):
    findings = []
    for path in lint.documents(root):
        for number, line in enumerate((root / path).read_text(encoding="utf-8").splitlines(), 1):
            if too_long(line):
                findings.append(f"{path}:{number}: {len(line)} characters; the limit is {LIMIT}")
    return findings


def blocks(text):
    """(whether it may be broken anew, lines): a paragraph or list item, or one line of anything else."""
    fenced, block = False, []
    for line in text.splitlines():
        fence = line.lstrip().startswith("```")
        fenced ^= fence
        fixed = fenced or fence or not line.strip() or line.lstrip().startswith(("|", "#", "<!--"))
        fixed |= not block and line.startswith("    ") and not _ITEM.match(line)  # a code block
        if block and (fixed or _ITEM.match(line) or line.startswith("*")):  # *emphasis* opens a thought
            yield True, block
            block = []
        if fixed:
            yield False, [line]
        else:
            block.append(line)
    if block:
        yield True, block


def broken_anew(block):
    marker = _ITEM.match(block[0])
    indent = marker.group(0) if marker else re.match(r"\s*", block[0]).group(0)
    words = []
    for word in _WORD.findall(" ".join([block[0][len(indent):]] + block[1:])):
        if words and _MARKER.match(word):
            words[-1] += " " + word
        else:
            words.append(word)
    lines, line = [], ""
    for word in words:
        if line and len(indent) + len(line) + 1 + len(word) > LIMIT:
            lines.append(line)
            line = word
        else:
            line += " " + word if line else word
    return [(" " * len(indent) if i else indent) + line for i, line in enumerate(lines + [line])]


def wrap(text):
    lines = []
    for movable, block in blocks(text):
        lines += broken_anew(block) if movable and any(map(too_long, block)) else block
    return "\n".join(lines) + "\n"


def self_test(scratch):
    good = f"{'x ' * 60}\n| {'cell | ' * 40}\nhttps://{'x' * 200}\n"
    lint.write(scratch, "docs/good.md", good)
    assert check(scratch) == [], f"self-test: flags a good page: {check(scratch)}"
    lint.write(scratch, "docs/bad.md", f"short\n{'x ' * 60}y\n")
    lint.write(scratch, "SECURITY.md", f"    {'x ' * 60}y\n")
    lint.expect(check(scratch), "docs/bad.md:2", "121 characters")
    lint.expect(check(scratch), "SECURITY.md:1")
    text = f"# Page\n\n- {'x ' * 58}`a code span` - b\n  c\n- d\n\n    {'code ' * 30}\n"
    assert wrap(text) == f"# Page\n\n- {'x ' * 58}\n  `a code span` - b c\n- d\n\n    {'code ' * 30}\n".replace("x \n", "x\n"), \
        f"self-test: breaks lines like this: {wrap(text)}"
    assert wrap(good) == good, "self-test: changes what is short enough"


if __name__ == "__main__":
    if len(sys.argv) > 2 and sys.argv[1] == "--wrap":
        for file in map(pathlib.Path, sys.argv[2:]):
            file.write_text(wrap(file.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        lint.main("markdown_width", check, self_test)
