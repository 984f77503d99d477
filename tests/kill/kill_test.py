"""Tools that are killed, and disks that fail, anywhere: what is under the name of an output is whole, the old one or
the new one; nothing unfinished stays behind; and the next call ends as one that was never disturbed.

kill_test.py --bin DIR --source DIR --preload LIBRARY [--steps N] [--times N] [--only COMMAND...]

Each command is disturbed at its steps that change files (at N evenly spread ones; without --steps at all), once in each
run: by every signal, and by every way for the step to fail. --times: N times more each by a signal at a random moment.
"""

import argparse
import errno
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
from tools_support import disc_rgb, encode_png  # noqa: E402

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
ONCE = (errno.ENOSPC, errno.EIO, errno.EINTR)
FROM_THEN_ON = (errno.ENOSPC, errno.EROFS)  # a disk that stays full, one that is mounted again read-only after an error
PROMPTS = '[[{"type": "point", "data": [20, 16]}], [{"type": "box", "data": [2, 2, 40, 30]}]]'
OLD = b"an older file of this name"


def commands(source):
    """name: (arguments, files that it writes, whether it goes on with what is there)"""
    data, micro = source / "tests/checkpoint/data", source / "tests/golden/data/micro.isam"
    pictures = ("-o", "m.png", "--overlay", "o.png", "--cutout", "c.png", "--label-map", "l.png", "--logits", "x.npy")
    auto = ("batch", micro, "photos", "-o", "out", "--auto", "--points-per-side", "2", "-j", "3", "-t", "1", "--resume")
    checkpoint = (data / "micro_f32.pth", "--config", data / "micro.json", "--calib", "photos")
    return {
        "segment": (
            ("segment", micro, "photo.png", "--prompts", "p.json", *pictures, "--save-embedding", "e.isemb", "-t", "1"),
            ("m_0.png", "m_1.png", "o.png", "c.png", "l.png", "x_0.npy", "x_1.npy", "e.isemb"),
            False,
        ),
        "everything": (
            ("everything", micro, "photo.png", "-o", "all", "--points-per-side", "2", "--overwrite", "-t", "1"),
            (),
            False,
        ),
        "convert": (("convert", *checkpoint, "-o", "m.isam", "-t", "1"), ("m.isam",), False),
        "convert, synthetic": (("convert", "--synthetic", "micro", "-o", "m.isam", "-t", "1"), ("m.isam",), False),
        "batch, png": (auto, (), True),
        "batch, coco": ((*auto, "--format", "coco"), (), True),
    }


class Folder:
    """A folder with what the commands read, and what else is in it."""

    def __init__(self, path):
        self.path = path
        (path / "photos").mkdir(parents=True)
        for name in ("photo.png", *(f"photos/{letter}.png" for letter in "abcde")):
            (path / name).write_bytes(encode_png(48, 32, disc_rgb(48, 32)))
        (path / "p.json").write_text(PROMPTS)
        self.inputs = {path.name for path in path.iterdir()}

    def clear(self):
        for path in self.path.iterdir():
            if path.name not in self.inputs:
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def outputs(self):
        """Files by name; of manifests what does not depend on the clock."""
        files = {}
        for path in self.path.rglob("*"):
            name = path.relative_to(self.path).as_posix()
            if path.is_file() and name.split("/")[0] not in self.inputs:
                files[name] = timeless(path) if path.name == "manifest.jsonl" else path.read_bytes()
        return files

    def unfinished(self):
        return sorted(path.name for path in self.path.rglob(".intsam-*"))


def timeless(path):
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        line.pop("times_ms", None)
    return lines


