"""What the tools compute: masks that do not depend on the machine, files in their documented forms, accuracy."""

import json
import struct
import unittest

from tools_support import Setup, ToolTest, decode_png, encode_png

MICRO = "../micro.isam"
DATA = "tests/checkpoint/data"


def mask_of(path):
    width, height, channels, pixels = decode_png(path.read_bytes())
    assert channels == 1 and set(pixels) <= {0, 255}, "a mask is gray, 0 or 255"
    return width, height, pixels


def differences(a, b):
    return sum(x != y for x, y in zip(a, b))


class Masks(ToolTest):
    def tiers(self):
        return [
            row["tier"]
            for row in json.loads(self.succeeds("inspect", "--kernels", "--json"))["kernels"]
            if row["supported"]
        ]

    def test_same_bytes_on_every_tier_and_thread_count(self):
        photo = self.photo()
        for prompt in (["-p", "16,16"], ["-b", "4.5,3,30.25,28"], ["-p", "16,16", "-p", "40,4,0", "-b", "2,2,40,30"]):
            seen = {}
            for tier in self.tiers():
                for threads in (1, 2, 3, 4):
                    self.succeeds(
                        "segment",
                        MICRO,
                        photo,
                        *prompt,
                        "-o",
                        "m.png",
                        "--overlay",
                        "o.png",
                        "--save-embedding",
                        "e.isemb",
                        "-q",
                        "-t",
                        threads,
                        env={"INTSAM_ISA": tier},
                    )
                    seen[tier, threads] = [(self.dir / name).read_bytes() for name in ("m.png", "o.png", "e.isemb")]
            first = next(iter(seen.values()))
            self.assertEqual([run for run, files in seen.items() if files != first], [])

    def test_json(self):
        photo = self.photo()
        report = json.loads(self.succeeds("segment", MICRO, photo, "-p", "16,16", "-o", "m.png", "--json", "-t", "2"))
        self.assertEqual(report["threads"], 2)
        self.assertIn(report["isa"], self.tiers())
        self.assertTrue(report["open_ms"] >= 0 and report["encode_ms"] > 0 and report["decode_ms"] > 0)
        (found,) = report["objects"]
        self.assertEqual(found["file"], "m.png")
        self.assertRegex(found["predicted_iou"], r"^-?\d\.\d{3}$")
        width, height, pixels = mask_of(self.dir / "m.png")
        self.assertEqual((width, height, pixels.count(255)), (48, 32, found["area"]))
        text = self.succeeds("segment", MICRO, photo, "-p", "16,16", "-o", "m.png")
        self.assertIn(
            f"mask {found['mask']}, predicted IoU {found['predicted_iou']}, {found['area']} pixels -> m.png", text
        )

    def test_choice_of_mask(self):
        photo = self.photo()
        ask = lambda *arguments: json.loads(self.succeeds("segment", MICRO, photo, "--json", *arguments))["objects"][0]
        every = [ask("-p", "16,16", "--mask", str(index)) for index in range(4)]
        self.assertEqual([found["mask"] for found in every], [0, 1, 2, 3])
        best = max(every[1:], key=lambda found: float(found["predicted_iou"]))
        self.assertEqual(
            ask("-p", "16,16")["predicted_iou"], best["predicted_iou"]
        )  # one point: ambiguous, so the best
        self.assertEqual(ask("-b", "4,4,30,30")["mask"], 0)
        self.assertNotEqual(ask("-b", "4,4,30,30", "--mask", "best")["mask"], 0)

    def test_prompt_file_is_the_command_line(self):
        photo = self.photo()
        self.succeeds(
            "segment", MICRO, photo, "-p", "16.5,16", "-p", "40,4,0", "-b", "2,2,40,30", "-o", "line.png", "-q"
        )
        entries = [
            {"type": "point", "data": [16.5, 16], "label": 1},
            {"type": "point", "data": [40, 4], "label": 0},
            {"type": "rectangle", "data": [2, 2, 40, 30]},
        ]
        self.write("one.json", json.dumps(entries))
        self.succeeds("segment", MICRO, photo, "--prompts", "one.json", "-o", "file.png", "-q")
        self.assertEqual((self.dir / "line.png").read_bytes(), (self.dir / "file.png").read_bytes())
        self.write("two.json", json.dumps([entries, [{"type": "box", "data": [1, 1, 9, 9]}]]))
        report = json.loads(self.succeeds("segment", MICRO, photo, "--prompts", "two.json", "-o", "two.png", "--json"))
        self.assertEqual([found["file"] for found in report["objects"]], ["two_0.png", "two_1.png"])
        self.assertEqual((self.dir / "two_0.png").read_bytes(), (self.dir / "line.png").read_bytes())
        self.assertEqual(mask_of(self.dir / "two_1.png")[:2], (48, 32))

    def test_mask_prompt_matters(self):
        photo = self.photo()
        self.write("half.png", encode_png(48, 32, b"\xff" * (48 * 16) + bytes(48 * 16), 1))
        self.write("with.json", '[{"type": "point", "data": [16, 16]}, {"type": "mask", "data": "half.png"}]')
        ask = lambda *prompt: json.loads(self.succeeds("segment", MICRO, photo, *prompt, "--mask", "1", "--json"))[
            "objects"
        ]
        self.assertNotEqual(ask("--prompts", "with.json"), ask("-p", "16,16"))

    def test_embedding_gives_the_same_mask(self):
        photo = self.photo()
        self.succeeds("segment", MICRO, photo, "-p", "16,16", "-o", "a.png", "--save-embedding", "e.isemb", "-q")
        self.succeeds("segment", MICRO, photo, "-p", "16,16", "-o", "b.png", "--embedding", "e.isemb", "-q")
        self.assertEqual((self.dir / "a.png").read_bytes(), (self.dir / "b.png").read_bytes())
        self.photo("other.png", 32, 48)
        self.succeeds("segment", MICRO, "other.png", "-p", "16,16", "--save-embedding", "f.isemb", "-q")
        self.assertNotEqual((self.dir / "e.isemb").read_bytes()[-32:], (self.dir / "f.isemb").read_bytes()[-32:])

    def test_overwrites_only_on_success(self):
        photo = self.photo()
        old = self.write("m.png", "old")
        self.fails(2, "segment", MICRO, photo, "-p", "99,99", "-o", old)
        self.succeeds("segment", MICRO, photo, "-p", "9,9", "-o", old, "-q")
        mask_of(old)

    def test_quiet(self):
        self.assertEqual(self.succeeds("segment", MICRO, self.photo(), "-p", "9,9", "-o", "m.png", "-q"), "")


