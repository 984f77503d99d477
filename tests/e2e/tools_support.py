"""What the tests of the command-line tools share: running a tool in a scratch folder, small PNG files, and models
changed under right checksums (docs/format.md).
"""

import hashlib
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import unittest
import zlib

HEADER = 256
SECTIONS = ("fields", "provenance", "directory", "data")


class Setup:
    """Set once by tools_test.py."""

    bin = source = scratch = model = mobile_model = None
    tools = ()
    suffix = ""  # of executables
    emulator = ()  # what starts the tools of another target
    sanitized = False  # memory that a tool frees stays in the sanitizer's quarantine

    @classmethod
    def command(cls, tool, *arguments):
        return [*cls.emulator, str(cls.bin / f"intsam-{tool}{cls.suffix}"), *map(str, arguments)]


class ToolTest(unittest.TestCase):
    """Each test has a folder of its own, self.dir. A failing tool must leave it as it was."""

    def setUp(self):
        self.dir = Setup.scratch / re.sub(r"\W", "_", self.id().split(".", 1)[1])
        self.dir.mkdir()

    def run_tool(self, tool, *arguments, env=None, cwd=None, stdin=None):
        self.needs(tool)
        clean = {k: v for k, v in os.environ.items() if not k.startswith("INTSAM_")}
        return subprocess.run(
            Setup.command(tool, *arguments),
            capture_output=True,
            check=False,
            timeout=300,
            input=stdin,
            cwd=cwd or self.dir,
            env={**clean, "INTSAM_THREADS": "1", **(env or {})},
        )

    def needs(self, tool):
        """Builds without the converter have some of the tools only."""
        if tool not in Setup.tools:
            self.skipTest(f"no intsam-{tool} in this build")

    def succeeds(self, tool, *arguments, env=None):
        done = self.run_tool(tool, *arguments, env=env)
        self.assertEqual((done.returncode, done.stderr.decode(errors="replace")), (0, ""), (tool, arguments))
        return done.stdout.decode()

    def fails(self, code, tool, *arguments, says=(), env=None):
        """Exit code, one line on stderr that names the tool and holds all of `says`, and no trace on the disk."""
        before = self.contents()
        done = self.run_tool(tool, *arguments, env=env)
        text = done.stderr.decode(errors="replace")
        what = (tool, arguments, text)
        self.assertEqual(done.returncode, code, what)
        self.assertTrue(text.startswith(f"intsam-{tool}: ") and text.endswith("\n") and text.count("\n") == 1, what)
        self.assertEqual(done.stdout, b"", what)
        for word in (says,) if isinstance(says, (str, pathlib.Path)) else says:
            self.assertIn(str(word), text)
        self.assertEqual(self.contents(), before, what)
        return text

    def contents(self):
        return {path: path.read_bytes() if path.is_file() else None for path in self.dir.rglob("*")}

    def write(self, name, data):
        path = self.dir / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    def photo(self, name="photo.png", width=48, height=32):
        return self.write(name, encode_png(width, height, disc_rgb(width, height)))

    def validator(self, schema):
        """Of docs/schema/SCHEMA.json."""
        try:
            import jsonschema
        except ImportError:
            self.skipTest("needs python3-jsonschema")
        if not hasattr(jsonschema, "Draft202012Validator"):
            self.skipTest(f"jsonschema {jsonschema.__version__} is older than 4.0")
        schema = json.loads((Setup.source / f"docs/schema/{schema}.json").read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        return jsonschema.Draft202012Validator(schema)

    def refuses(self, validator, good, *spoilers):
        """A schema is no sieve: what each of these makes of a copy of `good` is refused."""
        for spoil in spoilers:
            bad = json.loads(json.dumps(good))
            spoil(bad)
            self.assertFalse(validator.is_valid(bad))

    def other_model(self):
        """Not ../micro.isam."""
        return shutil.copy(Setup.source / "tests/golden/data/odd.isam", self.dir / "other.isam")

    def for_each_bit_flip(self, data, offsets):
        for offset in offsets:
            damaged = bytearray(data)
            damaged[offset] ^= 1 << offset % 8
            yield offset, bytes(damaged)


def disc_rgb(width, height):
    """A reddish disc on a ramp."""
    rows = bytearray()
    for y in range(height):
        for x in range(width):
            inside = (x - width // 3) ** 2 + (y - height // 2) ** 2 < (height // 3) ** 2
            rows += bytes((210, 70, 50) if inside else (40 + x % 64, 60 + y % 64, 120))
    return bytes(rows)


def encode_png(width, height, pixels, channels=3, bits=8):
    """pixels: rows without gaps; 16-bit values big-endian."""
    kind = {1: 0, 3: 2}[channels]
    row = width * channels * bits // 8
    raw = b"".join(b"\0" + pixels[y * row : (y + 1) * row] for y in range(height))
    chunk = lambda name, data: struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def decode_png(data):
    """(width, height, channels, pixels) of a gray, RGB or RGBA PNG without interlacing; 16-bit values big-endian."""
    at, parts = 8, b""
    while at < len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        if name == b"IHDR":
            width, height, bits, kind, _, _, interlaced = struct.unpack(">IIBBBBB", body)
        parts += body if name == b"IDAT" else b""
        at += length + 12
    if bits not in (8, 16) or interlaced or kind not in (0, 2, 6):
        raise ValueError("not a gray, RGB or RGBA PNG of 8 or 16 bits")
    channels = {0: 1, 2: 3, 6: 4}[kind]
    step = channels * bits // 8
    raw, row, pixels = zlib.decompress(parts), width * step, bytearray()
    previous = bytearray(row)
    for y in range(height):
        method, line = raw[y * (row + 1)], bytearray(raw[y * (row + 1) + 1 : (y + 1) * (row + 1)])
        for i in range(row if method else 0):
            left, up = line[i - step] if i >= step else 0, previous[i]
            corner = previous[i - step] if i >= step else 0
            line[i] = (line[i] + (left, up, (left + up) // 2, paeth(left, up, corner))[method - 1]) & 255
        pixels += line
        previous = line
    return width, height, channels, bytes(pixels)


def paeth(left, up, corner):
    guess = left + up - corner
    return min((left, up, corner), key=lambda value: abs(guess - value))


def section_of(model, name):
    """(offset, size) of a section."""
    return struct.unpack_from("<QQ", model, 32 + 48 * SECTIONS.index(name))


def reseal(model):
    """The same bytes with all checksums made right again."""
    sealed = bytearray(model)
    for index, name in enumerate(SECTIONS):
        offset, size = section_of(sealed, name)
        sealed[32 + 48 * index + 16 : 32 + 48 * (index + 1)] = hashlib.sha256(sealed[offset : offset + size]).digest()
    sealed[224:256] = bytes(32)
    sealed[224:256] = hashlib.sha256(sealed[:HEADER]).digest()
    return bytes(sealed)


def patched(model, offset, data):
    changed = bytearray(model)
    changed[offset : offset + len(data)] = data
    return reseal(changed)


def with_provenance(model, text):
    """The model under another provenance of any length; the sections behind it move."""
    offset, _ = section_of(model, "provenance")
    directory, data = (section_of(model, name)[0] for name in SECTIONS[2:])
    gap = bytes(-(offset + len(text)) % 64)
    changed = bytearray(model[:offset] + text + gap + model[directory:])
    moved = len(changed) - len(model)
    struct.pack_into("<Q", changed, 16, len(changed))
    struct.pack_into("<Q", changed, 32 + 48 + 8, len(text))
    for index, place in ((2, directory), (3, data)):
        struct.pack_into("<Q", changed, 32 + 48 * index, place + moved)
    return reseal(changed)
