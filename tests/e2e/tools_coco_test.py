"""COCO's annotations in the other tools: calibration photos, both models' results, and intsam-coco on what they wrote."""

import importlib.util
import json
import subprocess
import sys
import unittest

from tools_batch_support import BatchTest
from tools_support import Setup

DATA = "tests/checkpoint/data"


def down_the_columns(boxes, width, height):
    """Run lengths of what lies in any of the boxes (x, y, width, height)."""
    runs, last = [0], False
    for x in range(width):
        for y in range(height):
            inside = any(bx <= x < bx + w and by <= y < by + h for bx, by, w, h in boxes)
            if inside != last:
                runs.append(0)
                last = inside
            runs[-1] += 1
    return runs


class Annotated(BatchTest):
    """Three photos, p2.png first, with boxes as regions."""

    def setUp(self):
        super().setUp()
        self.sizes = self.photos(3)
        self.truth = {"p2.png": [[3, 2, 12, 10]], "p0.png": [[2, 2, 15, 12], [1, 1, 5, 5]], "p1.png": [[1, 4, 10, 10]]}
        images, annotations = [], []
        for name, boxes in self.truth.items():
            width, height = self.sizes[name]
            images.append({"id": 10 + len(images), "file_name": name, "width": width, "height": height})
            for box in boxes:
                counts = down_the_columns([box], width, height)
                annotations.append({
                    "id": len(annotations) + 1, "image_id": images[-1]["id"], "category_id": 1, "iscrowd": 0,
                    "area": box[2] * box[3], "bbox": box, "segmentation": {"size": [height, width], "counts": counts},
                })  # fmt: skip
        self.content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "region"}]}
        self.write("truth.json", json.dumps(self.content))


class Calibration(Annotated):
    def test_the_first_photos_of_the_annotations(self):
        self.needs("convert")
        checkpoint = [Setup.source / DATA / "micro_f32.safetensors", "--config", Setup.source / DATA / "micro.json", "-t", "1"]
        coco = ["--calib-coco", "truth.json", "--calib-images", "in"]
        self.succeeds("convert", *checkpoint, *coco, "--calib-limit", "2", "-o", "a.isam", "-q")
        (self.dir / "first").mkdir()
        for order, name in enumerate(("p2.png", "p0.png")):
            (self.dir / f"first/{order}.png").write_bytes((self.dir / "in" / name).read_bytes())
        self.succeeds("convert", *checkpoint, "--calib", "first", "-o", "b.isam", "-q")
        self.assertEqual((self.dir / "a.isam").read_bytes(), (self.dir / "b.isam").read_bytes())
        fails = lambda code, *more, says: self.fails(code, "convert", *checkpoint, "-o", "c.isam", *more, says=says)
        fails(2, "--calib-coco", "truth.json", says="--calib-images")
        fails(2, *coco, "--calib", "in", says="--calib-coco: does not go with --calib")
        fails(2, "--calib-coco", "truth.json", "--calib-images", "none", says="none: is not a folder")
        fails(3, "--calib-coco", "none.json", "--calib-images", "in", says="none.json")
        self.fails(2, "convert", *checkpoint, *coco, "-o", "truth.json", says=("the same file", "--calib-coco"))
        self.fails(2, "convert", *checkpoint, *coco, "-o", "in/p1.png", says="the same file")


class Comparison(Annotated):
    def test_both_models_results(self):
        self.needs("compare")
        checkpoint, config = Setup.source / DATA / "micro_f32.safetensors", Setup.source / DATA / "micro.json"
        self.succeeds("convert", checkpoint, "--config", config, "--calib", "in", "-o", "m.isam", "-q")
        (self.dir / "both").mkdir()
        common = ["-m", "m.isam", "--checkpoint", checkpoint, "--config", config, "--images", "in"]
        coco = ["--coco", "truth.json", "--coco-results", "both"]
        self.succeeds("compare", *common, *coco, "-q")
        fp32, integer = (json.loads((self.dir / f"both/{name}.json").read_bytes()) for name in ("fp32", "int"))
        self.run_tool("batch", "m.isam", "in", "--annotations", "truth.json", "--prompt", "gt-box", "-o", "out")
        self.assertEqual(integer, json.loads((self.dir / "out/results.json").read_bytes()))
        self.assertEqual([entry["image_id"] for entry in fp32], [10, 11, 11, 12])
        for one, other in zip(fp32, integer):
            self.assertEqual(one["segmentation"]["size"], other["segmentation"]["size"])
            self.assertAlmostEqual(one["score"], other["score"], delta=0.1)
        self.fails(2, "compare", *common, "--coco", "truth.json", says="--coco-results")
        self.fails(2, "compare", *common, *coco, "--labels", "in", says="--labels")


