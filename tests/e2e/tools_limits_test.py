"""The limits that intsam-inspect --limits prints, each reached by a file that asks for a little more: refused in one
line, before anything is computed. What is out of a tool's reach is named with the test that reaches it.
"""

import json
import os
import struct
import zipfile

from tools_support import HEADER, Setup, ToolTest, disc_rgb, encode_png, patched, reseal

MICRO = "../micro.isam"

# The limit, and the test that reaches it: a file and words of it.
ELSEWHERE = {
    "model alignment": ("tests/format/bad_file_test.cc", '"Misaligned"'),
    "model tensor name": ("tests/format/bad_file_test.cc", '"NameLengthAboveField"'),
    "image side": ("tests/unit/api_misuse_test.cc", '"32769 x 61"'),
    "image in memory": ("tests/unit/api_misuse_test.cc", '"over the limit"'),
    "points per prompt": ("tests/unit/api_misuse_test.cc", 'INTSAM_ERROR_RESOURCE, "points"'),
    "prompts per call": ("tests/unit/prompts_on_image_test.cc", '"4097 are more than 4096"'),
    "points of all grids": ("tests/unit/everything_test.cc", '"points in all are more than 4194304"'),
    "hidden width of an MLP on 16 bits": ("tests/format/bad_values_test.cc", '"iou_head_hidden_dim: 516"'),
    "checkpoint tensor name": ("tests/checkpoint/bad_safetensors_test.cc", '"name of 129"'),
    "zip entry name": ("tests/checkpoint/bad_zip_test.cc", '"name of 513"'),
    "pickle opcodes": ("tests/checkpoint/bad_pickle_test.cc", '"too many opcodes"'),
    "pickle stack": ("tests/checkpoint/bad_pickle_test.cc", '"stack too high"'),
    "pickle memo": ("tests/checkpoint/bad_pickle_test.cc", '"memo slot huge"'),
    "pickle depth": ("tests/checkpoint/bad_pickle_test.cc", '"nested too deep"'),
    "pickle string": ("tests/checkpoint/bad_pickle_test.cc", '"string of 64 KiB + 1"'),
    "pickle global name": ("tests/checkpoint/bad_pickle_test.cc", '"global of 257 bytes"'),
}


