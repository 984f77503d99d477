"""intsam-everything: files in the original package's forms, against a writer in Python; pictures, bad input."""

import json
import os
import signal
import struct
import subprocess
import sys
import time
import unittest

from tools_support import Setup, ToolTest, decode_png, encode_png

MICRO = "../micro.isam"
# A model with random weights is sure of nothing and its masks are alike, so nothing is filtered.
ALL = ("--pred-iou-thresh", "0", "--stability-score-thresh", "0", "--box-nms-thresh", "1", "--points-per-side", "4")
HEADER = (
    "id,area,bbox_x0,bbox_y0,bbox_w,bbox_h,point_input_x,point_input_y,predicted_iou,stability_score,"
    "crop_box_x0,crop_box_y0,crop_box_w,crop_box_h"
)


def score(value):
    return f"{value:.6f}"


def csv_of(masks):
    """metadata.csv as the original's write_masks_to_folder joins it, of the masks in a --json report."""
    rows = [HEADER]
    for mask in masks:
        x, y = mask["point_coords"][0]
        values = [mask["id"], mask["area"], *mask["bbox"], float(x), float(y)]
        values += [score(mask["predicted_iou"]), score(mask["stability_score"]), *mask["crop_box"]]
        rows.append(",".join(map(str, values)))
    return "\n".join(rows).encode()


def lengths_of(inside, width, height):
    """Run lengths down the columns, beginning with what is outside."""
    runs, value = [0], 0
    for x in range(width):
        for y in range(height):
            if inside[y * width + x] != value:
                runs.append(0)
                value = inside[y * width + x]
            runs[-1] += 1
    return runs


def mask_of(lengths, width, height):
    down = b"".join(bytes([index % 2]) * length for index, length in enumerate(lengths))
    return bytes(down[x * height + y] for y in range(height) for x in range(width))


def coco_lengths(text):
    """pycocotools' rleFrString."""
    lengths, at = [], 0
    while at < len(text):
        value, shift, more = 0, 0, True
        while more:
            digit = ord(text[at]) - 48
            value |= (digit & 31) << shift
            more, at, shift = bool(digit & 32), at + 1, shift + 5
        if digit & 16:
            value -= 1 << shift
        lengths.append(value + (lengths[-2] if len(lengths) > 2 else 0))
    return lengths


def rle_of(masks, counts):
    """The JSON that the original's json.dump gives, with scores of six decimals."""
    records = []
    for mask, count in zip(masks, counts):
        points = [[float(value) for value in point] for point in mask["point_coords"]]
        records.append(
            '{"segmentation": %s, "area": %d, "bbox": %s, "predicted_iou": %s, "point_coords": %s, '
            '"stability_score": %s, "crop_box": %s}'
            % (
                json.dumps({"size": [32, 48], "counts": count}),
                mask["area"],
                json.dumps(mask["bbox"]),
                score(mask["predicted_iou"]),
                json.dumps(points),
                score(mask["stability_score"]),
                json.dumps(mask["crop_box"]),
            )
        )
    return ("[" + ", ".join(records) + "]").encode()


