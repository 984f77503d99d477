"""Prompts of intsam-segment: what is the same in all their forms, and what is refused, with one code for one mistake."""

import ast
import json
import os
import struct
import sys
import unittest

from tools_segment_test import MICRO, SegmentTest
from tools_support import encode_png

POINT = {"type": "point", "data": [16, 16]}


class Prompts(SegmentTest):
    def test_file_is_the_command_line(self):
        photo = self.photo()
        typed = ["-p", "16.5,16", "-p", "40,4,0", "-b", "2,2,40,30"]
        self.succeeds("segment", MICRO, photo, *typed, "-o", "line.png", "-q")
        entries = [
            {"type": "point", "data": [16.5, 16], "label": 1},
            {"type": "point", "data": [40, 4], "label": 0},
            {"type": "rectangle", "data": [2, 2, 40, 30], "label": 2},
        ]
        self.write("one.json", json.dumps(entries))
        self.succeeds("segment", MICRO, photo, "--prompts", "one.json", "-o", "file.png", "-q")
        self.assertEqual(self.read("line.png"), self.read("file.png"))
        self.write("two.json", json.dumps([entries, [{"type": "box", "data": [1, 1, 9, 9]}]]))
        report = self.ask("--prompts", "two.json", "-o", "two.png")
        self.assertEqual([found["file"] for found in report["objects"]], ["two_0.png", "two_1.png"])
        self.assertEqual(self.read("two_0.png"), self.read("line.png"))
        self.assertEqual(self.mask("two_1.png")[:2], (48, 32))

    def test_box_over_the_edge(self):
        """As detectors give it: cut at the edge, in every form; the other boxes are answered too."""
        boxes = [[-0.4, 2, 30, 20], [10, 5, 48.4, 99999]]
        cut = [[0, 2, 30, 20], [10, 5, 48, 32]]
        self.write("p.json", json.dumps([[{"type": "rectangle", "data": box}] for box in boxes]))
        self.write("cut.json", json.dumps([[{"type": "rectangle", "data": box}] for box in cut]))
        typed = [f"--box={','.join(map(str, box))}" for box in boxes]
        expected = self.ask("--prompts", "cut.json")["objects"]
        self.assertEqual([found["prompt"]["box"] for found in expected], cut)
        self.assertEqual(self.ask("--prompts", "p.json")["objects"], expected)
        self.assertEqual(self.ask(*typed)["objects"], expected)

    def test_one_mistake_one_code(self):
        """A prompt that cannot be meant is 2, wherever it stands."""
        photo = self.photo()
        for typed, entry, says in (
            ("--point=48,10", {"type": "point", "data": [48, 10]}, "outside the image"),
            ("--point=10,32", {"type": "point", "data": [10, 32]}, "outside the image"),
            ("--point=-1,5", {"type": "point", "data": [-1, 5]}, "outside the image"),
            ("--point=10,10,2", {"type": "point", "data": [10, 10], "label": 2}, "label"),
            ("--box=10,10,10,20", {"type": "box", "data": [10, 10, 10, 20]}, "empty"),
            ("--box=20,10,10,20", {"type": "box", "data": [20, 10, 10, 20]}, "empty"),
            ("--box=48,1,60,20", {"type": "box", "data": [48, 1, 60, 20]}, "outside the image"),
            ("--box=-9,1,0,20", {"type": "box", "data": [-9, 1, 0, 20]}, "outside the image"),
            ("--point=1,99999999", {"type": "point", "data": [1, 99999999]}, "not below 16777216"),
        ):
            with self.subTest(typed):
                outputs = ["-o", "m.png", "--save-embedding", "e.isemb"]
                self.fails(2, "segment", MICRO, photo, typed, *outputs, says=(typed[2:5], says))
                self.write("p.json", json.dumps([[POINT], [entry]]))
                self.fails(2, "segment", MICRO, photo, "--prompts", "p.json", *outputs, says=("p.json: object 1", says))

    def test_usage(self):
        photo = self.photo()
        point, box = ["-p", "10,10"], ["-b", "1,1,9,9"]
        self.write("p.json", json.dumps([POINT]))
        output = ["-o", "m.png", "--save-embedding", "e.isemb"]
        for arguments, says in (
            (output, "--point"),
            (["-o", "m.png"], "--point"),
            (["--json"], "--point"),
            (point, "--output"),
            ([*point, "--prompts", "p.json", *output], "--prompts"),
            ([*box, *box, *point, *output], ("--box", "--point", "--prompts")),
            ([*box, *box, "--mask-input", "m", *output], ("--box", "--mask-input")),
            (["-p", "10", *output], "--point"),
            (["-p", "a,b", *output], "--point"),
            (["-b", "1,1,9", *output], "--box"),
            ([*point, "--isa", "mmx", *output], "mmx"),
            ([*point, "--overlay-size", "-1", *output], "--overlay-size"),
            ([*point, "--mask", "1", *output], "mask"),  # of old, now --select
            (["--prompts", "", *output], "--prompts"),
        ):
            with self.subTest(arguments):
                self.fails(2, "segment", MICRO, photo, *arguments, says=says)
        self.fails(2, "segment", MICRO, *point, "-o", "m.png", says=("IMAGE", "--embedding"))
        self.fails(2, "segment", says=("MODEL", "usage: intsam-segment"))
        self.fails(2, "segment", MICRO, photo, "150", "150", *output, says="unexpected argument '150'")
        self.fails(6, "segment", MICRO, photo, *point * 257, *output, says="256")

    def test_standard_input(self):
        photo = self.photo()
        self.write("p.json", json.dumps([POINT]))
        self.succeeds("segment", MICRO, photo, "--prompts", "p.json", "-o", "a.png", "-q")
        for words, given in (
            ([photo, "--prompts", "-", "-o", "b.png"], "p.json"),
            (["-", "--prompts", "p.json", "-o", "b.png"], photo),
        ):
            with self.subTest(words):
                done = self.run_tool("segment", MICRO, *words, "-q", stdin=self.read(given))
                self.assertEqual((done.returncode, done.stderr), (0, b""))
                self.assertEqual(self.read("a.png"), self.read("b.png"))
        self.fails(2, "segment", MICRO, "-", "--prompts", "-", "-o", "c.png", says="standard input")