def jpeg(width, height, scans=1):
    """What can be judged of one without decoding: tables that are none, and scans of a few bytes."""
    segment = lambda marker, data: bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data
    frame = segment(0xC2 if scans > 1 else 0xC0, struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\0")
    tables = segment(0xDB, bytes(65)) + segment(0xC4, bytes(1) + b"\x01" + bytes(16))
    return b"\xff\xd8" + tables + frame + (segment(0xDA, b"\x01\x01\0\0\x3f\0") + b"abc") * scans + b"\xff\xd9"


def safetensors(*shapes):
    header = {f"t{i}": {"dtype": "U8", "shape": shape, "data_offsets": [0, 0]} for i, shape in enumerate(shapes)}
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text


def box_list(count):
    return json.dumps([[{"type": "box", "data": [0, 0, 9, 9]}]] * count)


class Limits(ToolTest):
    def setUp(self):
        super().setUp()
        self.seen = set()
        self.photo()
        (self.dir / "photos").mkdir()
        self.write("photos/a.png", encode_png(8, 8, disc_rgb(8, 8)))

    def reaches(self, limit, code, says, tool, *arguments):
        self.seen.add(limit)
        with self.subTest(limit):
            before = {path for path in self.dir.rglob("*")}
            done = self.run_tool(tool, *arguments)
            text = done.stderr.decode()
            self.assertEqual((done.returncode, text.count("\n")), (code, 1), text)
            self.assertIn(says, text)
            self.assertEqual({path for path in self.dir.rglob("*")}, before)

    def sparse(self, name, size):
        (self.dir / name).touch()
        os.truncate(self.dir / name, size)
        return name

    def test_every_limit(self):
        self.models()
        self.photos_and_prompts()
        if "convert" in Setup.tools:
            self.checkpoints()
        if "everything" in Setup.tools:
            grid = ("everything", MICRO, "photo.png", "-o", "out")
            self.reaches("points of a grid per side", 2, "1024", *grid, "--points-per-side", 1025)
            self.reaches("layers of crops", 2, "5", *grid, "--crop-n-layers", 6)
        if "batch" in Setup.tools:
            self.batches()
            if not (Setup.sanitized or Setup.emulator):
                self.millions()
        self.reaches("threads", 2, "256", "inspect", MICRO, "-t", 257)
        for limit, (file, words) in ELSEWHERE.items():
            self.assertIn(words, (Setup.source / file).read_text(encoding="utf-8"), limit)
            self.seen.add(limit)
        printed = {row["limit"] for row in json.loads(self.succeeds("inspect", "--limits", "--json"))["limits"]}
        if {"convert", "everything", "batch"} <= set(Setup.tools):
            self.assertEqual(self.seen, printed - ({"COCO file entries", "batch photos"} if Setup.sanitized else set()))
        else:
            self.assertLessEqual(self.seen, printed)

    def models(self):
        model = (Setup.scratch / "micro.isam").read_bytes()
        refused = lambda limit, code, says, name: self.reaches(limit, code, says, "inspect", name)
        refused("model file", 6, "2147483649", self.sparse("m.isam", (2 << 30) + 1))
        refused("model tensors", 6, "4097", self.write("t.isam", patched(model, 24, struct.pack("<I", 4097))))
        size = (4 << 20) + 1
        large = model[:HEADER] + bytes(size + 4096)
        large = large[:16] + struct.pack("<Q", len(large)) + large[24:32] + struct.pack("<QQ", HEADER, size) + large[48:]
        refused("model section but the data", 4, "over the limit", self.write("s.isam", reseal(large)))

    def photos_and_prompts(self):
        point = ("-p", "1,1", "--json")
        refused = lambda limit, says, name: self.reaches(limit, 6, says, "segment", MICRO, name, *point)
        refused("image file", "1073741824", self.sparse("large.png", (1 << 30) + 1))
        refused("image file side", "32768 per side", self.write("w.png", encode_png(32769, 1, bytes(32769), 1)))
        refused("image file decoded, with its decoder", "1610612736", self.write("d.jpg", jpeg(32768, 32768)))
        refused("JPEG pixels times scans", "60 scans", self.write("p.jpg", jpeg(9440, 9440, 60)))
        self.write("big.png", encode_png(4200, 4200, bytes(4200 * 4200), 1))
        prompts = lambda limit, says, photo, text, *outputs: self.reaches(
            limit, 6, says, "segment", MICRO, photo, "--prompts", self.write("p.json", text), "--json", *outputs
        )
        prompts("prompt file", "1048576", "photo.png", " " * (1 << 20) + "[]")
        prompts("prompt file depth", "deeper than 8", "photo.png", "[" * 9)
        prompts("prompts per object", "257", "photo.png", json.dumps([{"type": "point", "data": [1, 1]}] * 257))
        prompts("objects", "4097", "photo.png", box_list(4097))
        prompts("objects times pixels of the photo", "68719476736", "big.png", box_list(4096))
        overlay = ("--overlay", "o.png", "--overlay-size", 0)
        prompts("masks kept for prompts, and for an overlay", "1073741824", "big.png", box_list(500), *overlay)

    def batches(self):
        batch = ("batch", MICRO, "photos", "--out", "out")
        refused = lambda limit, says, *options: self.reaches(limit, 6, says, *batch, *options)
        large = self.sparse("large.json", (1 << 30) + 1)
        refused("COCO file", "1073741824", "--detections", large, "--annotations", large)
        deep = self.write("deep.json", '{"info": ' + "[" * 17)
        refused("COCO file depth", "deeper than 16", "--prompt", "gt-box", "--annotations", deep)
        refused("batch prompt file", "1073741824", "--prompts", large)
        refused("batch list of photos", "268435456", "--embeddings", "--list", self.sparse("l.txt", (1 << 28) + 1))
        self.reaches("batch photos at a time", 2, "256", *batch, "--auto", "--jobs", 257)
        self.reaches("batch parts", 2, "65536", *batch, "--auto", "--shard", "1/65537")

    def millions(self):
        """Seconds each: not under a sanitizer or an emulator."""
        names = self.write("names.txt", "\n".join(map(str, range((1 << 22) + 1))))
        self.reaches("batch photos", 6, "4194304", "batch", MICRO, "--list", names, "--out", "out", "--embeddings")
        entries = self.write("many.json", '{"annotations": [{}' + ", {}" * (1 << 24) + "]}")
        convert = ("convert", Setup.source / "tests/checkpoint/data/micro_f32.safetensors", "-o", "m.isam")
        calibration = ("--calib-coco", entries, "--calib-images", "photos")
        self.reaches("COCO file entries", 6, "16777216", *convert, *calibration)

    def checkpoints(self):
        refused = lambda limit, says, name, *options: self.reaches(
            limit, 6, says, "convert", name, *options, "--calib", "photos", "-o", "m.isam"
        )
        tensors = lambda limit, says, *shapes: refused(limit, says, self.write("c.safetensors", safetensors(*shapes)))
        refused("checkpoint file", "8589934592", self.sparse("c.pth", (8 << 30) + 1))
        tensors("checkpoint tensors", "4096", *[[0]] * 4097)
        tensors("checkpoint tensor rank", "4", [1] * 5)
        tensors("checkpoint tensor dimension", "65536", [65537])
        tensors("checkpoint tensor elements", "268435456", [65536, 65536])
        header = struct.pack("<Q", (16 << 20) + 1) + b"{"
        refused("safetensors header", "16777216", self.write("h.safetensors", header))
        good = Setup.source / "tests/checkpoint/data/micro_f32.safetensors"
        config = lambda limit, says, text: refused(limit, says, good, "--config", self.write("c.json", text))
        config("checkpoint configuration file", "1048576", " " * (1 << 20) + "{}")
        config("checkpoint configuration depth", "deeper than 8", '{"depth":' + "[" * 9)
        refused("zip entries", "4096", self.archive({f"a/{i}": b"" for i in range(4097)}))
        refused("zip directory", "4194304", self.archive({f"a/{i}": b"" for i in range(4000)}, bytes(1100)))
        refused("pickle stream", "16777216", self.archive({"a/data.pkl": bytes((16 << 20) + 1), "a/version": b"3"}))

    def archive(self, members, comment=b""):
        with zipfile.ZipFile(self.dir / "c.pth", "w") as archive:
            for name, data in members.items():
                member = zipfile.ZipInfo(name)
                member.comment = comment
                archive.writestr(member, data)
        return "c.pth"
