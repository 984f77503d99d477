"""What users would pick instead of intsam, side by side with it on one machine: one Markdown table on stdout.
Started by run.sh, which installs and builds what is missing. docs/performance.md says what the rows mean."""
import argparse
import functools
import hashlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import models
import report
import systems

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
BIN = ROOT / "build" / "release" / "bin"


class Failure(Exception):
    """One sentence for the user."""


def say(text):
    print(f"peers: {text}", file=sys.stderr, flush=True)


def whole(low, high):
    def parse(text):
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of {low}..{high}")
        return int(text)
    return parse


def parse_options(arguments):
    parser = argparse.ArgumentParser(prog="run.sh", description=__doc__)
    parser.add_argument("--model", choices=models.NAMES, default="vit_b",
                        help="random weights of this size; tiny: the bundled model, trained (default: vit_b)")
    parser.add_argument("--checkpoint", type=pathlib.Path, help="weights of that size instead (.pth, .safetensors)")
    parser.add_argument("--seed", type=whole(0, 2**31 - 1), default=1, help="of the random weights (default: 1)")
    parser.add_argument("--systems", nargs="+", choices=systems.SYSTEMS, default=systems.DEFAULT_SYSTEMS,
                        metavar="NAME", help=f"peers, of {', '.join(systems.SYSTEMS)} (default: "
                        f"{', '.join(systems.DEFAULT_SYSTEMS)})")
    parser.add_argument("--profiles", nargs="+", default=["w8a8", "w7a8", "w6a6"], metavar="BITS",
                        help="bit widths of intsam, as intsam-convert takes them (default: w8a8 w7a8 w6a6)")
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--threads", nargs="+", type=whole(1, cores), default=[1, 2][:cores], metavar="COUNT",
                        help="default: 1 2")
    parser.add_argument("--rounds", type=whole(1, 1000), default=3, help="default: 3")
    parser.add_argument("--isa", choices=systems.INSTRUCTION_SETS, help="hold everybody to this instruction set")
    parser.add_argument("--tiers", action="store_true",
                        help="a row for each kernel tier of intsam that this CPU has; scalar only where it is alone")
    parser.add_argument("--everything", action="store_true",
                        help="time everything mode, a grid of 32 x 32 points, in place of one prompt")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write every sample to this file too")
    parser.add_argument("--check-options", action="store_true", help=argparse.SUPPRESS)
    # For run.sh: systems.further_requirements, and nothing else.
    parser.add_argument("--list-requirements", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.checkpoint and not options.checkpoint.is_file():
        parser.error(f"argument --checkpoint: {options.checkpoint}: no such file")
    if options.json and not options.json.absolute().parent.is_dir():
        parser.error(f"argument --json: {options.json.parent}: no such folder")
    for name in ("systems", "profiles", "threads"):
        setattr(options, name, list(dict.fromkeys(getattr(options, name))))  # once each
    return options


def file_hash(*paths):
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as source:
            for block in iter(lambda: source.read(1 << 20), b""):
                digest.update(block)
    return digest.hexdigest()[:12]


def artifacts_folder(options):
    """Named after everything that what it holds depends on, so that nothing stale is ever measured."""
    sources = [HERE / name for name in ("models.py", "original_sam.py", "prepare.py", "runtimes.py", "systems.py")]
    sources += sorted(HERE.glob("requirements*.txt"))
    weights = file_hash(options.checkpoint) if options.checkpoint else f"seed{options.seed}"
    return ROOT / "build" / "peers" / f"{options.model}-{weights}-{file_hash(*sources)}"


def run(command, environment=None, stdout=subprocess.PIPE):
    """Its stdout, unless that is a file. The libraries' own chatter is shown only when the command fails."""
    finished = subprocess.run([str(word) for word in command], env=environment, text=True, stdout=stdout,
                              stderr=subprocess.PIPE)
    if finished.returncode == 0:
        return finished.stdout
    last = (finished.stderr.strip() or (finished.stdout or "").strip() or "no message").splitlines()[-1]
    name = " ".join(pathlib.Path(word).name for word in map(str, command[:4]) if not str(word).startswith("-"))
    raise Failure(f"{name}: exit status {finished.returncode}: {last}")


def run_for_peak(command):
    """Runs it in a process that waits for nothing else, and returns the most memory it had, in KiB."""
    script = ("import resource, subprocess, sys; status = subprocess.call(sys.argv[1:]); "
              "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(status)")
    return int(run([sys.executable, "-c", script, *command]).splitlines()[-1])


def python(script, *arguments, environment=None):
    return run([sys.executable, "-B", HERE / script, *arguments], environment)


def prepare(step, folder, options):
    if (folder / step).is_dir():
        return
    for needed in systems.STEPS[step]:
        prepare(needed, folder, options)
    say(f"preparing {step}")
    arguments = ["--model", options.model, "--seed", options.seed]
    if options.checkpoint:
        arguments += ["--checkpoint", options.checkpoint]
    python("prepare.py", step, folder, *arguments)


def size_mib(path):
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files) / 2**20


