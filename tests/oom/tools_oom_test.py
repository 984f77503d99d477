"""Every tool where one of its allocations fails: it ends with what it would have given, or with exit code 6 and one
line, and leaves nothing half-written.

tools_oom_test.py --bin DIR --source DIR --preload LIBRARY [--each N] [--only COMMAND]

Of a command with more than --each allocations so many evenly spread ones fail, one in each run. Without --each: all.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
from tools_support import disc_rgb, encode_png  # noqa: E402

PROMPTS = '[[{"type": "point", "data": [20, 16]}], [{"type": "box", "data": [2, 2, 40, 30]}]]'


def commands(source):
    """name: (arguments, files that it writes)"""
    data, micro = source / "tests/checkpoint/data", source / "tests/golden/data/micro.isam"
    photo, one = ("photo.png",), ("-t", "1")
    every_output = ("-o", "m.png", "--overlay", "o.png", "--cutout", "c.png", "--label-map", "l.png", "--logits", "x.npy")
    checkpoint = (data / "micro_f32.pth", "--config", data / "micro.json")
    return {
        "segment": (("segment", micro, *photo, "-p", "20,16", "-o", "m.png", "--json", *one), ("m.png",)),
        "segment, all outputs": (
            ("segment", micro, *photo, "--prompts", "p.json", *every_output, "--save-embedding", "e.isemb", *one),
            ("m_0.png", "m_1.png", "o.png", "c.png", "l.png", "x_0.npy", "x_1.npy", "e.isemb"),
        ),
        "everything": (
            ("everything", micro, *photo, "-o", "all", "--points-per-side", "2", *one),
            ("all",),
        ),
        "batch": (
            ("batch", micro, "photos", "-o", "results", "--auto", "--points-per-side", "2", "-j", "1", *one),
            ("results",),
        ),
        "inspect": (("inspect", micro, "--fields", "--proof", "--verify", "--tensors", "--json"), ()),
        "inspect, self-test": (("inspect", micro, "--self-test", "--memory", "--limits"), ()),
        "convert": (("convert", *checkpoint, "--calib", "photos", "-o", "m.isam", *one), ("m.isam",)),
        "convert, two threads": (("convert", *checkpoint, "--calib", "photos", "-o", "m.isam", "-t", "2"), ("m.isam",)),
        "convert, synthetic": (("convert", "--synthetic", "micro", "-o", "m.isam", *one), ("m.isam",)),
        "compare": (
            ("compare", "-m", micro, "--checkpoint", *checkpoint, "--images", "photos", "--min-agreement", "0", *one),
            (),
        ),
    }


class Folder:
    """A folder with what the commands read, and what else is in it."""

    def __init__(self, path):
        self.path = path
        (path / "photos").mkdir()
        for name in ("photo.png", "photos/a.png"):
            (path / name).write_bytes(encode_png(48, 32, disc_rgb(48, 32)))
        (path / "p.json").write_text(PROMPTS)
        self.inputs = self.names()

    def names(self):
        return {str(path.relative_to(self.path)) for path in self.path.rglob("*")}

    def take_outputs(self):
        """Removes them; their names."""
        outputs = self.names() - self.inputs
        for name in sorted(outputs, reverse=True):
            path = self.path / name
            path.rmdir() if path.is_dir() else path.unlink()
        return outputs


def run(options, folder, arguments, fail=None, count=None):
    tool, *rest = map(str, arguments)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("INTSAM_")}
    environment["LD_PRELOAD"] = str(options.preload)
    if fail is not None:
        environment["INTSAM_FAIL_ALLOCATION"] = str(fail)
    if count is not None:
        environment["INTSAM_COUNT_FILE"] = str(count)
    return subprocess.run(
        [options.bin / f"intsam-{tool}", *rest],
        cwd=folder.path,
        env=environment,
        capture_output=True,
        check=False,
        timeout=300,
    )


def problem_of(done, outputs, whole):
    """What is wrong with an ending, or None."""
    if done.returncode == 0:
        return None if outputs == whole else f"success, but files differ by {sorted(outputs ^ whole)}"
    if done.returncode != 6:
        return f"exit code {done.returncode}"
    if done.stderr.splitlines()[-1:] == [] or b"internal" in done.stderr:
        return "no sentence"
    if not outputs <= whole:
        return f"left {sorted(outputs - whole)}"
    return None


def check(options, folder, name, arguments, expected):
    count_file = folder.path.parent / "count"
    good = run(options, folder, arguments, count=count_file)
    whole = folder.take_outputs()
    if good.returncode != 0 or not set(expected) <= whole:
        sys.exit(f"{name}: fails with memory: {good.returncode} {good.stderr.decode()}")
    count = int(count_file.read_text())
    step = max(1, count // options.each) if options.each else 1
    refused = problems = runs = 0
    for i in range(0, count, step):
        done = run(options, folder, arguments, fail=i)
        runs += 1
        refused += done.returncode == 6
        problem = problem_of(done, folder.take_outputs(), whole)
        if problem:
            problems += 1
            print(f"{name}: allocation {i}: {problem}: {done.stderr.decode(errors='replace').strip()}", flush=True)
    if refused == 0:
        sys.exit(f"{name}: no run ended for lack of memory: allocations do not fail")
    print(f"{name}: {count} allocations, {runs} failed one by one: {refused} refusals, {problems} problems", flush=True)
    return problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--source", type=pathlib.Path, required=True)
    parser.add_argument("--preload", type=pathlib.Path, required=True)
    parser.add_argument("--each", type=int, default=0)
    parser.add_argument("--only", help="one of the commands by its name here")
    options = parser.parse_args()
    options.bin, options.preload = options.bin.resolve(), options.preload.resolve()
    problems = 0
    with tempfile.TemporaryDirectory(prefix="intsam_oom_") as scratch:
        folder = pathlib.Path(scratch) / "folder"
        folder.mkdir()
        folder = Folder(folder)
        for name, (arguments, expected) in commands(options.source.resolve()).items():
            if options.only not in (None, name) or not (options.bin / f"intsam-{arguments[0]}").exists():
                continue
            problems += check(options, folder, name, arguments, expected)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
