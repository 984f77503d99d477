"""Files that intsam-segment writes: overlay, cut-out, label map; names, formats and streams; nothing is lost."""

import json
import os
import shutil
import struct

from tools_segment_test import MICRO, SegmentTest
from tools_support import decode_png, disc_rgb, encode_png

BOXES = ("4,4,30,30", "10,2,47,20", "1,1,9,9")


class Pictures(SegmentTest):
    def segment_all(self, *arguments):
        boxes = [word for box in BOXES for word in ("-b", box)]
        return self.ask(*boxes, "-o", "m.png", *arguments)["objects"]

    def masks(self):
        return [self.mask(f"m_{index}.png")[2] for index in range(len(BOXES))]

    def test_cutout(self):
        """The photo with the union of the masks as alpha."""
        self.segment_all("--cutout", "c.png")
        width, height, channels, pixels = decode_png(self.read("c.png"))
        self.assertEqual((width, height, channels), (48, 32, 4))
        union = bytes(max(values) for values in zip(*self.masks()))
        self.assertEqual(pixels[3::4], union)
        rgb = disc_rgb(48, 32)
        for channel in range(3):
            self.assertEqual(pixels[channel::4], rgb[channel::3])
        self.assertEqual(len(set(union)), 2)

    def test_label_map(self):
        """1 more than the index; where masks overlap, the smaller one, and of equal ones the later."""
        found = self.segment_all("--label-map", "l.png")
        width, height, channels, pixels = decode_png(self.read("l.png"))
        self.assertEqual((width, height, channels, len(pixels)), (48, 32, 1, 2 * 48 * 32))
        labels = struct.unpack(f">{48 * 32}H", pixels)
        rank = lambda index: (found[index]["area"], -index)
        for pixel, values in enumerate(zip(*self.masks())):
            inside = [index for index, value in enumerate(values) if value]
            self.assertEqual(labels[pixel], 1 + min(inside, key=rank) if inside else 0, pixel)
        self.assertEqual(self.ask("-b", BOXES[0], "-b", BOXES[0], "--label-map", "same.png")["label_map"], "same.png")
        twice = struct.unpack(f">{48 * 32}H", decode_png(self.read("same.png"))[3])
        self.assertEqual(set(twice), {0, 2})

    def test_overlay(self):
        self.segment_all("--overlay", "o.png")
        self.assertEqual(decode_png(self.read("o.png"))[:3], (48, 32, 3))
        self.segment_all("--overlay", "s.png", "--overlay-size", "24")
        self.assertEqual(decode_png(self.read("s.png"))[:3], (24, 16, 3))
        self.segment_all("--overlay", "f.png", "--overlay-size", "0")
        self.assertEqual(self.read("f.png"), self.read("o.png"))
        for name in ("o.jpg", "o.JPEG"):
            self.segment_all("--overlay", name)
            self.assertEqual(self.read(name)[:3], b"\xff\xd8\xff")

    def test_a_large_photo_gets_a_small_overlay(self):
        self.write("wide.png", encode_png(3000, 20, bytes(3000 * 20), 1))
        words = ["-b", "100,2,900,18", "--overlay", "o.png", "-o", "m.png", "-q"]
        self.succeeds("segment", MICRO, "wide.png", *words)
        self.assertEqual(decode_png(self.read("o.png"))[:2], (2048, 14))
        self.assertEqual(self.mask("m.png")[:2], (3000, 20))


class Names(SegmentTest):
    def test_the_ending_is_the_format(self):
        photo = self.photo()
        for option, name, says in (
            ("-o", "m.jpg", ".png"),
            ("-o", "m", ".png"),
            ("-o", ".png", ".png"),
            ("--overlay", "o.gif", ".png or .jpg"),
            ("--cutout", "c.jpg", ".png"),
            ("--label-map", "l.tif", ".png"),
            ("--logits", "z.png", ".npy"),
        ):
            self.fails(2, "segment", MICRO, photo, "-p", "1,1", option, name, says=(f"'{name}'", says))
        for option in ("-o", "--overlay", "--cutout", "--label-map", "--logits", "--save-embedding", "--embedding"):
            self.fails(2, "segment", MICRO, photo, "-p", "1,1", option, "", says="the name of the file is empty")

    def test_nothing_is_written_over_what_is_read_or_written(self):
        photo, model = self.photo(), shutil.copy(self.dir / MICRO, self.dir / "model.png")
        self.write("p.json", '[{"type": "point", "data": [9, 9]}, {"type": "mask", "data": "half.png"}]')
        self.write("half.png", encode_png(48, 32, b"\xff" * (48 * 32), 1))
        os.symlink("photo.png", self.dir / "link.png")
        point = ["-p", "9,9"]
        for arguments, says in (
            ([*point, "-o", "photo.png"], "IMAGE"),
            ([*point, "-o", "./photo.png"], "IMAGE"),
            ([*point, "--overlay", "link.png"], "IMAGE"),
            ([*point, "--cutout", "model.png"], "MODEL"),
            ([*point, "-o", "x.png", "--overlay", "x.png"], "--output"),
            ([*point, "--save-embedding", "x.png", "--label-map", "./x.png"], "--label-map"),
            (["-b", "1,1,9,9", "-b", "2,2,9,9", "-o", "x.png", "--overlay", "x_1.png"], "--output"),
            (["--prompts", "p.json", "-o", "half.png"], "mask"),
            (["--prompts", "p.json", "--save-embedding", "p.json"], "--prompts"),
        ):
            with self.subTest(arguments):
                self.fails(2, "segment", model, photo, *arguments, says=("the same file", says))

    def test_overwrites_only_on_success(self):
        photo = self.photo()
        old = self.write("m.png", "old")
        self.fails(2, "segment", MICRO, photo, "-p", "99,99", "-o", old)
        self.succeeds("segment", MICRO, photo, "-p", "9,9", "-o", old, "-q")
        self.mask("m.png")


class Streams(SegmentTest):
    def test_one_output_may_be_standard_output(self):
        photo = self.photo()
        for option, name in (
            ("-o", "a.png"),
            ("--overlay", "a.png"),
            ("--cutout", "a.png"),
            ("--label-map", "a.png"),
            ("--logits", "a.npy"),
            ("--save-embedding", "a.isemb"),
        ):
            self.succeeds("segment", MICRO, photo, "-p", "9,9", option, name, "-q")
            done = self.run_tool("segment", MICRO, photo, "-p", "9,9", option, "-")
            self.assertEqual((done.returncode, done.stdout), (0, self.read(name)), option)
            self.assertTrue(done.stderr)  # the words

    def test_only_one_stream(self):
        photo = self.photo()
        for arguments in (
            ["-p", "9,9", "-o", "-", "--overlay", "-"],
            ["-p", "9,9", "-o", "-", "--json"],
            ["-b", "1,1,9,9", "-b", "2,2,9,9", "-o", "-"],
        ):
            self.fails(2, "segment", MICRO, photo, *arguments, says="-")
