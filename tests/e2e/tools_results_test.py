"""What intsam-convert and intsam-compare compute: files in their documented forms, accuracy."""

import json
import struct

from tools_support import Setup, ToolTest, encode_png

MICRO = "../micro.isam"
DATA = "tests/checkpoint/data"


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
        self.fails(4, *compare, "--strict", says="b.png")

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
