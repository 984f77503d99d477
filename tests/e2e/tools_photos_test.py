"""Photos as the tools read them: from pipes, from folders with foreign and damaged files, and dark 16-bit data."""

import json
import os
import struct
import subprocess

from tools_support import Setup, ToolTest, encode_png

MICRO = "../micro.isam"
DATA = "tests/checkpoint/data"


class PhotosFromPipes(ToolTest):
    def segment(self, name, **options):
        command = Setup.command("segment", MICRO, name, "-p", "9,9", "--json", "-t", "1")
        done = subprocess.run(command, capture_output=True, check=False, cwd=self.dir, timeout=300, **options)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return json.loads(done.stdout)["objects"]

    def test_standard_input_and_pipes(self):
        if Setup.emulator:
            self.skipTest("pipes of this machine")
        data = self.photo().read_bytes()
        expected = self.segment("photo.png")
        self.assertEqual(self.segment("-", input=data), expected)
        self.assertEqual(self.segment("/dev/stdin", input=data), expected)
        os.mkfifo(self.dir / "pipe.png")
        writer = subprocess.Popen(["cp", "photo.png", "pipe.png"], cwd=self.dir)
        self.assertEqual(self.segment("pipe.png"), expected)
        self.assertEqual(writer.wait(timeout=60), 0)

    def test_refusals_name_what_it_is(self):
        for data, code, says in (
            (b"GIF89a" + bytes(20), 5, "a GIF picture; this build reads PNG, JPEG"),
            (b"version https://git-lfs.github.com/spec/v1\n", 5, "a Git LFS pointer"),
            (b"<!DOCTYPE html><html></html>", 5, "an HTML page"),
            (b"", 4, "the file is empty"),
        ):
            self.fails(code, "segment", MICRO, self.write("a.png", data), "-p", "1,1", "--json", says=("a.png", says))
        self.fails(3, "segment", MICRO, self.dir, "-p", "1,1", "--json", says="Is a directory")


class Folders(ToolTest):
    def setUp(self):
        super().setUp()
        self.needs("convert")
        (self.dir / "photos").mkdir()
        self.photo("photos/a.png")
        self.photo("photos/b.png", 40, 60)
        self.weights = (Setup.source / DATA / "micro_f32.safetensors", "--config", Setup.source / DATA / "micro.json")
        self.convert = ["convert", *self.weights, "--calib", "photos", "-o", "m.isam", "--json"]

    def images(self, *options, notes=()):
        done = self.run_tool(*self.convert, *options)
        lines = done.stderr.decode().splitlines()
        self.assertEqual((done.returncode, len(lines)), (0, len(notes)), lines)
        for line, note in zip(lines, notes):
            self.assertTrue(line.startswith("intsam-convert: note: "), line)
            self.assertIn(note, line)
        return json.loads(done.stdout)["provenance"]["calibration_images"]

    def test_foreign_entries_are_no_photos(self):
        self.write("photos/._a.png", b"\0\5\x16\7")
        self.write("photos/notes.txt", b"x")
        (self.dir / "photos/old.png").mkdir()
        os.mkfifo(self.dir / "photos/pipe.png")
        self.assertEqual(self.images(), 2)

    def test_damaged_photos_are_skipped_with_a_note(self):
        whole = (self.dir / "photos/a.png").read_bytes()
        self.write("photos/0.png", whole[:50])
        self.assertEqual(self.images(notes=("skipped: photos/0.png: PNG truncated", "1 of 3 photos were skipped")), 2)
        self.fails(4, *self.convert, "--strict", says="photos/0.png: PNG truncated")
        self.assertEqual(self.images("-q"), 2)
        compare = ["compare", "-m", "m.isam", "--checkpoint", *self.weights, "--images", "photos"]
        done = self.run_tool(*compare, "--json")
        self.assertEqual((done.returncode, json.loads(done.stdout)["images"]), (0, 2))
        self.assertIn("skipped: photos/0.png", done.stderr.decode())
        self.fails(4, *compare, "--strict", says="photos/0.png: PNG truncated")

    def test_folder_without_photos(self):
        self.write("notes.txt", b"x")
        (self.dir / "empty").mkdir()
        self.fails(2, *self.convert[:-4], "empty", "-o", "m.isam", says=("--calib", "empty is empty", ".png"))
        self.fails(2, *self.convert[:-4], ".", "-o", "m.isam", says=("--calib", "holds no photo but", "'empty'"))

    def test_black_photos_are_noted(self):
        self.write("photos/c.png", encode_png(8, 8, bytes(192)))
        self.assertEqual(self.images(notes=("1 of 3 photos are black all over",)), 3)

    def test_stretch(self):
        for name in ("a", "b"):
            dark = struct.pack(">64H", *(i * 60 for i in range(64)))
            self.write(f"photos/{name}.png", encode_png(8, 8, dark, 1, 16))
        notes = ("photos/a.png: only the low 12 of 16 bits are used", "photos/b.png: only the low 12")
        self.assertEqual(self.images(notes=notes), 2)
        dark = (self.dir / "m.isam").read_bytes()
        self.assertEqual(self.images("--stretch"), 2)
        self.assertNotEqual((self.dir / "m.isam").read_bytes(), dark)
