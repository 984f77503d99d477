#!/usr/bin/env python3
"""Average precision of masks in COCO's form, several files side by side, as pycocotools measures it."""

# In Python, unlike the other tools: the measure is what pycocotools says, and that is a Python package. It is needed
# for this command alone (pip install pycocotools).
import argparse
import contextlib
import io
import json
import sys

TOOL = "intsam-coco"
EXAMPLE = "intsam-coco fp32.json int.json --annotations instances_val2017.json"
FIGURES = ("AP", "AP50", "AP75", "S", "M", "L")
USAGE, IO, DAMAGED, UNSUPPORTED = 2, 3, 4, 5  # exit codes of all tools


class Failure(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Failure(USAGE, f"{message} (see --help)")


def read_json(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except OSError as error:
        raise Failure(IO, f"{path}: cannot read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise Failure(DAMAGED, f"{path}: not valid JSON") from error


def load_annotations(path):
    from pycocotools.coco import COCO

    dataset = read_json(path)
    if not isinstance(dataset, dict) or not isinstance(dataset.get("images"), list) or "annotations" not in dataset:
        raise Failure(DAMAGED, f"{path}: not an object with images and annotations")
    truth = COCO()
    truth.dataset = dataset
    try:
        truth.createIndex()
    except (KeyError, TypeError) as error:
        raise Failure(DAMAGED, f"{path}: not COCO's annotations: {error!r}") from error
    return truth


def load_results(path, truth, images):
    """Without boxes: with them small, medium and large would be told apart by the box."""
    results = read_json(path)
    if not isinstance(results, list) or not all(isinstance(entry, dict) for entry in results):
        raise Failure(DAMAGED, f"{path}: not a list of results")
    for index, entry in enumerate(results):
        missing = {"image_id", "category_id", "segmentation", "score"} - set(entry)
        if missing:
            raise Failure(DAMAGED, f"{path}: entry {index}: \"{sorted(missing)[0]}\" is missing")
        if entry["image_id"] not in truth.imgs:
            raise Failure(USAGE, f"{path}: entry {index}: the annotations have no image {entry['image_id']!r}")
        entry.pop("bbox", None)
    wanted = set(images)
    return [entry for entry in results if entry["image_id"] in wanted]


def evaluate(truth, results, images, max_dets):
    """The figures, each None where there is nothing to be found."""
    import numpy
    from pycocotools.cocoeval import COCOeval

    if not results:  # which loadRes does not take
        found = [truth.anns[i] for i in truth.getAnnIds(imgIds=images) if not truth.anns[i].get("iscrowd")]
        return {name: 0.0 if found else None for name in FIGURES}
    evaluation = COCOeval(truth, truth.loadRes(results), "segm")
    evaluation.params.imgIds = images
    evaluation.params.maxDets = [max_dets]
    evaluation.evaluate()
    evaluation.accumulate()
    precision = evaluation.eval["precision"]  # by IoU 0.5, 0.55, ...; recall; category; area (all, small, ...); max_dets

    def mean(thresholds, area):
        values = precision[thresholds, :, :, area, 0]
        values = values[values > -1]
        return float(numpy.mean(values)) if values.size else None

    every = slice(None)
    return dict(zip(FIGURES, (mean(every, 0), mean(0, 0), mean(5, 0), mean(every, 1), mean(every, 2), mean(every, 3))))


def parse(arguments):
    parser = Parser(prog=TOOL, description=__doc__, epilog=f"example: {EXAMPLE}")
    parser.add_argument("results", nargs="+", metavar="RESULTS", help="masks as COCO's results")
    parser.add_argument("--annotations", required=True, metavar="FILE", help="COCO's annotations")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N images of the annotations")
    parser.add_argument("--max-dets", type=int, default=100, metavar="N",
                        help="masks of an image that count, best scores first (100; mmdet counts 1000)")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="as JSON")
    options = parser.parse_args(arguments)
    if options.max_dets < 1 or (options.limit is not None and options.limit < 1):
        raise Failure(USAGE, "--limit and --max-dets are at least 1")
    return options


def run(arguments):
    options = parse(arguments)
    try:
        import pycocotools.coco  # noqa: F401
    except ImportError as error:
        raise Failure(UNSUPPORTED, f"needs the Python package pycocotools: {error}") from error
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools talks
        truth = load_annotations(options.annotations)
        images = [image["id"] for image in truth.dataset["images"]][: options.limit]
        rows = [
            {"results": path, "masks": len(results), **evaluate(truth, results, images, options.max_dets)}
            for path, results in ((path, load_results(path, truth, images)) for path in options.results)
        ]
    if options.json:
        print(json.dumps({"annotations": options.annotations, "images": len(images), "rows": rows}, indent=2))
        return
    width = max(len(row["results"]) for row in rows)
    print(f"{'':{width}} {'masks':>8}" + "".join(f" {name:>7}" for name in FIGURES))
    for row in rows:
        figures = "".join(f" {'-' if row[name] is None else format(row[name], '.4f'):>7}" for name in FIGURES)
        print(f"{row['results']:{width}} {row['masks']:8}{figures}")


def main():
    try:
        run(sys.argv[1:])
    except Failure as failure:
        print(f"{TOOL}: {failure}", file=sys.stderr)
        sys.exit(failure.code)


if __name__ == "__main__":
    main()
