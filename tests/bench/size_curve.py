"""Draws the size of a model's file against its agreement with FP32: the picture of docs/quantization.md.

    build/release/bin/accuracy CHECKPOINT CALIB VAL --only intsam --max-mib 4.8,4.3,3.7,3.1 --output figures.json
    python3 tests/bench/size_curve.py figures.json docs/images/size_agreement.svg      # needs matplotlib
"""

import argparse
import json
import pathlib

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

# The same bytes for the same figures: names of clip paths, and no date.
matplotlib.rcParams["svg.hashsalt"] = "intsam"
matplotlib.rcParams["svg.fonttype"] = "none"


def points(rows, budget, prompt):
    """(MiB, agreement, label) of profiles with 8-bit activations or, `budget`, of models made to a size; by size."""
    chosen = [row for row in rows if row["bits"].endswith("a8") and ("MiB" in row["method"]) == budget]
    label = "method" if budget else "bits"
    return sorted((row["model_bytes"] / 2**20, row[f"agreement_{prompt}"], row[label]) for row in chosen)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", type=pathlib.Path)
    parser.add_argument("picture", type=pathlib.Path)
    options = parser.parse_args()
    figures = json.loads(options.figures.read_text())
    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
    for ax, prompt in zip(axes, ("point", "box")):
        for budget, style, name in ((False, "o--", "one width for all layers"), (True, "s-", "a budget: --max-mib")):
            curve = points(figures["rows"], budget, prompt)
            ax.plot([x for x, _, _ in curve], [y for _, y, _ in curve], style, label=name)
            for x, y, label in curve if not budget else ():
                ax.annotate(label, (x, y), textcoords="offset points", xytext=(4, -12), fontsize=8)
        ax.set_title(f"prompt: {prompt}", fontsize=10)
        ax.set_xlabel("MiB of the file")
        ax.grid(alpha=0.3)
    axes[0].set_ylabel("agreement with FP32 (mean IoU)")
    axes[0].legend(fontsize=8, loc="lower right")
    figure.savefig(options.picture, metadata={"Date": None})


if __name__ == "__main__":
    main()