class MaskInput(SegmentTest):
    def setUp(self):
        super().setUp()
        self.photo()
        self.rows = [y < 16 for y in range(32)]
        self.write("half.png", self.half(1))

    def half(self, channels, value=255):
        return encode_png(48, 32, b"".join(bytes([value if row else 0]) * (48 * channels) for row in self.rows), channels)

    def answer(self, *arguments):
        (found,) = self.ask(*arguments)["objects"]
        return {key: found[key] for key in ("mask", "alternatives", "bbox", "area")}

    def test_matters_and_may_stand_alone(self):
        plain = self.answer("-p", "16,16", "--select", "1")
        self.assertNotEqual(self.answer("-p", "16,16", "--mask-input", "half.png", "--select", "1"), plain)
        alone = self.ask("--mask-input", "half.png")["objects"][0]
        self.assertEqual((alone["mask"], alone["prompt"]), (0, {"mask_input": "half.png"}))
        self.write("other.png", encode_png(48, 32, b"\xff" * (48 * 8) + bytes(48 * 24), 1))
        self.assertNotEqual(self.answer("--mask-input", "other.png")["alternatives"], alone["alternatives"])

    def test_any_picture(self):
        expected = self.answer("--mask-input", "half.png")
        for name, data in (
            ("rgb.png", self.half(3)),
            ("gray1.png", self.half(1, 1)),  # anything but black
            ("deep.png", encode_png(48, 32, b"".join(struct.pack(">H", 300 * row) * 48 for row in self.rows), 1, 16)),
        ):
            self.write(name, data)
            self.assertEqual(self.answer("--mask-input", name), expected, name)

    def test_in_a_file_relative_to_it(self):
        (self.dir / "folder").mkdir()
        (self.dir / "folder/m.png").write_bytes(self.half(1))
        (self.dir / "folder/p.json").write_text('[[{"type": "mask", "data": "m.png"}], [{"type": "box", "data": [1, 1, 9, 9]}]]')
        objects = self.ask("--prompts", "folder/p.json")["objects"]
        self.assertEqual(objects[0]["alternatives"], self.answer("--mask-input", "half.png")["alternatives"])
        self.assertEqual(objects[1]["alternatives"], self.answer("-b", "1,1,9,9")["alternatives"])

    def test_logits_refine(self):
        """What --logits wrote, and the same through NumPy's eyes: float32 whose integers come back exactly."""
        self.succeeds("segment", MICRO, "photo.png", "-p", "16,16", "--logits", "a.npy", "-q")
        data = self.read("a.npy")
        self.assertEqual(data[:8], b"\x93NUMPY\x01\x00")
        length = struct.unpack_from("<H", data, 8)[0]
        self.assertEqual((10 + length) % 64, 0)
        shape = ast.literal_eval(data[10 : 10 + length].decode())
        self.assertEqual((shape["descr"], shape["fortran_order"], shape["shape"][0]), ("<f4", False, 1))
        side = shape["shape"][1]
        values = struct.unpack(f"<{side * side}f", data[10 + length :])
        self.assertGreater(len(set(values)), 100)
        first = self.answer("-p", "16,16", "-p", "40,4,0")
        refined = self.answer("-p", "16,16", "-p", "40,4,0", "--mask-input", "a.npy")
        self.assertNotEqual(refined, first)
        self.succeeds("segment", MICRO, "photo.png", "-p", "16,16", "--logits", "b.npy", "--mask-input", "a.npy", "-q")
        # The same values in another dress of the header.
        dressed = f"{{'fortran_order': False, 'shape': ({side}, {side}), 'descr': '<f4'}}\n".encode()
        dressed = b"\x93NUMPY\x02\x00" + struct.pack("<I", len(dressed)) + dressed + data[10 + length :]
        self.write("c.npy", dressed)
        self.assertEqual(self.answer("-p", "16,16", "-p", "40,4,0", "--mask-input", "c.npy"), refined)

    def test_refused(self):
        self.succeeds("segment", MICRO, "photo.png", "-p", "16,16", "--logits", "good.npy", "-q")
        good = self.read("good.npy")
        self.write("size.png", encode_png(20, 32, bytes(20 * 32), 1))
        self.write("broken.png", self.half(1)[:-20])
        self.write("cut.npy", good[:-1])
        self.write("nan.npy", good[:-4] + struct.pack("<f", float("nan")))
        self.write("double.npy", good.replace(b"'<f4'", b"'<f8'"))
        self.write("shape.npy", good.replace(b"(1, ", b"(3, "))
        for name, code, says in (
            ("size.png", 2, "20 x 32"),
            ("broken.png", 4, "broken.png"),
            ("cut.npy", 4, "bytes of values"),
            ("nan.npy", 4, "not a number"),
            ("double.npy", 5, "<f8"),
            ("shape.npy", 2, "shape 3 x"),
            ("missing.png", 3, "No such file"),
            (".", 3, "."),
        ):
            with self.subTest(name):
                outputs = ["-o", "m.png", "--save-embedding", "e.isemb"]
                self.fails(code, "segment", MICRO, "photo.png", "--mask-input", name, *outputs, says=(name, says))
                self.write("p.json", json.dumps([[POINT], [{"type": "mask", "data": name}]]))
                self.fails(
                    code, "segment", MICRO, "photo.png", "--prompts", "p.json", *outputs, says=("p.json: object 1", says)
                )

    @unittest.skipIf(sys.platform == "win32", "no pipes with names")
    def test_pipes_and_devices_are_not_waited_for(self):
        os.mkfifo(self.dir / "fifo.png")
        for name in ("fifo.png", "/dev/zero"):
            self.write("p.json", json.dumps([{"type": "mask", "data": name}]))
            # contents() of the folder cannot be read with a pipe in it.
            done = self.run_tool("segment", MICRO, "photo.png", "--prompts", "p.json", "-o", "m.png")
            self.assertEqual((done.returncode, done.stderr.count(b"\n")), (3, 1))
            self.assertIn(b"not a regular file", done.stderr)
