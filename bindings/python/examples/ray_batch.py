"""All masks of many photos on a Ray cluster, or on the cores of one machine:

  python ray_batch.py vit_b.isam photos/ masks/
  python ray_batch.py vit_b.isam s3://bucket/photos s3://bucket/masks --address auto

Writes Parquet files with a row per photo: `key` (its path below the folder), `width`, `height`, `masks` (the JSON text that
intsam-everything writes, with COCO run lengths) and `error`. A photo that fails gets a row with the reason, and the others
go on. Run it again after a stop, or when photos have come: keys that have a row are left out. docs/python.md says when
this is worth a cluster.

Needs intsam[image] and ray[data] on every machine, and the model at the same path.
"""
from __future__ import annotations

import argparse
import dataclasses
import fractions
import json
import math
import pathlib
import sys
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet
import ray

import intsam

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif")
_BYTES_AT_MOST = 2**30  # of a photo's file


class Everything:
    """An actor: a session with one thread, and the model, whose pages all actors of a machine share."""

    def __init__(self, model: str, folder: str, options: dict[str, Any]) -> None:
        self._filesystem, _ = opened(folder)
        self._session = intsam.Session(intsam.Model(model), threads=1)
        self._options = intsam.EverythingOptions(**options)

    def __call__(self, photo: dict[str, Any]) -> dict[str, Any]:
        row = {"key": photo["key"], "width": 0, "height": 0, "masks": "[]", "error": ""}
        try:
            image = intsam.read_image(self._read(photo["path"]))
            found = self._session.everything(image, segmentation=intsam.Mask.coco_rle, options=self._options)
        except (intsam.Error, OSError, MemoryError) as error:
            return {**row, "error": str(error) or type(error).__name__}
        return {**row, "height": image.shape[0], "width": image.shape[1], "masks": masks_json(found)}

    def _read(self, path: str) -> bytes:
        with self._filesystem.open_input_file(path) as file:
            if file.size() > _BYTES_AT_MOST:
                raise intsam.ResourceError(f"image: {file.size()} bytes are over the limit")
            return file.read()


def masks_json(found: list[intsam.FoundMask]) -> str:
    """The masks as intsam-everything writes them, to the byte."""
    return "[" + ", ".join(map(_record, found)) + "]"


def _record(mask: intsam.FoundMask) -> str:
    x, y, width, height = mask.bbox
    box = [x, y, max(width - 1, 0), max(height - 1, 0)]  # to the last pixel, as the original package counts
    return (f'{{"segmentation": {json.dumps(mask.segmentation)}, "area": {mask.area}, "bbox": {box}, '
            f'"predicted_iou": {_six_decimals(mask.predicted_iou)}, "point_coords": [{list(mask.point)}], '
            f'"stability_score": {_six_decimals(mask.stability_score)}, "crop_box": {list(mask.crop_box)}}}')


def _six_decimals(value: float) -> str:
    millionths = math.floor(fractions.Fraction(value) * 10**6 + fractions.Fraction(1, 2))
    return f"{'-' if millionths < 0 else ''}{abs(millionths) // 10**6}.{abs(millionths) % 10**6:06d}"


def opened(folder: str) -> tuple[pyarrow.fs.FileSystem, str]:
    """The file system of a folder or a bucket's address, and its path there."""
    return pyarrow.fs.FileSystem.from_uri(folder if "://" in folder else pathlib.Path(folder).absolute().as_uri())


def photos_below(folder: str) -> list[dict[str, str]]:
    """Key and path of each photo, in the order of the keys."""
    filesystem, inside = opened(folder)
    prefix = inside.rstrip("/") + "/"
    infos = filesystem.get_file_info(pyarrow.fs.FileSelector(inside, recursive=True))
    paths = sorted(info.path for info in infos if info.is_file and info.path.lower().endswith(SUFFIXES))
    return [{"key": path.removeprefix(prefix), "path": path} for path in paths]


def finished_keys(folder: str) -> set[str]:
    """The keys that have a row. A file without an end, of a process that was killed, is renamed; readers of Parquet take
    no files whose names begin with an underscore."""
    filesystem, inside = opened(folder)
    keys: set[str] = set()
    for info in filesystem.get_file_info(pyarrow.fs.FileSelector(inside, allow_not_found=True)):
        folder_path, _, name = info.path.rpartition("/")
        if not name.endswith(".parquet") or name.startswith("_"):
            continue
        try:
            with filesystem.open_input_file(info.path) as source:
                names = pa.parquet.ParquetFile(source).schema_arrow.names
        except pa.ArrowInvalid:
            print(f"ray_batch: {info.path}: is damaged, and its photos are done again", file=sys.stderr)
            filesystem.move(info.path, f"{folder_path}/_damaged_{name}")
            continue
        if "key" not in names:
            raise intsam.ArgumentError(f"{info.path}: is none of this program's files")
        keys.update(pa.parquet.read_table(info.path, columns=["key"], filesystem=filesystem)["key"].to_pylist())
    return keys


def segment(model: str, photos: str, out: str, options: dict[str, Any], photos_per_file: int = 64) -> int:
    """Segments the photos that have no row yet; how many those were. Ray must have been initialized."""
    done = finished_keys(out)
    todo = [photo for photo in photos_below(photos) if photo["key"] not in done]
    if todo:
        cpus = max(int(ray.cluster_resources().get("CPU", 1)), 1)
        (ray.data.from_items(todo, override_num_blocks=-(-len(todo) // photos_per_file))
            .map(Everything, fn_constructor_args=[model, photos, options], num_cpus=1, concurrency=(1, cpus))
            .write_parquet(out, ray_remote_args={"num_cpus": 0}))  # cores are for the actors
    return len(todo)


def check(model: str, options: dict[str, Any]) -> None:
    """Raises what is wrong with the arguments before a cluster has work, on a picture of no size to speak of."""
    chosen = intsam.EverythingOptions(**options)
    small = dataclasses.replace(
        chosen, points_per_side=min(chosen.points_per_side, 1), crop_n_layers=min(chosen.crop_n_layers, 0))
    intsam.Session(intsam.Model(model), threads=1).everything(np.zeros((8, 8, 3), np.uint8), options=small)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="an .isam file, at this path on every machine")
    parser.add_argument("photos", help="a folder or a bucket's address")
    parser.add_argument("out", help="a folder or a bucket's address")
    parser.add_argument("--address", help="of a Ray cluster; without it, the cores of this machine")
    parser.add_argument("--photos-per-file", type=int, default=64, metavar="N", help="what a stop loses (default: 64)")
    parser.add_argument("--options", type=json.loads, default={}, metavar="JSON",
                        help='of intsam.EverythingOptions, such as \'{"pred_iou_thresh": 0.8}\'')
    options = parser.parse_args()
    try:
        check(options.model, options.options)
        ray.init(address=options.address)
        count = segment(options.model, options.photos, options.out, options.options, options.photos_per_file)
    except (intsam.Error, OSError, TypeError) as error:
        print(f"ray_batch: {error}", file=sys.stderr)
        sys.exit(getattr(error, "status", 3))
    print(f"ray_batch: {count} photos", file=sys.stderr)


if __name__ == "__main__":
    main()
