"""intsam-batch: its jobs against the tools that do one photo, its formats, lists of photos, bad photos and options."""

import json
import os
import subprocess
import sys
import unittest

from tools_batch_support import ALL, AUTO, MICRO, BatchTest
from tools_support import Setup, decode_png, encode_png


class Jobs(BatchTest):
    def test_everything_is_what_the_other_tool_finds(self):
        """In its two forms, byte for byte; and the forms for all photos hold the same."""
        sizes = self.photos(3)
        for form in ("png", "rle", "jsonl", "coco"):
            report = self.batch("in", *AUTO, "--format", form, "-o", form)
            self.assertEqual((report["photos"], report["failed"], report["resumed"]), (3, 0, 0))
        for name in sizes:
            self.succeeds("everything", MICRO, f"in/{name}", *ALL, "-o", "single", "-q")
            self.succeeds("everything", MICRO, f"in/{name}", *ALL, "-o", "single", "--rle", "-q")
        single = self.tree("single")
        together = {**self.tree("png"), **self.tree("rle")}
        together.pop("manifest.jsonl")
        self.assertEqual(together, single)
        records = {name: json.loads(single[name.replace(".png", ".json")]) for name in sizes}
        lines = self.lines("jsonl/results.jsonl")
        self.assertEqual([(line["image"], line["size"]) for line in lines], list(sizes.items()))
        self.assertEqual([line["masks"] for line in lines], list(records.values()))
        coco = json.loads((self.dir / "coco/results.json").read_bytes())
        expected = [
            (name, 1, record["segmentation"], record["predicted_iou"])
            for name in sizes
            for record in records[name]
        ]
        self.assertEqual([tuple(entry.values()) for entry in coco], expected)

    def test_prompts_are_answered_as_by_the_other_tool(self):
        self.photos(3)
        prompts = {
            "p2.png": [[{"type": "point", "data": [12, 8]}], [{"type": "box", "data": [2, 2, 20, 15]}]],
            "p0.png": [{"type": "rectangle", "data": [-1, 1, 20.5, 14]}, {"type": "mask", "data": "half.png"}],
        }
        (self.dir / "asked").mkdir()
        self.write("asked/half.png", encode_png(24, 16, b"\xff" * (24 * 8) + bytes(24 * 8), 1))
        text = "".join(json.dumps({"image": name, "prompts": entry}) + "\n" for name, entry in prompts.items())
        self.write("asked/prompts.jsonl", text + "\n")
        report = self.batch("in", "--prompts", "asked/prompts.jsonl", "-o", "out")
        self.assertEqual((report["photos"], report["masks"]), (2, 3))
        self.batch("in", "--prompts", "asked/prompts.jsonl", "-o", "lines", "--format", "jsonl")
        lines = {line["image"]: line["masks"] for line in self.lines("lines/results.jsonl")}
        self.assertEqual(list(lines), ["p0.png", "p2.png"])
        for name, entry in prompts.items():
            self.write("asked/one.json", json.dumps(entry))
            single = json.loads(
                self.succeeds("segment", MICRO, f"in/{name}", "--prompts", "asked/one.json", "-o", "m.png", "--json")
            )
            metadata = (self.dir / "out" / name[:-4] / "metadata.csv").read_text().splitlines()
            self.assertEqual(metadata[0], "id,area,bbox_x0,bbox_y0,bbox_w,bbox_h,object,mask,predicted_iou")
            for index, answer in enumerate(single["objects"]):
                ours = (self.dir / "out" / name[:-4] / f"{index}.png").read_bytes()
                self.assertEqual(ours, (self.dir / answer["file"]).read_bytes())
                row = metadata[1 + index].split(",")
                self.assertEqual((int(row[1]), int(row[6]), int(row[7])), (answer["area"], index, answer["mask"]))
                self.assertAlmostEqual(float(row[8]), answer["predicted_iou"], delta=6e-5)
                self.assertEqual(lines[name][index]["area"], answer["area"])

    def test_embeddings_are_those_of_the_other_tool(self):
        self.photos(2)
        report = self.batch("in", "--embeddings", "-o", "out")
        self.assertEqual((report["photos"], report["masks"]), (2, 0))
        for name in ("p0", "p1"):
            self.succeeds("segment", MICRO, f"in/{name}.png", "--save-embedding", "e.isemb", "-q")
            self.assertEqual((self.dir / f"out/{name}.isemb").read_bytes(), (self.dir / "e.isemb").read_bytes())

    def test_class_maps(self):
        sizes = self.photos(2)
        (self.dir / "maps").mkdir()
        for name, (width, height) in sizes.items():
            self.write(f"maps/{name}", encode_png(width, height, bytes(x * 5 // width for x in range(width)) * height, 1))
        self.batch("in", *AUTO, "--semantic", "maps", "-o", "out")
        self.batch("in", *AUTO, "-o", "png")
        for name, (width, height) in sizes.items():
            before = decode_png((self.dir / "maps" / name).read_bytes())[3]
            folder = self.dir / "png" / name[:-4]
            masks = [decode_png((folder / f"{i}.png").read_bytes())[3] for i in range(len(list(folder.glob("*.png"))))]
            after = bytearray(before)
            for mask in sorted(masks, key=lambda mask: -sum(mask)):
                inside = [i for i, value in enumerate(mask) if value]
                votes = sorted((before[i] for i in inside), key=lambda c: (-[before[j] for j in inside].count(c), c))
                for i in inside:
                    after[i] = votes[0]
            self.assertEqual(decode_png((self.dir / "out" / name).read_bytes()), (width, height, 1, bytes(after)))

    def test_class_maps_that_do_not_fit(self):
        self.photos(1)
        (self.dir / "maps").mkdir()
        self.write("maps/p0.png", encode_png(16, 16, bytes(256), 1))
        done = self.run_tool("batch", MICRO, "in", *AUTO, "--semantic", "maps", "-o", "out", "-q")
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"class map of 16 x 16 pixels", done.stderr)
        self.fails(2, "batch", MICRO, "in", *AUTO, "--semantic", "maps", "-o", "in/../maps", says="--semantic")


class Schemas(BatchTest):
    def test_report_manifest_and_lines(self):
        self.photos(2)
        self.write("in/bad.png", b"\x89PNG\r\n\x1a\n")
        reports = [
            self.batch("in", *AUTO, "--format", "jsonl", "-o", "out", "--keep-going", code=1),
            self.batch("in/p0.png", *AUTO, "-o", "png"),
        ]
        report = self.validator("batch")
        for one in reports:
            report.validate(one)
        self.refuses(report, reports[0], lambda r: r.pop("photos"), lambda r: r.update(more=1))
        manifest = self.validator("batch_manifest")
        lines = self.lines("out/manifest.jsonl")
        self.assertEqual([line.get("status") for line in lines], [None, "failed", "done", "done", "complete"])
        for line in lines + self.lines("png/manifest.jsonl"):
            manifest.validate(line)
        self.refuses(manifest, lines[1], lambda r: r.pop("error"), lambda r: r.update(more=1))
        self.refuses(manifest, lines[2], lambda r: r.pop("masks"), lambda r: r.update(status="maybe"))
        results = self.validator("batch_results")
        lines = self.lines("out/results.jsonl")
        for line in lines:
            results.validate(line)
        self.refuses(results, lines[0], lambda r: r.pop("size"), lambda r: r["masks"][0].update(area=-1))

    def test_words(self):
        self.photos(2)
        done = self.run_tool("batch", MICRO, "in", *AUTO, "-o", "out")
        self.assertEqual((done.returncode, done.stdout), (0, b""))
        first, second = done.stderr.decode().splitlines()
        self.assertRegex(first, r"^2 photos, \d+ masks -> out$")
        self.assertRegex(second, r"^\d+\.\d s, \d+\.\d\d photos per second \(.*, \d jobs? of 1 thread\)$")


class Workers(BatchTest):
    def test_results_do_not_depend_on_them(self):
        self.photos(7)
        for form in ("png", "jsonl"):
            seen = []
            for jobs, threads in ((1, 1), (3, 1), (2, 2), (7, 1)):
                out = f"{form}_{jobs}_{threads}"
                report = self.batch("in", *AUTO, "--format", form, "-o", out, "-j", jobs, "-t", threads)
                self.assertEqual((report["jobs"], report["threads"]), (jobs, threads))
                seen.append(self.tree(out))
            for other in seen[1:]:
                self.assertEqual(other, seen[0])

    def test_there_are_no_more_than_photos(self):
        self.photos(2)
        self.assertEqual(self.batch("in", *AUTO, "-o", "out", "-j", "9")["jobs"], 2)

    def test_shards_at_the_same_time(self):
        sizes = self.photos(9)
        self.batch("in", *AUTO, "--format", "jsonl", "-o", "whole")
        processes = [
            subprocess.Popen(
                Setup.command("batch", MICRO, "in", *AUTO, "--format", "jsonl", "-o", "out", "--shard", f"{i}/3", "-q"),
                cwd=self.dir,
            )
            for i in (1, 2, 3)
        ]
        self.assertEqual([process.wait(timeout=300) for process in processes], [0, 0, 0])
        names = [line["image"] for i in (1, 2, 3) for line in self.lines(f"out/results.{i}-of-3.jsonl")]
        self.assertEqual(sorted(names), sorted(sizes))
        together = {
            line["image"]: line for i in (1, 2, 3) for line in self.lines(f"out/results.{i}-of-3.jsonl")
        }  # fmt: skip
        self.assertEqual([together[name] for name in sizes], self.lines("whole/results.jsonl"))

    def setUp(self):
        super().setUp()
        if Setup.emulator and self._testMethodName == "test_shards_at_the_same_time":
            self.skipTest("one process at a time")


class Lists(BatchTest):
    def names(self, *arguments):
        self.batch(*arguments, "--embeddings", "-o", "out")
        names = [line["image"] for line in self.manifest()[1:-1]]
        for path in (self.dir / "out").rglob("*"):
            if path.is_file():
                path.unlink()
        return names

    def test_where_photos_come_from(self):
        self.photos(2)
        self.photos(1, "in/deep")
        self.assertEqual(self.names("in"), ["p0.png", "p1.png"])
        self.assertEqual(self.names("in", "--recursive"), ["deep/p0.png", "p0.png", "p1.png"])
        self.assertEqual(self.names("in/p1.png", "in/deep"), ["p1.png", "p0.png"])
        self.assertEqual(self.names("in/*.png", "--limit", "1"), ["p0.png"])
        self.write("list", "in/p1.png\nin/deep/p0.png\n")
        self.assertEqual(self.names("--list", "list"), ["in/p1.png", "in/deep/p0.png"])
        done = self.run_tool("batch", MICRO, "--list", "-", "--embeddings", "-o", "o", "-q", stdin=b"in/p0.png\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue((self.dir / "o/in/p0.isemb").is_file())

    def test_bad_ones(self):
        self.photos(2)
        self.write("in/p0.jpg", "")
        fails = lambda *arguments, says: self.fails(2, "batch", MICRO, *arguments, *AUTO, "-o", "out", says=says)
        fails("in", says="p0.jpg and p0.png would have one name")
        fails("in/p1.png", "in/p1.png", says="both called p1.png")
        fails("gone/*", says="gone/*")
        self.fails(2, "batch", MICRO, "in", *AUTO, "-o", "in", says="folder of results")
        self.fails(3, "batch", MICRO, "--list", "none", *AUTO, "-o", "out", says="none")
        (self.dir / "empty").mkdir()
        fails("empty", says="holds no photo")


class BadPhotos(BatchTest):
    def setUp(self):
        super().setUp()
        self.photos(4)
        self.write("in/p1x.png", b"\x89PNG\r\n\x1a\n")
        self.write("in/p2x.png", "")

    def test_the_first_one_ends_the_run(self):
        done = self.run_tool("batch", MICRO, "in", *AUTO, "--format", "jsonl", "-o", "out", "-q", "-j", "2")
        self.assertEqual(done.returncode, 4)
        self.assertRegex(done.stderr, rb"^intsam-batch: in/p1x\.png: .*\n$")
        self.assertEqual([line.get("image") for line in self.manifest()], [None, "p0.png", "p1.png"])
        # Put right, the run goes on with it.
        os.remove(self.dir / "in/p2x.png")
        self.write("in/p1x.png", (self.dir / "in/p3.png").read_bytes())
        report = self.batch("in", *AUTO, "--format", "jsonl", "-o", "out", "--resume")
        self.assertEqual((report["photos"], report["resumed"], report["failed"]), (5, 2, 0))

    def test_keep_going(self):
        done = self.run_tool("batch", MICRO, "in", *AUTO, "-o", "out", "--keep-going", "-j", "3")
        self.assertEqual(done.returncode, 1)
        words = done.stderr.decode().splitlines()
        self.assertEqual(len([line for line in words if line.startswith("intsam-batch: note: in/p")]), 2)
        self.assertEqual(words[-1], "intsam-batch: 2 of 6 photos failed; out/manifest.jsonl says why")
        status = {line["image"]: line for line in self.manifest()[1:-1]}
        self.assertEqual([name for name, line in status.items() if line["status"] == "failed"], ["p1x.png", "p2x.png"])
        self.assertEqual(status["p1x.png"]["code"], 4)
        self.assertIn("in/p2x.png", status["p2x.png"]["error"])
        self.assertEqual({path.name for path in (self.dir / "out").iterdir() if path.is_dir()}, {"p0", "p1", "p2", "p3"})
        report = self.batch("in", *AUTO, "-o", "out", "--keep-going", "--resume", code=1)
        self.assertEqual((report["resumed"], report["failed"]), (6, 2))

    def test_a_folder_that_changes(self):
        """A photo that goes after it was listed is one that cannot be read; one that comes is not seen."""
        self.write("list", "".join(f"in/{name}\n" for name in ("p0.png", "gone.png", "p3.png")))
        report = self.batch("--list", "list", *AUTO, "-o", "out", "--keep-going", code=1)
        self.assertEqual((report["photos"], report["failed"]), (3, 1))
        self.assertIn("in/gone.png: cannot open", self.manifest()[2]["error"])
        self.photos(1, first=9)
        text = self.run_tool("batch", MICRO, "in", *AUTO, "-o", "out", "--keep-going", "--resume", "-q")
        self.assertEqual(text.returncode, 2)
        self.assertIn(b"the photos have changed since: 'in/p0.png' was here", text.stderr)


class BadInput(BatchTest):
    def test_options(self):
        self.photos(1)
        fails = lambda *arguments, says=(): self.fails(2, "batch", MICRO, *arguments, says=says)
        fails("in", "-o", "out", says=("--auto", "--embeddings"))
        fails("in", *AUTO, says="--out")
        fails("in", *AUTO, "--embeddings", "-o", "out", says="does not go with --auto")
        fails("--auto", "-o", "out", says="IN")
        for option in ("--format=gif", "--jobs=0", "--jobs=257", "--shard=3/2", "--limit=0", "--points-per-side=0"):
            fails("in", *AUTO, "-o", "out", option, says=option.split("=")[0].strip("-").split("-")[0])
        fails("in", "--embeddings", "-o", "out", "--format=png", says="--format")
        fails("in", *AUTO, "-o", "out", "--oriented", says="--oriented")
        fails("in", "--embeddings", "-o", "out", "--semantic", "maps", says="--semantic")
        fails("in", *AUTO, "-o", "out", "--select", "best", says="--select")
        fails("in", *AUTO, "-o", "out", "--cascade", says="--cascade")
        fails("in", "--prompt", "gt-box", "-o", "out", says="--annotations")
        fails("in", "--prompt", "box", "-o", "out", says="--detections")
        fails("in", "--prompts", "-", "-o", "out", says="standard input")
        self.fails(3, "batch", "none.isam", "in", *AUTO, "-o", "out", says="none.isam")

    def test_prompts(self):
        self.photos(2)
        point = '"prompts": [{"type": "point", "data": [1, 1]}]'
        cases = (
            (4, "not JSON\n", "line 1: not valid JSON"),
            (4, '{"image": "p0.png", %s}\n[]\n' % point, "line 2: an object"),
            (4, '{"image": "p0.png", %s, "more": 1}' % point, "line 1: an object"),
            (4, '{"image": "p0.png", "image": "p1.png", %s}' % point, 'the key "image" is repeated'),
            (2, '{"image": "p0.png", %s}\n\n{"image": "p0.png", %s}' % (point, point), "line 3: 'p0.png' has prompts"),
            (2, '{"image": "p7.png", %s}' % point, "line 1: 'p7.png' is not among the photos"),
            (2, "\n", "no prompts"),
        )
        for code, text, word in cases:
            self.write("prompts.jsonl", text)
            self.fails(code, "batch", MICRO, "in", "--prompts", "prompts.jsonl", "-o", "out", says=word)
        # What only the photo's size tells is an error of the photo.
        self.write("prompts.jsonl", '{"image": "p0.png", %s}\n{"image": "p1.png", "prompts": [{"type": "point", "data": [99, 1]}]}' % point)
        report = self.batch("in", "--prompts", "prompts.jsonl", "-o", "out", "--keep-going", code=1)
        self.assertEqual(report["failed"], 1)
        self.assertIn("prompts.jsonl: line 2: ", self.manifest()[2]["error"])

    def test_what_is_there_is_not_written_over(self):
        self.photos(2)
        self.batch("in", *AUTO, "-o", "out")
        self.fails(2, "batch", MICRO, "in", *AUTO, "-o", "out", says=("out/manifest.jsonl", "--resume"))
        self.fails(2, "batch", MICRO, "in", *AUTO, "-o", "out", "--resume", "--format", "rle", says="other options")
        self.fails(2, "batch", self.other_model(), "in", *AUTO, "-o", "out", "--resume", says="another model")
        os.remove(self.dir / "out/manifest.jsonl")
        done = self.run_tool("batch", MICRO, "in", *AUTO, "-o", "out", "-q")
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"out/p0: exists already", done.stderr)

    @unittest.skipIf(sys.platform == "emscripten", "no limits")
    def test_a_disk_that_is_full_in_the_middle(self):
        """A file size limit stands for it. What was finished stays, and the run goes on with more room."""
        import resource

        if Setup.emulator:
            self.skipTest("the limit would be the emulator's")
        self.photos(6)
        self.batch("in", *AUTO, "--format", "jsonl", "-o", "whole")
        room = (self.dir / "whole/results.jsonl").stat().st_size * 2 // 3
        done = subprocess.run(
            Setup.command("batch", MICRO, "in", *AUTO, "--format", "jsonl", "-o", "out", "--keep-going", "-q"),
            stderr=subprocess.PIPE,
            cwd=self.dir,
            check=False,
            timeout=300,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
        )
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertRegex(done.stderr, rb"^intsam-batch: out/results\.jsonl\.part: cannot write: .*\n$")
        lines = self.lines("out/results.jsonl.part")
        self.assertTrue(0 < len(lines) < 6)
        self.assertEqual([line["image"] for line in lines], [line["image"] for line in self.manifest()[1:]])
        self.batch("in", *AUTO, "--format", "jsonl", "-o", "out", "--resume")
        self.assertEqual(self.tree("out"), self.tree("whole"))
