"""intsam-segment: masks that do not depend on the machine, several objects, encoded photos, its JSON."""

import json
import os
import re
import subprocess
import unittest

from tools_support import Setup, ToolTest, decode_png, disc_rgb, encode_png

MICRO = "../micro.isam"


class SegmentTest(ToolTest):
    def ask(self, *arguments):
        """The report on photo.png, which is 48 x 32."""
        return json.loads(self.succeeds("segment", MICRO, self.photo(), *arguments, "--json"))

    def mask(self, name):
        width, height, channels, pixels = decode_png((self.dir / name).read_bytes())
        self.assertEqual(channels, 1, name)
        self.assertLessEqual(set(pixels), {0, 255}, name)
        return width, height, pixels

    def read(self, name):
        return (self.dir / name).read_bytes()


class Masks(SegmentTest):
    def tiers(self):
        report = json.loads(self.succeeds("inspect", "--kernels", "--json"))
        return [row["tier"] for row in report["kernels"] if row["supported"]]

    def test_same_bytes_on_every_tier_and_thread_count(self):
        photo = self.photo()
        files = ["m.png", "o.png", "c.png", "l.png", "z.npy", "e.isemb"]
        options = ["-o", "--overlay", "--cutout", "--label-map", "--logits", "--save-embedding"]
        outputs = [word for pair in zip(options, files) for word in pair]
        for prompt in (["-p", "16,16"], ["-b", "4.5,3,30.25,28"], ["-p", "16,16", "-p", "40,4,0", "-b", "2,2,40,30"]):
            seen = {}
            for tier in self.tiers():
                for threads in (1, 2, 3, 4):
                    run = [*prompt, *outputs, "-q", "-t", threads]
                    self.succeeds("segment", MICRO, photo, *run, env={"INTSAM_ISA": tier})
                    seen[tier, threads] = [self.read(name) for name in files]
            first = next(iter(seen.values()))
            self.assertEqual([run for run, found in seen.items() if found != first], [])

    def test_choice_of_mask(self):
        ask = lambda *arguments: self.ask(*arguments)["objects"][0]
        every = [ask("-p", "16,16", "--select", str(index)) for index in range(4)]
        self.assertEqual([found["mask"] for found in every], [0, 1, 2, 3])
        scores = [found["predicted_iou"] for found in every]
        for found in every:
            self.assertEqual([row["predicted_iou"] for row in found["alternatives"]], scores)
        best = max(range(1, 4), key=lambda index: scores[index])
        self.assertEqual(ask("-p", "16,16")["mask"], best)  # one point: ambiguous, so the best
        self.assertEqual(ask("-b", "4,4,30,30")["mask"], 0)
        self.assertEqual(ask("-p", "16,16", "-p", "20,20")["mask"], 0)
        self.assertNotEqual(ask("-b", "4,4,30,30", "--select", "best")["mask"], 0)
        for which in ("4", "-1", "all", ""):
            self.fails(2, "segment", MICRO, "photo.png", "-p", "1,1", "--json", f"--select={which}", says="--select")

    def test_words(self):
        """About the work, so on standard error; nothing with -q."""
        photo = self.photo()
        done = self.run_tool("segment", MICRO, photo, "-p", "16,16", "-o", "m.png", "--overlay", "o.png")
        self.assertEqual((done.returncode, done.stdout), (0, b""))
        found = self.ask("-p", "16,16")["objects"][0]
        first, second, third = done.stderr.decode().splitlines()
        score = f"{found['predicted_iou']:.3f}"
        self.assertEqual(first, f"mask {found['mask']}, predicted IoU {score}, {found['area']} pixels -> m.png")
        self.assertEqual(second, "overlay -> o.png")
        self.assertRegex(third, r"^open \d+\.\d ms, read .*, image encoder .*, mask decoder .* for 1 object, write ")
        self.assertEqual(self.succeeds("segment", MICRO, photo, "-p", "9,9", "-o", "m.png", "-q"), "")


