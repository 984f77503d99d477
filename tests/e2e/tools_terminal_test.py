"""The tools before a person: what a terminal shows while they work, when they are done, and when they are stopped."""

import errno
import fcntl
import json
import os
import re
import select
import signal
import subprocess
import sys
import termios
import time
import unittest

from tools_support import Setup, ToolTest

MICRO = "../micro.isam"


def screen(data):
    """The lines that stand on a terminal after `data`: carriage return, newline, erasing to the end of the line."""
    lines, column = [""], 0
    for token in re.findall(r"\x1b\[K|.", data.decode(errors="replace"), re.DOTALL):
        if token == "\r":
            column = 0
        elif token == "\n":
            lines.append("")
            column = 0
        elif token == "\x1b[K":
            lines[-1] = lines[-1][:column]
        else:
            lines[-1] = lines[-1].ljust(column)[:column] + token + lines[-1][column + 1 :]
            column += 1
    return lines


@unittest.skipIf(sys.platform == "emscripten", "no terminals")
class Terminal(ToolTest):
    def setUp(self):
        super().setUp()
        if Setup.emulator:
            self.skipTest("the terminal would be the emulator's")

    def start(self, tool, *arguments, stdout=None, env=None):
        """The tool in a session of its own on a new terminal; (process, the terminal's other end)."""
        self.needs(tool)
        master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, b"\x18\x00\x50\x00" + bytes(4))  # 24 lines of 80 columns
        process = subprocess.Popen(
            Setup.command(tool, *arguments),
            stdin=slave,
            stdout=slave if stdout is None else stdout,
            stderr=slave,
            cwd=self.dir,
            env={**os.environ, "TERM": "xterm", "INTSAM_THREADS": "1", **(env or {})},
            preexec_fn=lambda: (os.setsid(), fcntl.ioctl(0, termios.TIOCSCTTY, 0)),
        )
        os.close(slave)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(os.close, master)
        return process, master

    def read(self, master, until=None, seconds=240):
        """What the terminal gets until it holds `until`, or the tool is gone."""
        data, end = b"", time.monotonic() + seconds
        while time.monotonic() < end and not (until and re.search(until, data)):
            if not select.select([master], [], [], 0.1)[0]:
                continue
            try:
                data += os.read(master, 1 << 16)
            except OSError as error:  # Linux says so when nobody has the terminal open any more
                if error.errno == errno.EIO:
                    break
                raise
        if until:
            self.assertRegex(data, until)
        return data

    def run_on_terminal(self, tool, *arguments, **options):
        process, master = self.start(tool, *arguments, **options)
        data = self.read(master)
        return process.wait(timeout=60), data

    def convert(self):
        return ["convert", "--synthetic", "micro", "-t", "1", "-o", "m.isam"]

    def test_nothing_is_left_of_the_bar(self):
        code, data = self.run_on_terminal(*self.convert())
        self.assertEqual(code, 0, data)
        for stage in (b"calibrating [", b"coding attentions [", b"rounding layers [", b"writing and verifying"):
            self.assertIn(stage, data)
        self.assertIn(b"100%", data)
        lines = screen(data)
        self.assertRegex(lines[0], r"^m\.isam: .* MiB, calibrated in .* s$")
        self.assertEqual(lines[1:], [""])

    def test_steps_inside_a_photo(self):
        process, master = self.start("convert", "--synthetic", "tiny", "-t", "1", "-o", "m.isam")
        self.read(master, rb"(observing|calibrating) \[[#.]+\] +[1-9]\d?%  \S+.*  photo 1 of 1")
        process.terminate()
        self.assertEqual(process.wait(timeout=60), 130)

    def test_json_begins_on_a_line_of_its_own(self):
        code, data = self.run_on_terminal(*self.convert(), "--json")
        self.assertEqual(code, 0, data)
        self.assertEqual(json.loads("\n".join(screen(data)))["model"], "m.isam")

    def test_one_bar_over_a_photo_and_its_objects(self):
        self.photo()
        boxes = [[x, y, x + 9, y + 9] for x in range(0, 30, 3) for y in range(0, 21, 3)]
        self.write("p.json", json.dumps([[{"type": "box", "data": box}] for box in boxes]))
        for options, first in (([], "image encoder, patches"), (["--embedding", "e.isemb"], f"object 1 of {len(boxes)}")):
            if options:
                self.succeeds("segment", MICRO, "photo.png", "--save-embedding", "e.isemb", "-q")
            code, data = self.run_on_terminal("segment", MICRO, "photo.png", "--prompts", "p.json", "-o", "m.png", *options)
            self.assertEqual(code, 0, data)
            bars = re.findall(rb"segmenting \[[#.]+\] +(\d+)%[^\r]*", data)
            self.assertIn(first.encode(), re.search(rb"segmenting \[[^\r]*", data)[0])
            percents = [int(bar) for bar in bars]
            self.assertEqual(percents, sorted(percents))
            self.assertEqual((percents[0], percents[-1]), (0, 100))
            self.assertIn(f"object {len(boxes)} of {len(boxes)}".encode(), data)
            self.assertRegex(screen(data)[0], r"^object 0: mask 0, predicted IoU .* -> m_0\.png$")

    def test_results_of_compare(self):
        self.photo("a.png")
        (self.dir / "photos").mkdir()
        self.photo("photos/a.png")
        source = Setup.source / "tests/checkpoint/data"
        checkpoint = [source / "micro_f32.safetensors", "--config", source / "micro.json"]
        self.succeeds("convert", *checkpoint, "--calib", "photos", "-o", "m.isam", "-q")
        code, data = self.run_on_terminal(
            "compare", "-m", "m.isam", "--checkpoint", *checkpoint, "--images", "photos", "-t", "1"
        )
        self.assertEqual(code, 0, data)
        self.assertIn(b"comparing [", data)
        self.assertIn(b"a.png", data)
        self.assertRegex(screen(data)[0], r"^1 photos; ")

    def test_no_bar_where_none_is_wanted(self):
        for options, env in (
            (["--no-progress"], {}),
            (["-q"], {}),
            ([], {"TERM": "dumb"}),
            ([], {"TERM": ""}),
        ):
            code, data = self.run_on_terminal(*self.convert(), *options, env=env)
            self.assertEqual(code, 0, data)
            self.assertNotIn(b"\x1b", data)
            self.assertNotIn(b"calibrating [", data)

    def test_results_elsewhere(self):
        """A bar on the terminal, JSON in a file."""
        with open(self.dir / "out.json", "wb") as out:
            code, data = self.run_on_terminal(*self.convert(), "--json", stdout=out)
        self.assertEqual(code, 0, data)
        self.assertEqual(screen(data), [""])
        self.assertEqual(json.loads((self.dir / "out.json").read_text())["model"], "m.isam")

    def interrupted(self, send, *arguments, code=130):
        process, master = self.start("convert", "--synthetic", "tiny", "-t", "1", "-o", "m.isam", *arguments)
        data = self.read(master, rb"(observing|calibrating) \[")
        send(process, master)
        data += self.read(master)
        self.assertEqual(process.wait(timeout=60), code)
        self.assertEqual(self.contents(), {})
        return screen(data)

    def test_control_c_leaves_a_clean_line(self):
        lines = self.interrupted(lambda _, master: os.write(master, b"\x03"))
        self.assertEqual(lines, ["intsam-convert: interrupted", ""])

    def test_other_ways_to_stop(self):
        for number in (signal.SIGTERM, signal.SIGHUP):
            lines = self.interrupted(lambda process, _, number=number: process.send_signal(number))
            self.assertEqual(lines, ["intsam-convert: interrupted", ""])
        lines = self.interrupted(lambda process, _: process.send_signal(signal.SIGALRM), code=-signal.SIGALRM)
        self.assertEqual(lines, [""])

    def test_interrupted_as_json(self):
        lines = self.interrupted(lambda _, master: os.write(master, b"\x03"), "--json-errors")
        report = json.loads(lines[0])
        self.assertEqual((report["code"], report["kind"], report["message"]), (130, "cancelled", "interrupted"))

    def test_binary_output_does_not_go_to_a_terminal(self):
        code, data = self.run_on_terminal("convert", "--synthetic", "micro", "-o", "-")
        self.assertEqual(code, 2)
        self.assertIn(b"terminal", data)


@unittest.skipIf(sys.platform == "emscripten", "no signals")
class Stopped(ToolTest):
    def setUp(self):
        super().setUp()
        if Setup.emulator:
            self.skipTest("signals would reach the emulator")
        self.needs("convert")

    def test_nohup(self):
        """A signal that was ignored when the tool began stays ignored."""
        command = Setup.command("convert", "--synthetic", "micro", "-t", "1", "-o", "m.isam")
        with subprocess.Popen(
            command,
            cwd=self.dir,
            stderr=subprocess.PIPE,
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
        ) as process:
            while process.poll() is None:
                process.send_signal(signal.SIGHUP)
                time.sleep(0.05)
            process.stderr.read()
        self.assertEqual(process.returncode, 0)
        self.assertEqual(list(self.contents()), [self.dir / "m.isam"])

    def test_file_size_limit(self):
        import resource  # not on every system that runs the other tests

        done = subprocess.run(
            Setup.command("convert", "--synthetic", "micro", "-t", "1", "-o", "m.isam"),
            cwd=self.dir,
            capture_output=True,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
        )
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertRegex(done.stderr, rb"^intsam-convert: m\.isam: cannot write: File too large\n$")
        self.assertEqual(self.contents(), {})