class Peer:
    """A row of the table: what it is called, and how one sample of it is taken."""

    def __init__(self, system, folder, options):
        self.system, self.folder = system, folder
        self.everything = ["--everything", options.model] if options.everything else []
        entry = systems.SYSTEMS[system]
        self.label = entry.label + ("" if entry.held or not options.isa else " (not held)")
        prepare(entry.artifact, folder, options)
        artifact = folder / entry.artifact
        self.model_mib = size_mib(artifact / systems.CHECKPOINT if system == "pytorch" else artifact)
        # The libraries choose their own way to wait for work, whatever this shell's is.
        self.environment = {k: v for k, v in os.environ.items() if k not in ("OMP_WAIT_POLICY", "OMP_NUM_THREADS")}
        if options.isa:
            self.environment |= systems.INSTRUCTION_SETS[options.isa].environment

    def sample(self, threads):
        return json.loads(python("measure.py", self.system, self.folder, "--threads", threads,
                                 *self.everything, environment=self.environment))


# Of the float reference's embedding to the original package's, as relative L2: both round to F32 in their own order.
MOST_FLOAT_ERROR = 1e-3


def check_float_reference(folder, options):
    """What intsam's models are converted from and measured against is what the original package computes."""
    prepare("checkpoint", folder, options)
    checkpoint = folder / "checkpoint"
    with tempfile.TemporaryDirectory() as scratch:
        embedding = pathlib.Path(scratch) / "embedding"
        with open(embedding, "wb") as out:
            run([BIN / "float_embedding", checkpoint / systems.CHECKPOINT, checkpoint / systems.PHOTO], stdout=out)
        error = json.loads(python("measure.py", "reference", folder, "--embedding", embedding))["relative_l2"]
    say(f"intsam's float reference: {error:.2g} (relative L2) from PyTorch's embedding")
    if not error <= MOST_FLOAT_ERROR:
        raise Failure(f"intsam's float reference is {error:.2g} (relative L2) from PyTorch's embedding, more than "
                      f"{MOST_FLOAT_ERROR}")
    return error


class Intsam:
    def __init__(self, profile, tier, folder, options):
        self.tier, self.folder = tier, folder
        self.everything = options.model if options.everything else None
        self.label = f"intsam {profile}, {tier}"
        self.model = self._convert(profile, options)
        self.model_mib = size_mib(self.model)
        self.cosine = None if options.everything else self._cosine(max(options.threads))

    def _convert(self, profile, options):
        prepare("checkpoint", self.folder, options)
        name = "".join(c if c.isalnum() else "_" for c in profile)
        model = self.folder / f"intsam-{name}-{file_hash(BIN / 'intsam-convert')}.isam"
        if not model.exists():
            say(f"converting to {profile}")
            checkpoint = self.folder / "checkpoint"
            run([BIN / "intsam-convert", checkpoint / systems.CHECKPOINT, "-o", model, "--bits", profile,
                 "--calib", checkpoint / systems.CALIBRATION, "--quiet"])
        return model

    def _cosine(self, threads):
        with tempfile.TemporaryDirectory() as scratch:
            embedding = pathlib.Path(scratch) / "embedding"
            run([BIN / "intsam-segment", self.model, self.folder / "checkpoint" / systems.PHOTO, "--point", "10,10",
                 "--isa", self.tier, "--threads", threads, "--save-embedding", embedding, "--quiet"])
            return json.loads(python("measure.py", "intsam", self.folder, "--embedding", embedding))["cosine"]

    def sample(self, threads):
        if self.everything:
            return self._everything(threads)
        found = json.loads(run([BIN / "intsam-bench", self.model, "--no-fp32", "--json", "--rounds", "1",
                                "--threads", threads, "--isa", self.tier]))
        return {"encoder_s": found["encoder"]["int_s"], "decoder_s": found["decoder_next"]["int_s"],
                "peak_rss_mib": found["peak_rss_mib"], "cosine": self.cosine}

    def _everything(self, threads):
        """The whole process: opening the model, reading the photo, and writing the masks are in the figure."""
        thresholds = [word for name, value in models.EVERYTHING_THRESHOLDS.get(self.everything, {}).items()
                      for word in (f"--{name.replace('_', '-')}", value)]
        with tempfile.TemporaryDirectory() as scratch:
            masks = pathlib.Path(scratch) / "masks.json"
            start = time.perf_counter()
            peak_kib = run_for_peak([BIN / "intsam-everything", self.model, self.folder / "checkpoint" / systems.PHOTO,
                                     "-o", masks, "--isa", self.tier, "--threads", threads, "--quiet", *thresholds])
            everything_s = time.perf_counter() - start
            return {"everything_s": everything_s, "peak_rss_mib": peak_kib / 1024,
                    "masks": len(json.loads(masks.read_text()))}