class Objects(SegmentTest):
    def test_several_boxes_are_several_objects(self):
        photo = self.photo()
        boxes = ("4,4,30,30", "10,2,47,20", "1,1,9,9")
        report = self.ask(*(word for box in boxes for word in ("-b", box)), "-o", "m.png", "--logits", "z.npy")
        self.assertEqual([found["index"] for found in report["objects"]], [0, 1, 2])
        self.assertEqual([found["file"] for found in report["objects"]], ["m_0.png", "m_1.png", "m_2.png"])
        self.assertEqual([found["logits"] for found in report["objects"]], ["z_0.npy", "z_1.npy", "z_2.npy"])
        for index, box in enumerate(boxes):
            self.succeeds("segment", MICRO, photo, "-b", box, "-o", "one.png", "--logits", "one.npy", "-q")
            self.assertEqual(self.read("one.png"), self.read(f"m_{index}.png"))
            self.assertEqual(self.read("one.npy"), self.read(f"z_{index}.npy"))

    def test_more_objects_than_a_batch_holds(self):
        """Each is answered as if it were alone."""
        boxes = [[x, y, x + 12, y + 9] for x in range(0, 36, 3) for y in range(0, 23, 2)]
        self.write("p.json", json.dumps([[{"type": "box", "data": box}] for box in boxes]))
        self.assertGreater(len(boxes), 2 * 64)
        strip = lambda found: {key: found[key] for key in ("prompt", "mask", "alternatives", "bbox", "area")}
        objects = self.ask("--prompts", "p.json", "-t", "2")["objects"]
        self.assertEqual([found["prompt"]["box"] for found in objects], boxes)
        for index in (0, 63, 64, 127, 128, len(boxes) - 1):
            alone = self.ask("-b", ",".join(map(str, boxes[index])))["objects"][0]
            self.assertEqual(strip(objects[index]), strip(alone), index)

    @unittest.skipUnless(hasattr(os, "wait4"), "needs the memory of a child")
    def test_memory_does_not_grow_with_objects(self):
        """Masks are written when they are made: of many objects on a large photo one mask is in memory."""
        if Setup.emulator or Setup.sanitized:
            self.skipTest("the memory is the emulator's or the sanitizer's")
        side = 3000
        self.write("large.png", encode_png(side, side, bytes(side * side), 1))
        peak = {}
        for count in (1, 24):
            boxes = [[10 * i, 5 * i, 10 * i + 900, 5 * i + 700] for i in range(count)]
            self.write("p.json", json.dumps([[{"type": "box", "data": box}] for box in boxes]))
            words = ["large.png", "--prompts", "p.json", "--json", "--label-map", "l.png", "--overlay", "o.png", "-t", "1"]
            with open(os.devnull, "wb") as nothing:
                child = subprocess.Popen(Setup.command("segment", MICRO, *words), stdout=nothing, cwd=self.dir)
                _, status, usage = os.wait4(child.pid, 0)
                child.returncode = status
            self.assertEqual(status, 0)
            peak[count] = usage.ru_maxrss * 1024
        # 23 masks of a byte per pixel would be 207 MB. Allowed: the results of 24 prompts and bits for the overlay.
        self.assertLess(peak[24] - peak[1], 6 * side * side)

    def test_too_much_for_an_overlay(self):
        """Known before anything is computed."""
        side = 2000
        self.write("large.png", encode_png(side, side, bytes(side * side), 1))
        box = {"type": "box", "data": [1, 1, 900, 900]}
        self.write("p.json", json.dumps([[box]] * 4096))
        words = ["--prompts", "p.json", "--overlay", "o.png", "--overlay-size", "0", "--save-embedding", "e.isemb"]
        self.fails(6, "segment", MICRO, "large.png", *words, says=("--overlay", "4096 objects", "--overlay-size"))


