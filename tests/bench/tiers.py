"""Every kernel tier of this CPU, timed by intsam-bench: Markdown on standard output. Started by tiers.sh."""
import argparse
import datetime
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
from tools_support import decode_png  # noqa: E402

SEED = "1"
PHOTO = ROOT / "models/photos/astronaut.png"
BOX = "150,10,300,190"
SHARE_SHOWN = 0.01  # of the encoder's time: smaller operations are one row


class Failure(Exception):
    """A tool failed, or tiers disagree."""


def options(arguments):
    parser = argparse.ArgumentParser(prog="tiers.sh", description="Every kernel tier of this CPU, timed.")
    parser.add_argument("--models", nargs="+", default=["vit_b", "mobile_sam"], metavar="SIZE",
                        help="sizes, as intsam-bench --synthetic takes them (default: vit_b mobile_sam)")
    parser.add_argument("--bits", nargs="+", default=["w8a8", "w6a6"], metavar="WIDTHS",
                        help="bit widths (default: w8a8 w6a6)")
    parser.add_argument("--tiers", nargs="+", metavar="TIER", help="some tiers only (default: all but scalar)")
    parser.add_argument("--threads", type=int, default=1, help="default: 1")
    parser.add_argument("--rounds", type=int, default=3, help="default: 3")
    parser.add_argument("--bin", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--check-options", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def run(tool, *words):
    print("tiers:", tool.name, *words, file=sys.stderr)
    done = subprocess.run([tool, *words], stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise Failure(f"{tool.name} ended with {done.returncode}")
    return done.stdout


def tiers_of(bin_folder, wanted):
    rows = json.loads(run(bin_folder / "intsam-inspect", "--kernels", "--json"))["kernels"]
    here = [row["tier"] for row in rows if row["supported"] and row["tier"] != "scalar"]
    for tier in wanted or ():
        if tier not in here + ["scalar"]:
            raise Failure(f"this CPU has no tier '{tier}': it has {', '.join(here)}")
    return wanted or here or ["scalar"]


def mask_hash(bin_folder, model, tier, scratch):
    mask = scratch / "mask.png"
    run(bin_folder / "intsam-segment", model, PHOTO, "--box", BOX, "--isa", tier, "--quiet", "--output", mask)
    return hashlib.sha256(decode_png(mask.read_bytes())[3]).hexdigest()


def measure(settings, scratch):
    """[(size, bits, tier, what intsam-bench says, the mask's hash)]"""
    rows = []
    for size in settings.models:
        for bits in settings.bits:
            model = scratch / f"{size}_{bits}.isam"
            run(settings.bin / "intsam-convert", "--synthetic", size, "--seed", SEED, "--bits", bits, "--quiet", "-o", model)
            hashes = {}
            for tier in tiers_of(settings.bin, settings.tiers):
                hashes[tier] = mask_hash(settings.bin, model, tier, scratch)
                timed = json.loads(run(
                    settings.bin / "intsam-bench", "--synthetic", size, "--seed", SEED, "--bits", bits, "--isa", tier,
                    "--threads", str(settings.threads), "--rounds", str(settings.rounds), "--ops", "--json"))
                rows.append((size, bits, tier, timed, hashes[tier]))
            if len(set(hashes.values())) != 1:
                raise Failure(f"{size} {bits}: tiers give different masks: {hashes}")
            model.unlink()
    return rows


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def summary(rows):
    def line(size, bits, tier, timed, mask):
        parts = [timed["encoder"], timed["decoder"], timed["decoder_next"]]
        times = [f"{parts[0]['int_s']:.2f} s", *(f"{part['int_s'] * 1000:.1f} ms" for part in parts[1:])]
        ratios = " / ".join(f"{part['speedup']:.2f}" for part in parts)
        return [size, bits, tier, *times, ratios, f"{timed['peak_rss_mib']:.0f} MiB", f"`{mask[:16]}`"]

    return table(["model", "bits", "tier", "encoder", "first prompt", "further", "times FP32, of the three", "memory",
                  "mask's SHA-256"], [line(*row) for row in rows])


def peaks(rows):
    found = {}
    for *_, timed, _ in rows:
        for peak in timed["ops"]["peaks"]:
            found.setdefault((peak["tier"], peak["instructions"]), peak["gmac_per_s"])
    return table(["tier", "instructions", "GMAC/s of one core"],
                 [[tier, f"`{names}`", f"{rate:.0f}"] for (tier, names), rate in found.items()])


def operations(timed):
    shown, rest = [], 0.0
    for row in timed["ops"]["table"]:
        if row["share"] < SHARE_SHOWN:
            rest += row["s"]
            continue
        rate = f"{row['gmac_per_s']:.0f} GMAC/s" if "gmac_per_s" in row else (
            f"{row['melements_per_s']:.0f} M elements/s" if "melements_per_s" in row else "")
        of_peak = ", ".join(f"{share:.0%} of `{name}`" for name, share in row.get("of_peak", {}).items())
        shown.append([row["op"], f"{row['s'] * 1000:.1f}", f"{row['share']:.0%}", rate, of_peak])
    return table(["operation", "ms", "share", "rate", "of peak"], [*shown, ["smaller ones", f"{rest * 1000:.1f}", "", "", ""]])


def page(settings, rows):
    first = rows[0][3]
    threads = f"{settings.threads} thread" + ("s" if settings.threads > 1 else "")
    parts = [f"**{first['cpu']}**, {threads}, {datetime.date.today()}; FP32: {first['fp32_library']}; "
             f"medians of {settings.rounds} rounds; random weights, seed {SEED}.", summary(rows), peaks(rows)]
    for size, bits, tier, timed, _ in rows:
        parts += [f"{size}, {bits}, {tier}: {timed['ops']['encoder_s'] * 1000:.0f} ms with every operation timed", operations(timed)]
    return "\n\n".join(parts)


def main():
    settings = options(sys.argv[1:])
    if settings.check_options:
        return 0
    try:
        with tempfile.TemporaryDirectory(prefix="intsam_tiers_") as scratch:
            print(page(settings, measure(settings, pathlib.Path(scratch))))
    except Failure as failure:
        print(f"tiers: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