@unittest.skipUnless(importlib.util.find_spec("pycocotools"), "needs the Python package pycocotools")
class Precision(Annotated):
    def measure(self, *arguments, code=0):
        script = Setup.source / "apps/coco/intsam_coco.py"
        done = subprocess.run(
            [sys.executable, "-B", script, *arguments, "--annotations", "truth.json"],
            capture_output=True, cwd=self.dir, check=False, timeout=300,
        )  # fmt: skip
        self.assertEqual(done.returncode, code, done.stderr)
        if code:
            self.assertRegex(done.stderr.decode(), r"^intsam-coco: [^\n]*\n$")
            return done.stderr.decode()
        return done.stdout.decode()

    def results(self, name, change=lambda box: box):
        """The regions themselves as results, changed, with the score falling from one to the next."""
        entries = []
        for index, entry in enumerate(self.content["annotations"]):
            height, width = entry["segmentation"]["size"]
            box = change(entry["bbox"])
            if box is not None:
                counts = down_the_columns([box], width, height)
                from pycocotools import mask

                packed = mask.frPyObjects({"size": [height, width], "counts": counts}, height, width)
                entries.append({
                    "image_id": entry["image_id"], "category_id": 1, "score": 1 - index / 10,
                    "segmentation": {"size": [height, width], "counts": packed["counts"].decode()},
                })  # fmt: skip
        self.write(name, json.dumps(entries))
        return name

    def test_figures(self):
        same = self.results("same.json")
        narrow = self.results("narrow.json", lambda box: [box[0], box[1], box[2] * 4 // 5, box[3]])
        half = self.results("half.json", lambda box: box if box[2] > 11 else None)
        self.write("none.json", "[]")
        report = json.loads(self.measure(same, narrow, half, "none.json", "--json"))
        rows = {row["results"]: row for row in report["rows"]}
        self.assertEqual((report["images"], rows["same.json"]["masks"]), (3, 4))
        self.assertAlmostEqual(rows["same.json"]["AP"], 1)
        self.assertEqual((rows["same.json"]["M"], rows["same.json"]["L"]), (None, None))
        self.assertAlmostEqual(rows["narrow.json"]["AP50"], 1)
        self.assertLess(rows["narrow.json"]["AP"], rows["narrow.json"]["AP75"])
        self.assertAlmostEqual(rows["half.json"]["AP"], 0.5, delta=0.02)
        self.assertEqual(rows["none.json"]["AP"], 0)
        first = json.loads(self.measure(half, "--limit", "1", "--json"))["rows"][0]
        self.assertEqual(first["masks"], 1)
        self.assertAlmostEqual(first["AP"], 1)
        lines = self.measure(same, narrow).splitlines()
        self.assertEqual(lines[0].split(), ["masks", "AP", "AP50", "AP75", "S", "M", "L"])
        self.assertEqual(lines[1].split(), ["same.json", "4", "1.0000", "1.0000", "1.0000", "1.0000", "-", "-"])

    def test_what_the_batch_tool_writes(self):
        self.batch("in", "--annotations", "truth.json", "--prompt", "gt-box", "-o", "out")
        row = json.loads(self.measure("out/results.json", "--json"))["rows"][0]
        self.assertEqual(row["masks"], 4)
        self.assertTrue(0 <= row["AP"] <= row["AP50"] <= 1)

    def test_bad_files(self):
        self.assertIn("none.json: cannot read", self.measure("none.json", code=3))
        self.write("bad.json", "{")
        self.assertIn("bad.json: not valid JSON", self.measure("bad.json", code=4))
        self.write("bad.json", "{}")
        self.assertIn("not a list of results", self.measure("bad.json", code=4))
        self.write("bad.json", '[{"image_id": 10, "category_id": 1, "score": 1}]')
        self.assertIn('entry 0: "segmentation" is missing', self.measure("bad.json", code=4))
        self.write("bad.json", '[{"image_id": 77, "category_id": 1, "score": 1, "segmentation": {}}]')
        self.assertIn("have no image 77", self.measure("bad.json", code=2))
        self.assertIn("--max-dets", self.measure("none.json", "--max-dets", "0", code=2))