class Embedding(SegmentTest):
    def test_alone(self):
        """Nothing but the encoded photo: no prompt is needed for it, and no photo afterwards."""
        photo = self.photo()
        report = self.ask("--save-embedding", "e.isemb")
        self.assertEqual((report["objects"], report["saved_embedding"]), ([], "e.isemb"))
        self.succeeds("segment", MICRO, photo, "-p", "16,16", "-o", "a.png", "-q")
        self.succeeds("segment", MICRO, "--embedding", "e.isemb", "-p", "16,16", "-o", "b.png", "-q")
        self.succeeds("segment", MICRO, photo, "--embedding", "e.isemb", "-p", "16,16", "-o", "c.png", "-q")
        self.assertTrue(self.read("a.png") == self.read("b.png") == self.read("c.png"))
        if "convert" in Setup.tools:
            self.succeeds("convert", MICRO, "--part", "decoder", "-o", "d.isam", "-q")
            self.succeeds("segment", "d.isam", "--embedding", "e.isemb", "-p", "16,16", "-o", "d.png", "-q")
            self.assertEqual((self.dir / "d.png").read_bytes(), (self.dir / "b.png").read_bytes())
            words = ("image", "no image encoder")
            self.fails(5, "segment", "d.isam", photo, "-p", "16,16", "-o", "f.png", "-q", says=words)
            self.fails(2, "convert", MICRO, "--part", "encoder", "-o", "f.isam", says=("--part", "encoder"))
            for option in (("--bits", "w6a6"), ("--max-mib", "1"), ("--calib", "."), ("--stretch",)):
                self.fails(2, "convert", MICRO, "--part", "decoder", *option, "-o", "f.isam", says=option[:1])
        report = json.loads(self.succeeds("segment", MICRO, "--embedding", "e.isemb", "-p", "16,16", "--json"))
        self.assertEqual((report["size"], report["embedding"]), ([48, 32], "e.isemb"))
        self.assertNotIn("image", report)

    def test_with_a_prompt(self):
        photo = self.photo()
        self.succeeds("segment", MICRO, photo, "-p", "16,16", "-o", "a.png", "--save-embedding", "e.isemb", "-q")
        self.photo("other.png", 32, 48)
        self.succeeds("segment", MICRO, "other.png", "-p", "16,16", "--save-embedding", "f.isemb", "-q")
        self.assertNotEqual(self.read("e.isemb")[-32:], self.read("f.isemb")[-32:])

    def test_of_another_photo(self):
        """Of the same size, even: the mirror image."""
        self.ask("--save-embedding", "e.isemb")
        rows = [disc_rgb(48, 32)[144 * y : 144 * (y + 1)] for y in range(32)]
        mirrored = b"".join(row[i : i + 3] for row in rows for i in range(141, -3, -3))
        self.write("mirror.png", encode_png(48, 32, mirrored))
        use = ["--embedding", "e.isemb", "-p", "1,1", "-o", "m.png"]
        self.fails(2, "segment", MICRO, "mirror.png", *use, says=("e.isemb", "another photo"))
        self.photo("wide.png", 50, 32)
        self.fails(2, "segment", MICRO, "wide.png", *use, says=("e.isemb", "another photo", "48 x 32", "50 x 32"))

    def test_what_needs_the_photo(self):
        self.ask("--save-embedding", "e.isemb")
        for option in ("--overlay", "--cutout"):
            self.fails(2, "segment", MICRO, "--embedding", "e.isemb", "-p", "1,1", option, "o.png", says=(option, "IMAGE"))
        self.fails(
            2, "segment", MICRO, "photo.png", "--embedding", "e.isemb", "--save-embedding", "f", says="--save-embedding"
        )