def intsam_tiers(options):
    """Names of the kernel tiers to measure, best first. Scalar takes minutes: only where it is all there is."""
    kernels = json.loads(run([BIN / "intsam-inspect", "--kernels", "--json"]))["kernels"]
    tiers = [kernel["tier"] for kernel in kernels if kernel["supported"]]
    if options.isa:
        names = list(systems.INSTRUCTION_SETS)
        above = {systems.INSTRUCTION_SETS[name].tier for name in names[names.index(options.isa) + 1:]}
        tiers = [tier for tier in tiers if tier not in above]
    vectors = [tier for tier in tiers if tier != "scalar"] or tiers
    return vectors if options.tiers else vectors[:1]


def collect_rows(options, failures):
    """What can be prepared; a system that cannot be is reported and left out."""
    folder = artifacts_folder(options)
    # intsam comes first because it needs least: a bit width that it does not know is told at once.
    makers = [(f"intsam {profile}, {tier}", functools.partial(Intsam, profile, tier))
              for profile in options.profiles for tier in intsam_tiers(options)]
    makers += [(system, functools.partial(Peer, system)) for system in options.systems]
    rows = []
    for name, make in makers:
        try:
            rows.append(make(folder, options))
        except Failure as failure:
            failures.append(f"{name}: {failure}")
            say(failures[-1])
    return rows


def take_samples(rows, options, failures):
    """Round by round, every system in each: a machine that slows down for a while slows down all of them. An interrupt
    ends the rounds; what they measured until then counts."""
    samples = {row: {threads: [] for threads in options.threads} for row in rows}
    try:
        take_rounds(samples, options, failures)
    except KeyboardInterrupt:
        failures.append("interrupted")
        say("interrupted: the table holds the systems that have a sample for every number of threads")
    return {row: taken for row, taken in samples.items() if all(taken.values())}


def take_rounds(samples, options, failures):
    for number in range(1, options.rounds + 1):
        for threads in options.threads:
            for row in list(samples):
                try:
                    sample = row.sample(threads)
                except Failure as failure:
                    failures.append(f"{row.label}: {failure}")
                    say(failures[-1])
                    del samples[row]
                    continue
                samples[row][threads].append(sample)
                say(f"round {number}, {report.threads_text(threads)}, {row.label}: {report.sample_text(sample)}")
                if "encoder_cpu_s" in sample and sample["encoder_cpu_s"] > 1.1 * threads * sample["encoder_s"] + 0.1:
                    say(f"warning: {row.label} used more than {report.threads_text(threads)}")


def medians(by_threads, key):
    return {n: statistics.median(sample[key] for sample in samples) for n, samples in by_threads.items()}


def summary(row, by_threads):
    taken = [sample for samples in by_threads.values() for sample in samples]
    result = {
        "system": row.label,
        "peak_rss_mib": max(sample["peak_rss_mib"] for sample in taken),
        "model_mib": row.model_mib,
        "precision": taken[0].get("precision"),
        "samples": by_threads,
    }
    if "everything_s" in taken[0]:
        return result | {"everything_s": medians(by_threads, "everything_s"), "masks": taken[0]["masks"]}
    return result | {"encoder_s": medians(by_threads, "encoder_s"), "decoder_s": medians(by_threads, "decoder_s"),
                     "cosine": min(sample["cosine"] for sample in taken)}


def main():
    options = parse_options(sys.argv[1:])
    if options.check_options:
        return 0
    if options.list_requirements:
        print(*systems.further_requirements(options.systems), sep="\n")
        return 0
    failures = []
    try:
        machine = report.machine(options, run([BIN / "intsam-bench", "--version"]))
        rows = collect_rows(options, failures)
        try:
            machine["float_reference_error"] = check_float_reference(artifacts_folder(options), options)
        except Failure as failure:
            failures.append(str(failure))
            say(failures[-1])
        samples = take_samples(rows, options, failures)
        machine["rounds"] = min((len(taken[n]) for taken in samples.values() for n in options.threads), default=0)
        results = [summary(row, taken) for row, taken in samples.items()]
        print(report.table(machine, results, options.threads))
        if options.json:
            everything = {"machine": machine, "rows": results, "failures": failures}
            options.json.write_text(json.dumps(everything, indent=1) + "\n")
    except (Failure, OSError) as error:
        say(error)
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
