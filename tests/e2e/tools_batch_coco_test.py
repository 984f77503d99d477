"""intsam-batch on COCO's files: boxes of a detector and of annotations, scores, rectangles, bad files."""

import json
import math

from tools_batch_support import MICRO, BatchTest
from tools_everything_test import coco_lengths, mask_of
from tools_support import decode_png


def area_of(polygon):
    pairs = zip(polygon, polygon[1:] + polygon[:1])
    return abs(sum(a[0] * b[1] - a[1] * b[0] for a, b in pairs)) / 2


class CocoTest(BatchTest):
    def setUp(self):
        super().setUp()
        self.sizes = self.photos(3)
        self.ids = {"p0.png": 7, "p1.png": 3, "p2.png": 11}
        # In an order of their own, which is that of the results.
        self.images = [{"id": self.ids[name], "file_name": name} for name in ("p1.png", "p0.png", "p2.png")]
        self.boxes = [
            {"image_id": 7, "category_id": 18, "bbox": [2.5, 2, 15, 12.25], "score": 0.75},
            {"image_id": 7, "category_id": 2, "bbox": [-3, -2, 12, 10], "score": 0.5},
            {"image_id": 3, "category_id": 2, "bbox": [1, 1, 30, 30], "score": 0.25},
            {"image_id": 7, "category_id": 2, "bbox": [1, 5, 8, 8], "score": 0.125},
        ]
        self.write("boxes.json", json.dumps(self.boxes))
        self.annotate()

    def annotate(self, **more):
        objects = [
            {"id": i + 1, "iscrowd": 0, **{key: box[key] for key in ("image_id", "category_id", "bbox")}}
            for i, box in enumerate(self.boxes)
        ]
        objects.append({"id": 99, "iscrowd": 1, "image_id": 11, "category_id": 2, "bbox": [0, 0, 9, 9]})
        categories = [{"id": 2, "name": "large vehicle"}, {"id": 18, "name": "dog"}, {"id": 20, "name": "ship"}]
        content = {"images": self.images, "annotations": objects, "categories": categories, **more}
        self.write("annotations.json", json.dumps(content))

    def coco(self, *arguments, out="out", code=0):
        """The report, and the results."""
        report = self.batch("in", "--annotations", "annotations.json", *arguments, "-o", out, code=code)
        return report, json.loads((self.dir / out / "results.json").read_bytes())

    def segment(self, name, box, *arguments):
        """What intsam-segment says of a box alone, and the mask."""
        x, y, width, height = box["bbox"]
        corners = f"{x},{y},{x + width},{y + height}"
        report = json.loads(
            self.succeeds("segment", MICRO, f"in/{name}", f"--box={corners}", *arguments, "-o", "m.png", "--json")
        )
        return report["objects"][0], bytes(v // 255 for v in decode_png((self.dir / "m.png").read_bytes())[3])


class Boxes(CocoTest):
    def test_results(self):
        """Masks are those of the single tool, scores the product; nothing but what pycocotools wants."""
        report, results = self.coco("--detections", "boxes.json", "-j", "2")
        self.assertEqual((report["photos"], report["masks"], report["left_out"]), (3, 4, 0))
        self.assertEqual([entry["image_id"] for entry in results], [3, 7, 7, 7])
        names = {value: key for key, value in self.ids.items()}
        for entry, box in zip(results, [self.boxes[i] for i in (2, 0, 1, 3)]):
            self.assertEqual(list(entry), ["image_id", "category_id", "segmentation", "score"])
            self.assertEqual((entry["image_id"], entry["category_id"]), (box["image_id"], box["category_id"]))
            name = names[box["image_id"]]
            answer, mask = self.segment(name, box)
            width, height = self.sizes[name]
            self.assertEqual(entry["segmentation"]["size"], [height, width])
            self.assertEqual(mask_of(coco_lengths(entry["segmentation"]["counts"]), width, height), mask)
            self.assertEqual(answer["mask"], 0)
            self.assertAlmostEqual(entry["score"], box["score"] * answer["predicted_iou"], delta=6e-5)

    def test_options(self):
        _, product = self.coco("--detections", "boxes.json")
        _, iou = self.coco("--detections", "boxes.json", "--score", "iou", out="iou")
        _, detector = self.coco("--detections", "boxes.json", "--score", "detector", out="detector")
        scores = [self.boxes[i]["score"] for i in (2, 0, 1, 3)]
        self.assertEqual([entry["score"] for entry in detector], scores)
        for one, other, score in zip(product, iou, scores):
            self.assertAlmostEqual(one["score"], other["score"] * score, delta=1e-7)
        _, least = self.coco("--detections", "boxes.json", "--min-score", "0.25", out="least")
        self.assertEqual(least, product[:3])
        _, best = self.coco("--detections", "boxes.json", "--max-dets", "1", out="most")
        self.assertEqual(best, product[:2])
        _, first = self.coco("--detections", "boxes.json", "--limit", "1", out="limit")
        self.assertEqual(first, product[:1])
        _, alternatives = self.coco("--detections", "boxes.json", "--select", "best", out="best")
        name, box = "p0.png", self.boxes[0]
        _, mask = self.segment(name, box, "--select", "best")
        self.assertEqual(mask_of(coco_lengths(alternatives[1]["segmentation"]["counts"]), *self.sizes[name]), mask)
        _, cascade = self.coco("--detections", "boxes.json", "--cascade", out="cascade")
        self.segment(name, box, "--logits", "l.npy")
        _, mask = self.segment(name, box, "--mask-input", "l.npy")
        self.assertEqual(mask_of(coco_lengths(cascade[1]["segmentation"]["counts"]), *self.sizes[name]), mask)

    def test_annotations_as_prompts(self):
        report, boxes = self.coco("--prompt", "gt-box")
        self.assertEqual((report["photos"], report["masks"]), (3, 4))
        _, iou = self.coco("--detections", "boxes.json", "--score", "iou", out="iou")
        self.assertEqual(boxes, iou)
        _, points = self.coco("--prompt", "center-point", out="points")
        entry = points[1]
        self.succeeds("segment", MICRO, "in/p0.png", "-p", "10,8.125", "-o", "m.png", "-q")
        mask = bytes(v // 255 for v in decode_png((self.dir / "m.png").read_bytes())[3])
        self.assertEqual(mask_of(coco_lengths(entry["segmentation"]["counts"]), 24, 16), mask)

    def test_photos_named_by_their_ids(self):
        for index in range(3):
            (self.dir / f"in/p{index}.png").rename(self.dir / f"in/{index:012}.png")
        detections = [{**box, "image_id": {7: 0, 3: 1}[box["image_id"]]} for box in self.boxes]
        self.write("boxes.json", json.dumps(detections))
        self.photos(1, first=4)
        done = self.run_tool("batch", MICRO, "in", "--detections", "boxes.json", "-o", "out")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"1 photos are not named by a number", done.stderr)
        results = json.loads((self.dir / "out/results.json").read_bytes())
        self.assertEqual([entry["image_id"] for entry in results], [0, 0, 0, 1])

    def test_folders_and_lines(self):
        self.batch("in", "--annotations", "annotations.json", "--detections", "boxes.json", "--format", "png", "-o", "png")
        header, *rows = (self.dir / "png/p0/metadata.csv").read_text().splitlines()
        self.assertTrue(header.endswith(",object,mask,predicted_iou,category_id,score"))
        self.assertEqual([row.split(",")[9] for row in rows], ["18", "2", "2"])
        self.assertEqual((self.dir / "png/p2/metadata.csv").read_text(), header)
        self.batch("in", "--annotations", "annotations.json", "--detections", "boxes.json", "--format", "jsonl", "-o", "l")
        validator = self.validator("batch_results")
        for line in self.lines("l/results.jsonl"):
            validator.validate(line)
            self.assertEqual(line["image_id"], self.ids[line["image"]])

    def test_rectangles(self):
        """DOTA's form: a file for each class, and rectangles no larger than upright ones around what is inside."""
        self.batch("in", "--annotations", "annotations.json", "--detections", "boxes.json", "--oriented", "-o", "out")
        _, results = self.coco("--detections", "boxes.json", out="masks")
        self.assertEqual((self.dir / "out/Task1_ship.txt").read_text(), "")
        lines = (self.dir / "out/Task1_large_vehicle.txt").read_text().splitlines()
        self.assertEqual([line.split()[:2] for line in lines], [["p1", "0.25000000"], ["p0", "0.50000000"], ["p0", "0.12500000"]])
        (dog,) = (self.dir / "out/Task1_dog.txt").read_text().splitlines()
        self.assertEqual({p.name for p in (self.dir / "out").iterdir()},
                         {"manifest.jsonl", "Task1_ship.txt", "Task1_dog.txt", "Task1_large_vehicle.txt"})  # fmt: skip
        numbers = [float(word) for word in dog.split()[2:]]
        polygon = list(zip(numbers[::2], numbers[1::2]))
        mask = mask_of(coco_lengths(results[1]["segmentation"]["counts"]), 24, 16)
        inside = [(i % 24, i // 24) for i, value in enumerate(mask) if value]
        xs, ys = [x for x, _ in inside], [y for _, y in inside]
        upright = (max(xs) - min(xs) + 1) * (max(ys) - min(ys) + 1)
        self.assertLessEqual(area_of(polygon), upright + 0.5)
        self.assertGreaterEqual(area_of(polygon), len(inside) - 0.5)
        for a, b in zip(polygon, polygon[1:] + polygon[:1]):
            length = math.dist(a, b)
            for x, y in inside:
                distance = ((b[0] - a[0]) * (y + 0.5 - a[1]) - (b[1] - a[1]) * (x + 0.5 - a[0])) / length
                self.assertGreater(distance, 0)


class BadFiles(CocoTest):
    def fails_with(self, code, *arguments, says):
        return self.fails(code, "batch", MICRO, "in", "--annotations", "annotations.json", *arguments, "-o", "out", says=says)

    def test_detections_about_nothing(self):
        """Boxes without an inside or outside of their photo, and of other images, are counted."""
        more = [
            {"image_id": 7, "category_id": 1, "bbox": [0, 0, 0, 0], "score": 0.1},
            {"image_id": 7, "category_id": 1, "bbox": [9, 9, -4, 3], "score": 0.1},
            {"image_id": 3, "category_id": 1, "bbox": [100, 100, 5, 5], "score": 0.1},
            {"image_id": 999, "category_id": 1, "bbox": [1, 1, 5, 5], "score": 0.1},
            {"image_id": 998, "category_id": 1, "bbox": [1, 1, 5, 5], "score": 0.1},
            self.boxes[0],
        ]
        self.write("boxes.json", json.dumps(self.boxes + more))
        done = self.run_tool("batch", MICRO, "in", "--annotations", "annotations.json", "--detections", "boxes.json",
                             "-o", "out", "--json")  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual((report["masks"], report["left_out"]), (5, 3))
        self.assertEqual(
            done.stderr.decode(),
            "intsam-batch: note: boxes.json: 2 boxes of 2 images that are none of the photos are left out, "
            "such as image_id 998\n",
        )
        self.assertEqual([line.get("left_out", 0) for line in self.manifest()[1:-1]], [1, 2, 0])
        # A box that is there twice is asked twice.
        results = json.loads((self.dir / "out/results.json").read_bytes())
        self.assertEqual(results[1], results[-1])
        self.write("boxes.json", json.dumps(more[3:5]))
        self.fails_with(2, "--detections", "boxes.json", says="none of its boxes is about one of the photos")

    def test_detections_that_are_none(self):
        for text, word in (
            ("", "not valid JSON"),
            ('[{"image_id": 7, "category_id": 1, "bbox": [NaN, 1, 2, 3], "score": 1}]', "NaN and Infinity are not JSON"),
            ("{}", "not a list of results"),
            ('[{"image_id": 7, "category_id": 1, "bbox": [1, 2, 3], "score": 1}]', 'entry 0: "bbox"'),
            ('[{"image_id": 7, "category_id": 1, "bbox": [1, 1, 2, 2]}]', 'entry 0: "score"'),
        ):
            self.write("boxes.json", text)
            self.fails_with(4, "--detections", "boxes.json", says=("boxes.json: ", word))
        self.write("boxes.json", '[{"a": ' + "[" * 5000)
        self.fails_with(6, "--detections", "boxes.json", says="nested deeper")
        self.fails_with(3, "--detections", "none.json", says="none.json")

    def test_no_detections(self):
        self.write("boxes.json", "[]")
        report, results = self.coco("--detections", "boxes.json")
        self.assertEqual((report["photos"], results), (3, []))

    def test_a_great_many(self):
        """A hundred thousand boxes, all but four of them below the score that counts."""
        boring = {"image_id": 11, "category_id": 1, "bbox": [1, 1, 5, 5], "score": 0.001}
        text = json.dumps(boring)
        self.write("boxes.json", "[" + ",".join([text] * 100_000) + "," + json.dumps(self.boxes)[1:])
        report, _ = self.coco("--detections", "boxes.json", "--min-score", "0.05")
        self.assertEqual(report["masks"], 4)

    def test_annotations(self):
        self.images[0]["file_name"] = "../p1.png"
        self.annotate()
        self.fails_with(4, "--prompt", "gt-box", says="'../p1.png' leads out of the folder")
        self.images[0]["file_name"] = "./p0.png"
        self.annotate()
        self.fails_with(4, "--prompt", "gt-box", says="'p0.png' is there twice")
        self.images[0]["file_name"] = "gone.png"
        self.annotate()
        report, results = self.coco("--prompt", "gt-box", "--keep-going", code=1)
        self.assertEqual((report["failed"], len(results)), (1, 3))
        self.assertIn("in/gone.png: cannot open", self.manifest()[1]["error"])
        self.fails(2, "batch", MICRO, "in/p0.png", "--annotations", "annotations.json", "--prompt", "gt-box", "-o", "x",
                   says="is not a folder")  # fmt: skip
        self.fails(2, "batch", MICRO, "in", "in", "--annotations", "annotations.json", "--prompt", "gt-box", "-o", "x",
                   says="one folder")  # fmt: skip
        self.annotate()
        self.fails(2, "batch", MICRO, "in", "--annotations", "annotations.json", "--prompt", "gt-box", "-o", "in",
                   says="folder of results")  # fmt: skip
        self.annotate(categories=[{"id": 1, "name": "a b"}, {"id": 2, "name": "a_b"}])
        self.fails_with(2, "--prompt", "gt-box", "--oriented", says="Task1_a_b.txt")