class Report(SegmentTest):
    def test_schema(self):
        validator = self.validator("segment")
        self.write("half.png", encode_png(48, 32, b"\xff" * (48 * 16) + bytes(48 * 16), 1))
        every = ["--overlay", "o.png", "--cutout", "c.png", "--label-map", "l.png", "--save-embedding", "e.isemb"]
        reports = [
            self.ask("-p", "16.5,16", "-p", "40,4,0", "-b", "-2,2,40,30", "--mask-input", "half.png"),
            self.ask("-b", "2,2,40,30", "-b", "1,1,20,20", "-o", "m.png", "--logits", "z.npy", *every),
            self.ask("--save-embedding", "e.isemb"),
            json.loads(self.succeeds("segment", MICRO, "--embedding", "e.isemb", "-p", "9,9", "--json")),
        ]
        for report in reports:
            validator.validate(report)
        self.refuses(
            validator,
            reports[0],
            lambda r: r.pop("size"),
            lambda r: r.update(more=1),
            lambda r: r["objects"][0].update(predicted_iou="0.5"),
            lambda r: r["objects"][0].update(prompt={}),
            lambda r: r["objects"][0]["bbox"].append(1),
        )

    def test_fields(self):
        report = self.ask("-p", "16.5,16", "-p", "40,4,0", "-b", "-2.5,2,40,99", "-o", "m.png", "-t", "2")
        self.assertEqual((report["model"], report["size"], report["threads"]), (MICRO, [48, 32], 2))
        self.assertTrue(report["image"].endswith("photo.png"))
        self.assertRegex(report["intsam"], r"^\d+\.\d+\.\d+$")
        self.assertEqual(list(report["times_ms"]), ["open", "read", "encode", "decode", "write"])
        (found,) = report["objects"]
        # The box is what the model was asked: cut at the edges of the photo.
        self.assertEqual(found["prompt"], {"points": [[16.5, 16, 1], [40, 4, 0]], "box": [0, 2, 40, 32]})
        self.assertEqual(found["predicted_iou"], found["alternatives"][found["mask"]]["predicted_iou"])
        width, height, pixels = self.mask("m.png")
        inside = [(i % width, i // width) for i, value in enumerate(pixels) if value]
        self.assertEqual(len(inside), found["area"])
        xs, ys = [x for x, _ in inside], [y for _, y in inside]
        self.assertEqual(found["bbox"], [min(xs), min(ys), max(xs) - min(xs) + 1, max(ys) - min(ys) + 1])

    def test_numbers_have_few_decimals(self):
        text = self.succeeds("segment", MICRO, self.photo(), "-p", "16.53125,16.1", "-b", "1,1,9,9", "--json")
        for number in re.findall(r"-?\d+\.\d+(?:e-?\d+)?", re.sub(r'"intsam".*', "", text)):
            self.assertRegex(number, r"^-?\d+\.\d{1,6}$")
        self.assertIn("16.53125", text)
        self.assertIn("16.09375", text)  # to 1/64

    def test_names_that_are_not_utf8(self):
        photo = self.photo()
        try:
            name = os.fsdecode(b"caf\xe9.png")
            (self.dir / name).touch()
        except OSError:
            self.skipTest("this file system has no such names")
        report = json.loads(self.succeeds("segment", MICRO, photo, "-p", "1,1", "-o", name, "--json"))
        self.assertEqual(report["objects"][0]["file"], "caf\ufffd.png")
        self.mask(name)


class Photo(SegmentTest):
    def setUp(self):
        super().setUp()
        if Setup.model is None:
            raise unittest.SkipTest("no --model")

    def test_astronaut(self):
        """The head in its box: a plausible area, and nearly nothing outside."""
        photo = Setup.source / "models/photos/astronaut.png"
        x0, y0, x1, y1 = 150, 10, 300, 190
        words = ["--box", f"{x0},{y0},{x1},{y1}", "-o", "m.png", "--overlay", "o.png", "--json"]
        report = json.loads(self.succeeds("segment", Setup.model, photo, *words))
        width, height, pixels = self.mask("m.png")
        self.assertEqual((width, height), (512, 512))
        area = pixels.count(255)
        self.assertEqual(area, report["objects"][0]["area"])
        self.assertTrue(5000 < area < 25000, area)
        inside = sum(pixels[y * width + x0 : y * width + x1].count(255) for y in range(y0, y1))
        self.assertGreater(inside, 0.95 * area)
        self.assertEqual(pixels[100 * width + 225], 255)  # the face
        overlay = decode_png(self.read("o.png"))
        original = decode_png(photo.read_bytes())
        self.assertEqual(overlay[:3], (512, 512, 3))
        changed = sum(overlay[3][i : i + 3] != original[3][i : i + 3] for i in range(0, len(original[3]), 3))
        self.assertGreater(changed, area)
        self.assertLess(changed, area + 20000)  # mask, contour, box and tag; the rest is the photo itself
