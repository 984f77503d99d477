"""What all tools have in common, and what each says about wrong arguments."""

import json
import re

from tools_support import Setup, ToolTest

MICRO = "../micro.isam"


class Common(ToolTest):
    def test_help_is_readable(self):
        for tool in Setup.tools:
            lines = self.succeeds(tool, "--help").splitlines()
            self.assertEqual([line for line in lines if len(line) > 100 or line != line.rstrip()], [], tool)
            usage = [line for line in lines if line.startswith("Usage: ")]
            self.assertEqual(len(usage), 1)
            self.assertTrue(usage[0].startswith(f"Usage: intsam-{tool} [OPTION...] "), usage)
            for heading in ("Options:", "Examples:", "Exit codes:", "Environment:"):
                self.assertIn(heading, lines)
            self.assertGreater(sum(line.startswith(f"  intsam-{tool} ") for line in lines), 0)
            text = "\n".join(lines)
            for word in ("INTSAM_ISA", "INTSAM_THREADS", "130"):
                self.assertIn(word, text)
            for noise in (" arg ", 'default: ""', "positional"):
                self.assertNotIn(noise, text)

    def test_every_option_is_documented(self):
        """docs/tools.md: options of all tools in the common part, the others in the section of the tool."""
        parts = re.split(r"^## ", (Setup.source / "docs/tools.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
        sections = {part.split("\n", 1)[0].strip(): part for part in parts}
        common = sections["What all of them have in common"]
        for tool in Setup.tools:
            options = re.findall(r"^ +(?:-\w, )?(--[\w-]+)", self.succeeds(tool, "--help"), re.MULTILINE)
            self.assertGreater(len(options), 7)
            known = common + sections[f"intsam-{tool}"]
            self.assertEqual([option for option in options if not re.search(rf"`(-\w`, `)?{option}\b", known)], [], tool)

    def test_help_and_version(self):
        for tool in Setup.tools:
            for option in ("-h", "--help"):
                self.assertIn("--json-errors", self.succeeds(tool, option))
            version = self.succeeds(tool, "--version")
            first, photos, sandbox = version.splitlines()
            self.assertRegex(first, rf"^intsam-{tool} \d+\.\d+\.\d+ \(commit .*, compiler .*, tiers .*scalar\)$")
            self.assertRegex(photos, r"^reads PNG \((libpng [\d.]+|stb_image)\), JPEG \((libjpeg|stb_image).*\)")
            self.assertRegex(sandbox, r"^sandbox (libseccomp [\d.]+ and Landlock|none \(built without libseccomp\))$")

    def test_unknown_option(self):
        for tool in Setup.tools:
            self.fails(2, tool, "--no-such-option", says="no-such-option")

    def test_bad_threads(self):
        for tool in Setup.tools:
            for value in ("two", "-1", "257", "1.5", "", "99999999999999999999"):
                self.fails(2, tool, f"--threads={value}", says="--threads")

    def test_missing_arguments(self):
        for tool in Setup.tools:
            self.fails(2, tool, says=(f"usage: intsam-{tool} [OPTION...] ", "see --help"))

    def test_unexpected_argument(self):
        for tool, arguments in (("convert", 2), ("segment", 3), ("inspect", 2), ("compare", 1)):
            if tool in Setup.tools:
                self.fails(2, tool, *["x"] * arguments, says="unexpected argument 'x'")

    def test_json_errors(self):
        for tool in Setup.tools:
            for arguments in (["--no-such-option", "--json-errors"], ["--json-errors", "--threads", "many"]):
                done = self.run_tool(tool, *arguments)
                self.assertEqual((done.returncode, done.stdout, done.stderr.count(b"\n")), (2, b"", 1))
                error = json.loads(done.stderr)
                self.assertEqual((error["tool"], error["code"], error["kind"]), (f"intsam-{tool}", 2, "usage"))
                self.assertTrue(error["message"])
        done = self.run_tool("inspect", "missing\n\x1b[31m.isam", "--json-errors")
        self.assertEqual(json.loads(done.stderr)["code"], 3)
        self.assertIn("missing\n\x1b[31m.isam", json.loads(done.stderr)["message"])

    def test_file_names_cannot_steer_the_terminal(self):
        for tool, arguments in (
            ("inspect", ["a\n\x1b[31m.isam"]),
            ("segment", [MICRO, "a\n\x1b[31m.png", "-p", "1,1", "-o", "m.png"]),
            ("convert", ["a\n\x1b[31m.pth", "-o", "m.isam", "--calib", "."]),
        ):
            self.photo()
            if tool in Setup.tools:
                self.assertNotIn("\x1b", self.fails(3, tool, *arguments))


class Usage(ToolTest):
    def test_environment(self):
        self.fails(2, "inspect", "--kernels", env={"INTSAM_ISA": "mmx"}, says="INTSAM_ISA")
        photo = self.photo()
        self.fails(2, "segment", MICRO, photo, "-p", "1,1", "-o", "m.png", env={"INTSAM_ISA": "mmx"}, says="INTSAM_ISA")
        for threads in ("0", "many", "257"):
            bad = {"INTSAM_THREADS": threads}
            self.fails(2, "segment", MICRO, photo, "-p", "1,1", "-o", "m.png", env=bad, says="INTSAM_THREADS")
            if "convert" in Setup.tools:
                self.fails(2, "convert", "--synthetic", "micro", "-o", "m.isam", env=bad, says="INTSAM_THREADS")
        self.assertFalse((self.dir / "m.isam").exists())
        for threads, options, used in (("2", [], 2), ("many", ["-t", "3"], 3), ("", ["-t", "1"], 1)):
            arguments = [MICRO, photo, "-p", "1,1", "--json", "-q", *options]
            report = self.succeeds("segment", *arguments, env={"INTSAM_THREADS": threads})
            self.assertEqual(json.loads(report)["threads"], used)

    def test_convert(self):
        checkpoint = Setup.source / "tests/checkpoint/data/micro_f32.safetensors"
        micro = ["--synthetic", "micro"]
        (self.dir / "empty").mkdir()
        for arguments, says in (
            ([*micro], "--output"),
            ([checkpoint, *micro, "-o", "m.isam"], "--synthetic"),
            ([checkpoint, "-o", "m.isam"], "--calib"),
            (["--synthetic", "vit_x", "-o", "m.isam"], "vit_x"),
            ([*micro, "-o", "m.isam", "--seed", "x"], "--seed"),
            ([*micro, "-o", "m.isam", "--bits", "w1a1"], "--bits"),
            ([*micro, "-o", "m.isam", "--method", "guess"], "--method"),
            ([*micro, "-o", "m.isam", "--calib", ".", "--calib-limit", "0"], "--calib-limit"),
            ([*micro, "-o", "m.isam", "--calib", "empty"], "empty"),
        ):
            with self.subTest(arguments):
                self.fails(2, "convert", *arguments, says=says)

    def test_compare(self):
        checkpoint = Setup.source / "tests/checkpoint/data/micro_f32.safetensors"
        config = ["--config", Setup.source / "tests/checkpoint/data/micro.json"]
        full = {"--model": MICRO, "--checkpoint": checkpoint, "--images": self.dir}
        for missing in full:
            arguments = [word for option in full if option != missing for word in (option, full[option])]
            self.fails(2, "compare", *arguments, says=missing)
        arguments = [*config, *(word for pair in full.items() for word in pair)]
        self.fails(2, "compare", *arguments, says="is empty (photos are files that end in")
        for option, value in (("--limit", "0"), ("--min-agreement", "101"), ("--isa", "mmx")):
            self.fails(2, "compare", *arguments, option, value, says=value)

    def test_inspect(self):
        self.fails(2, "inspect", MICRO, "--site", "config", says="--site")
        self.fails(2, "inspect", MICRO, "--fields", "--site", "conf", says="conf")
        for option in ("--tensors", "--fields", "--proof", "--verify", "--memory", "--self-test"):
            self.fails(2, "inspect", option, says="MODEL")
            self.fails(2, "inspect", option, "--kernels", says="MODEL")
