"""Runs of intsam-batch that are stopped, and go on: what comes out is what an unbroken run gives.

By itself: tools_batch_resume_test.py --bin DIR --kills N, for many more kills than the suite has time for.
"""

import argparse
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from tools_batch_support import AUTO, MICRO, BatchTest
from tools_support import Setup

KILLS = 20  # of each form


def run_with_kills(test, arguments, out, kills, rng):
    """Starts the tool again and again, kills it after a while, and lets it end at last. How often it was killed: at
    least once, because a run that was faster than that is forgotten and begun again."""
    command = Setup.command("batch", MICRO, *arguments, "-o", out, "--resume", "-q")
    killed, pause = 0, 0.05
    while killed < kills:
        process = subprocess.Popen(command, cwd=test.dir, stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=rng.uniform(0, pause))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            killed += 1
            pause *= 1.1  # it gets a little farther each time, however slow the machine is
            continue
        if process.returncode != 0:
            raise AssertionError(f"exit code {process.returncode} after {killed} kills")
        if killed > 0:
            break
        shutil.rmtree(test.dir / out)
        pause /= 2
    done = subprocess.run(command, cwd=test.dir, capture_output=True, check=False, timeout=300)
    test.assertEqual(done.returncode, 0, done.stderr)
    return killed


@unittest.skipIf(sys.platform == "emscripten", "no signals")
class BatchStopped(BatchTest):
    def setUp(self):
        super().setUp()
        if Setup.emulator:
            self.skipTest("signals would reach the emulator")

    def check_kills(self, form, *arguments, kills=KILLS):
        self.photos(12)
        arguments = ["in", *(arguments or (*AUTO, "--format", form)), "-j", "3"]
        self.batch(*arguments, "-o", "whole")
        killed = run_with_kills(self, arguments, "out", kills, random.Random(form))
        self.assertEqual(self.tree("out"), self.tree("whole"))
        self.assertEqual(self.leftovers(), [])
        return killed

    def test_killed_with_one_file(self):
        self.assertGreater(self.check_kills("coco"), 0)

    def test_killed_with_a_folder_for_each_photo(self):
        self.assertGreater(self.check_kills("png"), 0)

    def test_killed_anywhere_between_its_steps(self):
        """What a kill can leave, made by hand: each of these goes on to the same end."""
        self.photos(3)
        arguments = ["in", *AUTO, "--format", "coco"]
        self.batch(*arguments, "-o", "whole")
        whole = self.dir / "whole"
        lines = (whole / "manifest.jsonl").read_text().splitlines(keepends=True)
        results = (whole / "results.json").read_bytes()
        part = results[: -len(b"\n]\n")]
        ends = [1] + [int(line.split('"results_bytes":')[1].split("}")[0]) for line in lines[1:-1]]
        states = [(lines[: done + 1], part[:end]) for done, end in enumerate(ends)]
        states += [(lines[: done + 1], part[: end + 5]) for done, end in enumerate(ends)]  # results without their line
        states += [([*lines[: done + 1], lines[done + 1][:9]], part[:end]) for done, end in enumerate(ends)]
        states += [([], b""), ([lines[0][:5]], b""), (lines[:1], b""), (lines[:-1], results)]
        for number, (manifest, data) in enumerate(states):
            out = self.dir / f"out{number}"
            out.mkdir()
            (out / "manifest.jsonl").write_text("".join(manifest))
            (out / "results.json.part").write_bytes(data)
            self.batch(*arguments, "-o", out, "--resume")
            self.assertEqual(self.tree(out), self.tree("whole"), number)
        # The last step but one: the results have their name, and the manifest has no end.
        out = self.dir / "named"
        shutil.copytree(whole, out)
        (out / "manifest.jsonl").write_text("".join(lines[:-1]))
        self.batch(*arguments, "-o", out, "--resume")
        self.assertEqual(self.tree(out), self.tree("whole"))
        # All done: nothing is done again.
        self.assertEqual(self.batch(*arguments, "-o", out, "--resume")["resumed"], 3)
        self.assertEqual(self.tree(out), self.tree("whole"))

    def test_lost_results_are_not_made_up(self):
        self.photos(3)
        self.batch("in", *AUTO, "--format", "jsonl", "-o", "out")
        lines = (self.dir / "out/manifest.jsonl").read_text().splitlines(keepends=True)
        (self.dir / "out/manifest.jsonl").write_text("".join(lines[:3]))
        self.write("out/results.jsonl.part", "{}\n")
        text = self.fails(4, "batch", MICRO, "in", *AUTO, "--format", "jsonl", "-o", "out", "--resume")
        self.assertIn("results.jsonl.part", text)

    def test_interrupted(self):
        """Ctrl-C: nothing unfinished is left, and the run can go on."""
        self.photos(40)
        for form in ("png", "jsonl"):
            process = subprocess.Popen(
                Setup.command("batch", MICRO, "in", *AUTO, "--format", form, "-o", form, "-q", "-j", "3"),
                stderr=subprocess.PIPE,
                cwd=self.dir,
            )
            self.addCleanup(process.kill)
            until = time.monotonic() + 120
            manifest = self.dir / form / "manifest.jsonl"
            begun = lambda: manifest.exists() and manifest.read_text().count("\n") > 3
            while not begun() and process.poll() is None and time.monotonic() < until:
                time.sleep(0.001)
            process.send_signal(signal.SIGINT)
            _, words = process.communicate(timeout=120)
            if process.returncode == 0:
                self.skipTest("it was done before it could be interrupted")
            self.assertEqual((process.returncode, words), (130, b"intsam-batch: interrupted\n"))
            self.assertEqual(self.leftovers(), [])
            report = self.batch("in", *AUTO, "--format", form, "-o", form, "--resume")
            self.assertEqual((report["photos"], report["failed"]), (40, 0))
            self.assertGreaterEqual(report["resumed"], 3)
            self.batch("in", *AUTO, "--format", form, "-o", f"whole_{form}")
            self.assertEqual(self.tree(form), self.tree(f"whole_{form}"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--kills", type=int, default=300)
    options = parser.parse_args()
    Setup.bin, Setup.source = options.bin.resolve(), pathlib.Path(__file__).resolve().parents[2]
    Setup.tools = ("batch",)
    with tempfile.TemporaryDirectory(prefix="intsam_batch_") as scratch:
        Setup.scratch = pathlib.Path(scratch)
        shutil.copy(Setup.source / "tests/golden/data/micro.isam", Setup.scratch)
        killed, form = 0, 0
        while killed < options.kills:
            test = BatchStopped("check_kills")
            test.setUp()
            name = ("coco", "png", "jsonl", "rle")[form % 4]
            killed += test.check_kills(name, *AUTO, "--format", name)
            shutil.rmtree(test.dir)
            form += 1
            print(f"{killed} kills, {form} runs equal to unbroken ones", flush=True)


if __name__ == "__main__":
    main()
