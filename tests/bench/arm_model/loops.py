"""Innermost loops of a disassembled AArch64 library, and what one pass through each costs in instructions."""
import collections
import dataclasses
import re
import subprocess

# Multiply-accumulates that one instruction does, by its name and, where it matters, the lanes of its result.
MACS = {"sdot": 16, "smmla": 32}
WIDENING = re.compile(r"^smlal2?$|^smull2?$")
BRANCH = re.compile(r"^(?:b(?:\.\w+)?|cbn?z|tbn?z)\t.*?([0-9a-f]+) <")


@dataclasses.dataclass
class Loop:
    body: list  # instructions as text, without addresses; the last is the branch back

    @property
    def names(self):
        return collections.Counter(text.split("\t")[0] for text in self.body)

    @property
    def macs(self):
        return sum(map(macs, self.body))

    def count(self, *names):
        return sum(self.names[name] for name in names)


def macs(text):
    name, _, operands = text.partition("\t")
    if name in MACS:
        return MACS[name]
    if WIDENING.match(name):  # one product a lane
        return {"8h": 8, "4s": 4, "2d": 2}[operands.split(",")[0].rsplit(".", 1)[1]]
    return 0


def innermost(instructions):
    """Loops [target, branch] of one function that contain no other, from [(address, text)]."""
    index = {address: i for i, (address, _) in enumerate(instructions)}
    spans = []
    for i, (address, text) in enumerate(instructions):
        match = BRANCH.match(text)
        if match and int(match.group(1), 16) <= address and int(match.group(1), 16) in index:
            spans.append((index[int(match.group(1), 16)], i))
    inner = [(s, e) for s, e in spans if not any(s <= s2 and e2 <= e and (s, e) != (s2, e2) for s2, e2 in spans)]
    return [Loop([text for _, text in instructions[s:e + 1]]) for s, e in inner]


def read(objdump, library):
    """{(object file, demangled function): [Loop]} of a static library."""
    text = subprocess.run([objdump, "-d", "-C", "--no-show-raw-insn", library], check=True, capture_output=True,
                          text=True).stdout
    found, member, function, instructions = {}, "", "", []

    def close():
        if function:
            found.setdefault((member, function), []).extend(innermost(instructions))

    for line in text.splitlines():
        if match := re.match(r"^(\S+):\s+file format ", line):
            close()
            member, function, instructions = match.group(1), "", []
        elif match := re.match(r"^[0-9a-f]+ <(.*)>:$", line):
            close()
            function, instructions = match.group(1), []
        elif match := re.match(r"^\s+([0-9a-f]+):\t(.*)$", line):
            instructions.append((int(match.group(1), 16), match.group(2)))
    close()
    return found