class EverythingTest(ToolTest):
    def find(self, *arguments):
        """The report on photo.png, which is 48 x 32."""
        return json.loads(self.succeeds("everything", MICRO, self.photo(), *ALL, *arguments, "--json"))

    def read(self, name):
        return (self.dir / name).read_bytes()

    def pngs(self, count, folder="out/photo"):
        masks = []
        for index in range(count):
            width, height, channels, pixels = decode_png(self.read(f"{folder}/{index}.png"))
            self.assertEqual((width, height, channels), (48, 32, 1))
            self.assertLessEqual(set(pixels), {0, 255})
            masks.append(bytes(value // 255 for value in pixels))
        return masks


class Files(EverythingTest):
    def test_folder(self):
        report = self.find("-o", "out")
        masks = report["masks"]
        self.assertGreater(len(masks), 1)
        self.assertEqual((report["output"], report["size"]), ("out/photo", [48, 32]))
        self.assertEqual(self.read("out/photo/metadata.csv"), csv_of(masks))
        names = {"metadata.csv", *(f"{index}.png" for index in range(len(masks)))}
        self.assertEqual(set(os.listdir(self.dir / "out/photo")), names)
        self.assertEqual(os.listdir(self.dir / "out"), ["photo"])
        for mask, inside in zip(masks, self.pngs(len(masks))):
            self.assertEqual(sum(inside), mask["area"])
            columns = [x for x in range(48) if any(inside[x::48])]
            rows = [y for y in range(32) if any(inside[48 * y : 48 * (y + 1)])]
            box = [columns[0], rows[0], columns[-1] - columns[0], rows[-1] - rows[0]]
            self.assertEqual(box, mask["bbox"])
            self.assertEqual(mask["crop_box"], [0, 0, 48, 32])
        ious = [mask["predicted_iou"] for mask in masks]
        self.assertEqual(ious, sorted(ious, reverse=True))

    def test_run_lengths(self):
        """Both forms, in any of the ways to ask for them, are those of the PNGs."""
        masks = self.find("-o", "out")["masks"]
        plain = [lengths_of(inside, 48, 32) for inside in self.pngs(len(masks))]
        self.assertEqual(self.find("-o", "out", "--rle=plain")["output"], "out/photo.json")
        self.assertEqual(self.read("out/photo.json"), rle_of(masks, plain))
        self.find("-o", "out", "--convert-to-rle")
        packed = self.read("out/photo.json")
        counts = [record["segmentation"]["counts"] for record in json.loads(packed)]
        self.assertEqual(packed, rle_of(masks, counts))
        for mask, text, lengths in zip(masks, counts, plain):
            self.assertEqual(coco_lengths(text), lengths)
            self.assertEqual(sum(mask_of(lengths, 48, 32)), mask["area"])
        self.find("-o", "file.json")
        self.find("-o", "other/deep", "--rle")
        self.assertEqual([self.read("file.json"), self.read("other/deep/photo.json")], [packed] * 2)
        done = self.run_tool("everything", MICRO, "photo.png", *ALL, "-o", "-", "-q")
        self.assertEqual((done.returncode, done.stdout), (0, packed))

    def test_nothing_found(self):
        none = ("--pred-iou-thresh", "1.9")
        self.assertEqual(self.find("-o", "out", *none)["masks"], [])
        self.assertEqual(self.read("out/photo/metadata.csv"), HEADER.encode())
        self.find("-o", "none.json", "--overlay", "o.png", "--label-map", "l.png", *none)
        self.assertEqual(self.read("none.json"), b"[]")
        self.assertEqual(set(decode_png(self.read("l.png"))[3]), {0})

    def test_threads_and_batches(self):
        outputs = ("--overlay", "o.png", "--label-map", "l.png", "--crop-n-layers", "1")
        seen = set()
        for threads, batch in (("1", "64"), ("3", "64"), ("3", "5")):
            report = self.find("-o", f"t{threads}_{batch}", *outputs, "-t", threads, "--points-per-batch", batch)
            self.assertIn([0, 0, 48, 32], [mask["crop_box"] for mask in report["masks"]])
            folder = self.dir / f"t{threads}_{batch}/photo"
            files = [(path.name, path.read_bytes()) for path in sorted(folder.iterdir())]
            seen.add((*files, self.read("o.png"), self.read("l.png")))
        self.assertEqual(len(seen), 1)

    def test_pictures(self):
        masks = self.find("-o", "out", "--label-map", "l.png", "--overlay", "o.png")["masks"]
        width, height, channels, pixels = decode_png(self.read("l.png"))
        self.assertEqual((width, height, channels, len(pixels)), (48, 32, 1, 2 * 48 * 32))
        labels = struct.unpack(f">{48 * 32}H", pixels)
        rank = lambda index: (masks[index]["area"], -index)
        for pixel, values in enumerate(zip(*self.pngs(len(masks)))):
            inside = [index for index, value in enumerate(values) if value]
            self.assertEqual(labels[pixel], 1 + min(inside, key=rank) if inside else 0, pixel)
        self.assertEqual(decode_png(self.read("o.png"))[:3], (48, 32, 3))
        self.find("--overlay", "s.jpg", "--overlay-size", "24")
        self.assertEqual(self.read("s.jpg")[:3], b"\xff\xd8\xff")

    def test_json(self):
        """The report fits its schema, and its numbers are printed as those of the files."""
        arguments = ("everything", MICRO, self.photo(), *ALL, "-o", "out", "--rle", "--json")
        text = self.succeeds(*arguments, "--overlay", "o.png", "--label-map", "l.png")
        report = json.loads(text)
        validator = self.validator("everything")
        validator.validate(report)
        validator.validate(self.find("--overlay", "o.png", "--pred-iou-thresh", "1.9"))
        self.refuses(
            validator,
            report,
            lambda r: r.pop("masks"),
            lambda r: r.update(more=1),
            lambda r: r["masks"][0].update(stability_score="1"),
            lambda r: r["masks"][0]["bbox"].append(1),
            lambda r: r["masks"][0]["point_coords"].append([1, 1]),
        )
        members = lambda records: [part.split("}")[0] for part in records.split('"area"')[1:]]
        reported, written = members(text), members(self.read("out/photo.json").decode())
        self.assertEqual(len(reported), len(report["masks"]))
        self.assertEqual(reported, written)

    def test_words(self):
        done = self.run_tool("everything", MICRO, self.photo(), *ALL, "-o", "out", "--overlay", "o.png")
        self.assertEqual((done.returncode, done.stdout), (0, b""))
        first, second, third = done.stderr.decode().splitlines()
        self.assertRegex(first, r"^\d+ masks? -> out/photo$")
        self.assertEqual(second, "overlay -> o.png")
        self.assertRegex(third, r"^open \d+\.\d ms, read .*, search .*, write .* \(.*, 1 thread\)$")
        self.assertEqual(self.succeeds("everything", MICRO, "photo.png", *ALL, "-o", "again", "-q"), "")


class Overwriting(EverythingTest):
    def test_a_folder_that_exists(self):
        self.find("-o", "out")
        self.fails(2, "everything", MICRO, "photo.png", *ALL, "-o", "out", says=("out/photo", "--overwrite"))
        self.write("out/photo/900.png", "not one of ours")
        self.write("out/photo/notes.txt", "mine")
        before = self.contents()
        masks = self.find("-o", "out", "--overwrite")["masks"]
        self.assertEqual(self.contents(), before)
        fewer = self.find("-o", "out", "--overwrite", "--points-per-side", "1")["masks"]
        self.assertLess(len(fewer), len(masks))
        self.assertEqual(self.read("out/photo/metadata.csv"), csv_of(fewer))
        names = {"metadata.csv", "notes.txt", "900.png", *(f"{index}.png" for index in range(len(fewer)))}
        self.assertEqual(set(os.listdir(self.dir / "out/photo")), names)

    def test_what_is_no_folder(self):
        self.write("photo", "a file")
        self.fails(2, "everything", MICRO, self.photo(), *ALL, "-o", ".", says="./photo: exists already")
        self.fails(2, "everything", MICRO, self.photo(), *ALL, "-o", ".", "--overwrite", says="not a folder")
        self.fails(3, "everything", MICRO, self.photo(), *ALL, "-o", "photo", says="photo/photo: cannot create")

    def test_nothing_is_written_over_what_is_read(self):
        photo = self.photo()
        for option in ("--overlay", "--label-map"):
            self.fails(2, "everything", MICRO, photo, option, "photo.png", says=("the same file", "IMAGE"))
        self.fails(2, "everything", MICRO, photo, "--overlay", "x.png", "--label-map", "./x.png", says="the same file")


class BadInput(EverythingTest):
    def test_options(self):
        photo = self.photo()
        for option, value in (
            ("--points-per-side", "0"),
            ("--points-per-side", "many"),
            ("--points-per-batch", "4097"),
            ("--pred-iou-thresh", "-0.1"),
            ("--pred-iou-thresh", "nan"),
            ("--pred-iou-thresh", "1e-3"),
            ("--stability-score-thresh", "0.1234567891"),
            ("--stability-score-offset", "40000"),
            ("--box-nms-thresh", ""),
            ("--crop-nms-thresh", "."),
            ("--crop-n-layers", "6"),
            ("--crop-overlap-ratio", "1.01"),
            ("--crop-n-points-downscale-factor", "0"),
            ("--min-mask-region-area", "-1"),
            ("--rle", "yes"),
            ("--overlay", "o.gif"),
            ("--label-map", "l.jpg"),
            ("--output", ""),
        ):
            name = option.lstrip("-")
            text = self.fails(2, "everything", MICRO, photo, "--json", f"{option}={value}")
            self.assertTrue(name in text or name.replace("-", "_") in text, text)
        self.fails(2, "everything", MICRO, photo, says="--output")
        self.fails(2, "everything", MICRO, "-", "-o", "out", says="standard input")
        self.fails(2, "everything", MICRO, photo, "-o", "-", "--json", says="standard output")

    def test_files(self):
        self.fails(3, "everything", MICRO, "none.png", "-o", "out", says="none.png")
        self.fails(3, "everything", "none.isam", self.photo(), "-o", "out", says="none.isam")
        self.fails(4, "everything", MICRO, self.write("bad.png", b"\x89PNG\r\n\x1a\n"), "-o", "out", says="bad.png")

    @unittest.skipUnless(os.path.exists("/dev/full"), "needs /dev/full")
    def test_full_output(self):
        self.photo()
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                Setup.command("everything", MICRO, "photo.png", *ALL, "-o", "-", "-q"),
                stdout=full, stderr=subprocess.PIPE, cwd=self.dir, check=False, timeout=300,
            )  # fmt: skip
        self.assertEqual(done.returncode, 3)
        self.assertEqual(done.stderr.count(b"\n"), 1)

    @unittest.skipIf(sys.platform == "emscripten", "no limits")
    def test_a_disk_that_is_full_in_the_middle(self):
        """A file size limit stands for it: the masks of a large photo do not fit, and no folder remains."""
        import resource

        if Setup.emulator:
            self.skipTest("the limit would be the emulator's")
        noise = bytes((x * x * 7 + x // 3) % 251 for x in range(700 * 500))
        self.write("large.png", encode_png(700, 500, noise, 1))
        before = self.contents()
        done = subprocess.run(
            Setup.command("everything", MICRO, "large.png", *ALL, "-o", "deep/out", "-q"),
            stderr=subprocess.PIPE,
            cwd=self.dir,
            check=False,
            timeout=300,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64)),
        )
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertRegex(done.stderr, rb"^intsam-everything: deep/out/large/\d+\.png: cannot write: .*\n$")
        self.assertEqual(self.contents(), before)

    @unittest.skipIf(sys.platform == "emscripten", "no signals")
    def test_interrupted_while_writing(self):
        if Setup.emulator:
            self.skipTest("signals would reach the emulator")
        self.write("wide.png", encode_png(4000, 3000, bytes(4000 * 3000), 1))
        before = self.contents()
        process = subprocess.Popen(
            Setup.command("everything", MICRO, "wide.png", *ALL, "-o", "deep/out", "-q", "-t", "1"),
            stderr=subprocess.PIPE, cwd=self.dir,
        )  # fmt: skip
        self.addCleanup(process.kill)
        until = time.monotonic() + 120
        # os.walk passes over folders that vanish under it: that of the check before the search does.
        found = lambda: any(".intsam-" in folder and files for folder, _, files in os.walk(self.dir))
        while not found() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.001)
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=120)
        if process.returncode == 0:
            self.skipTest("it was done before it could be interrupted")
        self.assertEqual((process.returncode, words), (130, b"intsam-everything: interrupted\n"))
        self.assertEqual(self.contents(), before)
