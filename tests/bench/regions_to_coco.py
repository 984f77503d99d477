"""Makes COCO's annotations of photos with maps of regions (NAME.jpg with NAME.labels.0.png, docs/accuracy.md).

    regions_to_coco.py FOLDER ANNOTATIONS.json

Regions are those that the accuracy program takes: 0.5 to 90 % of the photo, at most six, lowest numbers first. All are
of one category.
"""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from tools_support import decode_png  # noqa: E402

MOST = 6


def regions_of(labels):
    """(number, area) of the regions that count."""
    areas = {}
    for value in labels:
        areas[value] = areas.get(value, 0) + 1
    total = len(labels)
    fits = lambda area: 0.005 * total <= area <= 0.9 * total
    return [(value, areas[value]) for value in sorted(areas) if value and fits(areas[value])][:MOST]


def run_lengths(inside, width, height):
    """Down the columns, beginning with what is outside."""
    runs, last = [0], False
    for x in range(width):
        for value in inside[x::width]:
            if value != last:
                runs.append(0)
                last = value
            runs[-1] += 1
    return runs


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    images, annotations = [], []
    for photo in sorted(pathlib.Path(sys.argv[1]).glob("*.jpg")):
        width, height, channels, pixels = decode_png(photo.with_suffix(".labels.0.png").read_bytes())
        size = len(pixels) // (width * height)
        if channels != 1:
            sys.exit(f"{photo}: its map is not gray")
        labels = [int.from_bytes(pixels[i : i + size], "big") for i in range(0, len(pixels), size)]
        images.append({"id": len(images) + 1, "file_name": photo.name, "width": width, "height": height})
        for value, area in regions_of(labels):
            inside = [label == value for label in labels]
            columns = [x for x in range(width) if any(inside[x::width])]
            rows = [y for y in range(height) if any(inside[y * width : (y + 1) * width])]
            annotations.append({
                "id": len(annotations) + 1, "image_id": images[-1]["id"], "category_id": 1, "iscrowd": 0, "area": area,
                "bbox": [columns[0], rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1],
                "segmentation": {"size": [height, width], "counts": run_lengths(inside, width, height)},
            })  # fmt: skip
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "region"}]}
    pathlib.Path(sys.argv[2]).write_text(json.dumps(content), encoding="utf-8")


if __name__ == "__main__":
    main()