class Disturber:
    def __init__(self, options, folder, name, arguments, expected, goes_on):
        self.folder, self.name, self.goes_on, self.expected = folder, name, goes_on, expected
        tool, *rest = map(str, arguments)
        self.command = [str(options.bin / f"intsam-{tool}"), *rest, "-q"]
        self.preload = options.preload
        folder.clear()
        count = folder.path.parent / "count"
        start = time.monotonic()
        self.run(INTSAM_COUNT_FILE=count, code=0)
        self.seconds, self.steps = time.monotonic() - start, int(count.read_text())
        self.whole = folder.outputs()
        if not set(expected) <= set(self.whole) or not self.whole:
            sys.exit(f"{name}: writes {sorted(self.whole)}")
        self.runs = self.ended = self.problems = 0

    def run(self, code=None, **environment):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("INTSAM_")}
        clean.update({k: str(v) for k, v in environment.items()}, LD_PRELOAD=str(self.preload))
        done = subprocess.run(
            self.command, cwd=self.folder.path, env=clean, capture_output=True, check=False, timeout=300
        )
        if code is not None and done.returncode != code:
            sys.exit(f"{self.name}: exit code {done.returncode}: {done.stderr.decode()}")
        return done

    def prepare(self):
        """Every other time there are outputs already."""
        self.folder.clear()
        if self.runs % 2 == 1:
            for name in self.expected:
                (self.folder.path / name).write_bytes(OLD)
        self.runs += 1

    def check(self, what, returncode, words, endings, unfinished):
        """endings: exit codes besides 0; unfinished: whether temporaries may be left."""
        problems = []
        outputs = self.folder.outputs()
        if returncode == 0:
            if outputs != self.whole:
                problems.append("success, but files differ")
        else:
            self.ended += 1
            if returncode not in endings:
                problems.append(f"exit code {returncode}: {words}")
            if returncode > 0 and (words.count(b"\n") != 1 or b"internal" in words):
                problems.append(f"not one sentence: {words}")
        if self.folder.unfinished() and not unfinished:
            problems.append(f"left {self.folder.unfinished()}")
        for name, data in outputs.items():
            growing = name.endswith(".part") or name.endswith("manifest.jsonl")
            if ".intsam-" not in name and not growing and data not in (self.whole.get(name), OLD):
                problems.append(f"{name} is neither the old nor the new file")
        problems += self.next_call()
        for problem in problems:
            print(f"{self.name}: {what}: {problem}", flush=True)
        self.problems += len(problems)

    def next_call(self):
        done = self.run()
        if done.returncode != 0:
            return [f"the next call ends with {done.returncode}: {done.stderr.decode()}"]
        if self.folder.outputs() != self.whole:
            return ["the next call gives other files"]
        return [f"the next call leaves {self.folder.unfinished()}"] if self.folder.unfinished() else []

    def at_step(self, step):
        for number in SIGNALS:
            self.prepare()
            done = self.run(INTSAM_STEP=step, INTSAM_FAULT=f"kill:{int(number)}")
            killed = number == signal.SIGKILL
            self.check(f"{number.name} at step {step}", done.returncode, done.stderr, (-number if killed else 130,),
                       killed)  # fmt: skip
        for kind, numbers in (("fail", ONCE), ("on", FROM_THEN_ON)):
            for number in numbers:
                self.prepare()
                done = self.run(INTSAM_STEP=step, INTSAM_FAULT=f"{kind}:{number}")
                what = f"{kind} {errno.errorcode[number]} at step {step}"
                self.check(what, done.returncode, done.stderr, (3,), False)

    def at_a_moment(self, rng):
        number, pause = rng.choice(SIGNALS), rng.uniform(0, 1.1 * self.seconds)
        self.prepare()
        process = subprocess.Popen(
            self.command, cwd=self.folder.path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        time.sleep(pause)
        process.send_signal(number)
        _, words = process.communicate(timeout=300)
        killed = number == signal.SIGKILL
        # Before the tool has begun, a signal ends it as it ends anything.
        self.check(f"{number.name} after {pause:.4f} s", process.returncode, words, (-number, 130), killed)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--source", type=pathlib.Path, required=True)
    parser.add_argument("--preload", type=pathlib.Path, required=True)
    parser.add_argument("--steps", type=int, default=sys.maxsize)
    parser.add_argument("--times", type=int, default=0)
    parser.add_argument("--only", nargs="+", default=[], help="some of the commands by their names here")
    options = parser.parse_args()
    options.bin, options.preload = options.bin.resolve(), options.preload.resolve()
    rng, problems = random.Random(1), 0
    with tempfile.TemporaryDirectory(prefix="intsam_kill_") as scratch:
        folder = Folder(pathlib.Path(scratch) / "folder")
        for name, command in commands(options.source.resolve()).items():
            if (options.only and name not in options.only) or not (options.bin / f"intsam-{command[0][0]}").exists():
                continue
            disturber = Disturber(options, folder, name, *command)
            taken = min(options.steps, disturber.steps)
            for i in range(taken):
                disturber.at_step(disturber.steps * (2 * i + 1) // (2 * taken))
            for _ in range(options.times):
                disturber.at_a_moment(rng)
            print(f"{name}: {disturber.steps} steps, {disturber.runs} runs disturbed, {disturber.ended} of them ended "
                  f"by it, {disturber.problems} problems", flush=True)  # fmt: skip
            if disturber.runs > 0 and disturber.ended == 0:
                sys.exit(f"{name}: nothing was disturbed")
            problems += disturber.problems
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