class Photo(ToolTest):
    def setUp(self):
        super().setUp()
        if Setup.model is None:
            raise unittest.SkipTest("no --model")

    def test_astronaut(self):
        """The head in its box: a plausible area, and nearly nothing outside."""
        box = (150, 10, 300, 190)
        photo = Setup.source / "models/photos/astronaut.png"
        report = json.loads(
            self.succeeds(
                "segment",
                Setup.model,
                photo,
                "--box",
                ",".join(map(str, box)),
                "-o",
                "m.png",
                "--overlay",
                "o.png",
                "--json",
            )
        )
        width, height, pixels = mask_of(self.dir / "m.png")
        self.assertEqual((width, height), (512, 512))
        area = pixels.count(255)
        self.assertEqual(area, report["objects"][0]["area"])
        self.assertTrue(5000 < area < 25000, area)
        x0, y0, x1, y1 = box
        inside = sum(pixels[y * width + x0 : y * width + x1].count(255) for y in range(y0, y1))
        self.assertGreater(inside, 0.95 * area)
        self.assertEqual(pixels[100 * width + 225], 255)  # the face
        overlay = decode_png((self.dir / "o.png").read_bytes())
        original = decode_png(photo.read_bytes())
        self.assertEqual(overlay[:3], (512, 512, 3))
        self.assertGreater(differences(overlay[3], original[3]), area)


class Convert(ToolTest):
    def test_reproducible(self):
        """With as many threads, that is: they decide the order in which the float reference sums."""
        for name, seed in (("a", 1), ("b", 2)):
            self.succeeds("convert", "--synthetic", "micro", "--seed", seed, "-t", "1", "-o", f"{name}.isam", "-q")
        a, b = ((self.dir / f"{name}.isam").read_bytes() for name in "ab")
        self.assertTrue(a == (Setup.scratch / "micro.isam").read_bytes() != b)

    def test_formats_agree(self):
        """The same weights from safetensors and from a PyTorch file, the configuration beside them or named."""
        (self.dir / "photos").mkdir()
        self.photo("photos/a.png")
        self.photo("photos/b.png", 40, 60)
        common = ["--calib", "photos", "--config", Setup.source / DATA / "micro.json"]
        report = json.loads(
            self.succeeds("convert", Setup.source / DATA / "micro_f32.safetensors", *common, "-o", "a.isam", "--json")
        )
        self.assertEqual((report["model"], report["model_bytes"]), ("a.isam", (self.dir / "a.isam").stat().st_size))
        self.assertEqual((report["provenance"]["calibration_images"], report["provenance"]["method"]), (2, "intsam"))
        self.succeeds("convert", Setup.source / DATA / "micro_f32.pth", *common, "-o", "b.isam", "-q")
        show = lambda name: json.loads(self.succeeds("inspect", name, "--hashes", "--json"))["hashes"]
        for section in ("fields", "data"):
            self.assertEqual(show("a.isam")[section + "_sha256"], show("b.isam")[section + "_sha256"])
        self.succeeds(
            "convert",
            Setup.source / DATA / "micro_f32.safetensors",
            *common,
            "-o",
            "c.isam",
            "--method",
            "percentile",
            "--calib-limit",
            "1",
            "-q",
        )
        provenance = json.loads(self.succeeds("inspect", "c.isam", "--json"))["provenance"]
        self.assertEqual((provenance["calibration_images"], provenance["method"]), (1, "percentile"))
        self.assertNotEqual(show("a.isam")["data_sha256"], show("c.isam")["data_sha256"])


