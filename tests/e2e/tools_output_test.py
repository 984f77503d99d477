"""Where the tools' results and words go, and what they refuse to write over."""

import json
import os
import subprocess

from tools_support import Setup, ToolTest

MICRO = "../micro.isam"
DATA = "tests/checkpoint/data"
NOT_UTF8 = b"caf\xe9"


class Streams(ToolTest):
    """Results on standard output, words on standard error; -q silences words alone."""

    def streams(self, tool, *arguments):
        done = self.run_tool(tool, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout, done.stderr

    def test_convert(self):
        micro = ["convert", "--synthetic", "micro", "-t", "1", "-o", "m.isam"]
        out, words = self.streams(*micro)
        self.assertEqual(out, b"")
        self.assertRegex(words, rb"^m\.isam: .* MiB, .*\n$")
        self.assertEqual(self.streams(*micro, "-q"), (b"", b""))
        out, words = self.streams(*micro, "--json")
        self.assertEqual((json.loads(out)["model"], words), ("m.isam", b""))

    def test_reports(self):
        for arguments in (
            ["inspect", MICRO],
            ["inspect", MICRO, "--verify"],
            ["bench", MICRO, "--no-fp32", "--rounds", "1", "-t", "1"],
        ):
            if arguments[0] not in Setup.tools:
                continue
            for quiet in ([], ["-q"]):
                out, words = self.streams(*arguments, *quiet)
                self.assertGreater(len(out.splitlines()), 1, arguments)
                self.assertEqual(words, b"")

    def test_a_model_on_standard_output(self):
        self.needs("convert")
        out, words = self.streams("convert", "--synthetic", "micro", "--seed", "1", "-t", "1", "-o", "-")
        self.assertTrue(out == (Setup.scratch / "micro.isam").read_bytes())
        self.assertRegex(words, rb"^-: .* MiB, .*\n$")
        self.assertEqual(self.contents(), {})
        self.fails(2, "convert", "--synthetic", "micro", "-o", "-", "--json", says="--json")
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                Setup.command("convert", "--synthetic", "micro", "-t", "1", "-q", "-o", "-"),
                stdout=full,
                stderr=subprocess.PIPE,
                check=False,
            )
        self.assertEqual(done.returncode, 3)
        self.assertEqual(done.stderr, b"intsam-convert: standard output: No space left on device\n")

    def test_the_first_failure_is_reported(self):
        """More than a buffer into a full device: the errno of the write, not of what came after."""
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                Setup.command("inspect", str(Setup.scratch / "micro.isam"), "--fields"),
                stdout=full,
                stderr=subprocess.PIPE,
                check=False,
            )
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"standard output: No space left on device", done.stderr)