class Compare(ToolTest):
    def setUp(self):
        super().setUp()
        (self.dir / "photos").mkdir()
        self.checkpoint, self.config = Setup.source / DATA / "micro_f32.safetensors", Setup.source / DATA / "micro.json"
        for name, width, height in (("a", 60, 40), ("b", 40, 56)):
            self.photo(f"photos/{name}.png", width, height)
            labels = b"".join(
                struct.pack(">H", 300 if x < width // 2 else 7 if y < height // 2 else 0)
                for y in range(height)
                for x in range(width)
            )
            self.write(f"photos/{name}.labels.0.png", encode_png(width, height, labels, 1, 16))
        self.succeeds("convert", self.checkpoint, "--config", self.config, "--calib", "photos", "-o", "m.isam", "-q")
        self.arguments = [
            "-m",
            "m.isam",
            "--checkpoint",
            self.checkpoint,
            "--config",
            self.config,
            "--images",
            "photos",
        ]

    def test_with_labels(self):
        report = json.loads(self.succeeds("compare", *self.arguments, "--labels", "photos", "--json", "-t", "2"))
        self.assertEqual((report["images"], report["threads"]), (2, 2))
        for kind in ("point", "box"):
            self.assertEqual(report[kind]["prompts"], 4)  # two regions in each photo; 0 is no region
            for key in ("miou_fp32", "miou_int", "mask_agreement", "worst_agreement"):
                self.assertTrue(0 <= report[kind][key] <= 1, (kind, key))
            self.assertLess(abs(report[kind]["miou_fp32"] - report[kind]["miou_int"]), 0.2)
        self.assertTrue(
            0 < report["embedding_relative_l2"] < 0.2 and report["int_encode_s"] > 0 and report["fp32_encode_s"] > 0
        )
        self.assertIn("2 photos", self.succeeds("compare", *self.arguments, "--labels", "photos"))

    def test_without_labels(self):
        report = json.loads(self.succeeds("compare", *self.arguments, "--limit", "1", "--json"))
        self.assertEqual(report["images"], 1)
        self.assertNotIn("miou_fp32", report["point"])
        self.assertTrue(0 <= report["box"]["worst_agreement"] <= report["box"]["mask_agreement"] <= 1)

    def test_labels_without_a_usable_region(self):
        for name, width, height in (("a", 60, 40), ("b", 40, 56)):
            self.write(f"photos/{name}.labels.0.png", encode_png(width, height, bytes(width * height), 1))
        self.fails(2, "compare", *self.arguments, "--labels", "photos", "--json", says="no region")
        line = bytes(9 if x == 30 else 0 for _ in range(40) for x in range(60))  # a region, but its box is empty
        self.write("photos/a.labels.0.png", encode_png(60, 40, line, 1))
        report = json.loads(
            self.succeeds("compare", *self.arguments, "--labels", "photos", "--json", "--min-agreement", "1")
        )
        self.assertEqual((report["point"]["prompts"], report["box"]["prompts"]), (1, 0))

    def test_same_result_on_every_tier(self):
        tiers = [
            row["tier"]
            for row in json.loads(self.succeeds("inspect", "--kernels", "--json"))["kernels"]
            if row["supported"]
        ]
        reports = []
        for tier in tiers:
            report = json.loads(self.succeeds("compare", *self.arguments, "--json", "--limit", "1", "--isa", tier))
            reports.append([report[key] for key in ("point", "box", "embedding_relative_l2", "logits_relative_l2")])
        self.assertEqual([report for report in reports if report != reports[0]], [])

    def test_difference(self):
        """Another model of the same shape does not agree with the checkpoint: exit code 1."""
        done = self.run_tool("compare", "-m", MICRO, *self.arguments[2:], "--min-agreement", "100", "--json")
        self.assertEqual(done.returncode, 1)
        self.assertLess(json.loads(done.stdout)["point"]["mask_agreement"], 1)
        self.assertRegex(done.stderr.decode(), r"^intsam-compare: mask agreement 0\.\d+ is below 100 %\n$")

    def test_bad_labels(self):
        compare = ["compare", *self.arguments, "--labels", "photos"]
        path = self.dir / "photos/a.labels.0.png"
        good = path.read_bytes()
        path.unlink()
        self.fails(3, *compare, says="a.labels.0.png")
        for data, code in (
            (good[: len(good) // 2], 4),
            (good[:-20] + b"\0" + good[-19:], 4),
            (b"", 4),
            (encode_png(59, 40, bytes(59 * 40), 1), 4),
            (encode_png(60, 40, bytes(3 * 60 * 40)), 5),
        ):
            path.write_bytes(data)
            self.fails(code, *compare, says="a.labels.0.png")
        path.write_bytes(good)
        photo = self.dir / "photos/b.png"
        photo.write_bytes(photo.read_bytes()[:-30])
        self.fails(4, *compare, says="b.png")

    def test_other_shape(self):
        self.fails(
            2,
            "compare",
            "-m",
            "m.isam",
            "--checkpoint",
            Setup.source / "models/sam_tiny.safetensors",
            "--images",
            "photos",
            says="sam_tiny.safetensors",
        )