class Names(ToolTest):
    """File names are bytes."""

    def test_json_of_names_that_are_not_utf8(self):
        if os.fsencode(os.fsdecode(NOT_UTF8)) != NOT_UTF8 or Setup.emulator:
            self.skipTest("names are text here")
        model = os.fsdecode(NOT_UTF8 + b".isam")
        if "convert" in Setup.tools:
            report = json.loads(self.succeeds("convert", "--synthetic", "micro", "-t", "1", "-o", model, "--json"))
            self.assertEqual(report["model"], "caf\ufffd.isam")
            checkpoint = self.dir / os.fsdecode(NOT_UTF8 + b".safetensors")
            checkpoint.write_bytes((Setup.source / DATA / "micro_f32.safetensors").read_bytes())
            (self.dir / "photos").mkdir()
            self.photo("photos/a.png")
            config = ["--config", Setup.source / DATA / "micro.json"]
            report = json.loads(
                self.succeeds("convert", checkpoint, *config, "--calib", "photos", "-o", model, "--json")
            )
            self.assertEqual(report["provenance"]["source"], "caf\ufffd.safetensors")
        else:
            (self.dir / model).write_bytes((Setup.scratch / "micro.isam").read_bytes())
        self.assertIn("header", json.loads(self.succeeds("inspect", model, "--json")))
        if "bench" in Setup.tools:
            report = self.succeeds("bench", model, "--no-fp32", "--rounds", "1", "-t", "1", "--json")
            self.assertEqual(json.loads(report)["model"], "caf\ufffd.isam")
            text = self.succeeds("bench", model, "--no-fp32", "--rounds", "1", "-t", "1")
            self.assertIn("caf\\xe9.isam", text)
        photo, mask = self.photo(), os.fsdecode(NOT_UTF8 + b".png")
        self.succeeds("segment", model, photo, "-p", "9,9", "-o", mask, "--json")
        self.assertTrue((self.dir / mask).is_file())

    def test_words_cannot_steer_the_terminal(self):
        self.needs("convert")
        done = self.run_tool("convert", "--synthetic", "micro", "-t", "1", "-o", "a\x1b[31m\u009b\u202e\nb.isam")
        self.assertEqual(done.returncode, 0)
        self.assertTrue(done.stderr.startswith(b"a\\x1b[31m\\u009b\\u202e\\nb.isam: "), done.stderr)

    def test_nothing_is_escaped_twice(self):
        self.assertIn(": a\\x1b[31m.isam: ", self.fails(3, "inspect", "a\x1b[31m.isam"))
        self.photo()
        text = self.fails(2, "segment", MICRO, "photo.png", "-p", "1,\x1b", "-o", "m.png")
        self.assertIn("1,\\x1b", text)
        self.assertNotIn("\\\\", text)

    def test_long_names(self):
        name = "n" * 250 + ".isam"
        if "convert" in Setup.tools:
            self.succeeds("convert", "--synthetic", "micro", "-t", "1", "-o", name, "-q")
            self.assertTrue((self.dir / name).is_file())
            self.fails(3, "convert", "--synthetic", "micro", "-o", "n" + name, says="File name too long")


class WrittenOver(ToolTest):
    """No output replaces what the same call reads."""

    def setUp(self):
        super().setUp()
        self.needs("convert")
        self.checkpoint = self.write("c.safetensors", (Setup.source / DATA / "micro_f32.safetensors").read_bytes())
        self.config = self.write("other.json", (Setup.source / DATA / "micro.json").read_bytes())
        (self.dir / "photos").mkdir()
        self.photo("photos/a.png")
        self.arguments = ["convert", "c.safetensors", "--config", "other.json", "--calib", "photos"]

    def test_inputs(self):
        os.symlink("c.safetensors", self.dir / "link")
        os.link(self.checkpoint, self.dir / "hard")
        for output in ("c.safetensors", "./c.safetensors", "photos/../c.safetensors", "link", "hard", self.checkpoint):
            self.fails(2, *self.arguments, "-o", output, says=("--output", output, "CHECKPOINT"))
        self.fails(2, *self.arguments, "-o", "other.json", says="--config")
        self.fails(2, *self.arguments, "-o", "photos/a.png", says="--calib")
        self.write("c.json", self.config.read_bytes())  # read where --config is not given
        beside = ["convert", "c.safetensors", "--calib", "photos"]
        self.fails(2, *beside, "-o", "c.json", says=("c.json", "CHECKPOINT's configuration"))
        self.fails(2, "convert", "--from-ptq4sam", "x.safetensors", "--calib", "photos", "-o", "x.safetensors")
        self.fails(2, *self.arguments, "-o", "", says="--output: the name of the file is empty")

    def test_a_link_is_followed(self):
        (self.dir / "models").mkdir()
        os.symlink("models/m.isam", self.dir / "link.isam")
        self.succeeds(*self.arguments, "-o", "link.isam", "-q")
        self.assertTrue((self.dir / "link.isam").is_symlink())
        self.assertTrue((self.dir / "models/m.isam").is_file())
        self.assertEqual(sorted(path.name for path in (self.dir / "models").iterdir()), ["m.isam"])
