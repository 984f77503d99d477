"""examples/ray_batch.py on a local Ray cluster of two workers, one of which is killed on the way:

  ray_cluster.py --model MODEL.isam [--tool intsam-batch] [--photos N]

Every photo has one row, with what one session gives for it, or its error; a second run does nothing, a damaged file is
done again, and with --tool the masks of every photo are what that program writes, to the byte. Exits with 77 (skipped) where ray
or Pillow are not installed. Takes about a minute.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np

import intsam

os.environ.setdefault("RAY_raylet_start_wait_time_s", "300")  # for machines that are busy
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "examples"))
try:
    import pyarrow.parquet
    import ray
    import ray_batch
    from PIL import Image
    from ray.cluster_utils import Cluster
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

OPTIONS = {"points_per_side": 6, "pred_iou_thresh": 0.0, "stability_score_thresh": 0.0}


def write_photos(folder, count):
    """Photos in two folders, and two files that are none."""
    random = np.random.default_rng(7)
    y, x = np.mgrid[:90, :120]
    for number in range(count):
        pixels = random.integers(0, 60, (90, 120, 3))
        pixels[(x - random.integers(120)) ** 2 + (y - random.integers(90)) ** 2 < 900] += random.integers(60, 190, 3)
        path = folder / f"{'ab'[number % 2]} #1/{number:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(path)
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "text.jpg").write_bytes(b"no photo")
    (folder / "notes.txt").write_bytes(b"not looked at")


def rows(out):
    table = pyarrow.parquet.read_table(out)
    found = {row["key"]: row for row in table.to_pylist()}
    assert len(found) == table.num_rows, "a key has two rows"
    return found


def expected_masks(model, path, options):
    with intsam.Session(model, threads=1) as session:
        found = session.everything(intsam.read_image(path), segmentation=intsam.Mask.coco_rle, options=options)
    return ray_batch.masks_json(found)


def compare(found, photos, model_path, tool):
    keys = {str(path.relative_to(photos)) for path in photos.rglob("*") if path.suffix in (".png", ".jpg")}
    assert set(found) == keys, set(found) ^ keys
    for key in ("broken.png", "text.jpg"):
        assert found[key]["error"] and found[key]["masks"] == "[]", found[key]
    with intsam.Model(model_path) as model:
        for key in sorted(keys - {"broken.png", "text.jpg"})[::5]:
            row = found[key]
            assert (row["error"], row["width"], row["height"]) == ("", 120, 90), row
            assert row["masks"] == expected_masks(model, photos / key, intsam.EverythingOptions(**OPTIONS)), key
    if tool:
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [tool, model_path, photos, "--recursive", "--keep-going", "--auto", "--format", "rle", "-o", folder,
                 "--quiet", "--points-per-side", "6", "--pred-iou-thresh", "0", "--stability-score-thresh", "0"],
                check=False)
            assert done.returncode == 1, "the two that are no photos"
            for key in sorted(keys - {"broken.png", "text.jpg"}):
                text = (pathlib.Path(folder) / key).with_suffix(".json").read_text()
                assert text.strip() == found[key]["masks"], f"{key}: the tool writes other bytes"
        print(f"ray_cluster: the masks of all {len(keys) - 2} photos are the tool's, to the byte")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--tool")
    parser.add_argument("--photos", type=int, default=60)
    options = parser.parse_args()
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "object_store_memory": 200 * 2**20})
    try:
        workers = [cluster.add_node(num_cpus=1, object_store_memory=100 * 2**20) for _ in range(2)]
        cluster.wait_for_nodes()
        ray.init(address=cluster.address, log_to_driver=False)
        ray.cloudpickle.register_pickle_by_value(ray_batch)  # as when it is the program itself
        with tempfile.TemporaryDirectory() as folder:
            photos, out = pathlib.Path(folder) / "photos", pathlib.Path(folder) / "masks"
            write_photos(photos, options.photos)
            killed = threading.Event()

            def kill():
                while not list(out.glob("*.parquet")):  # when the first rows are there
                    time.sleep(0.05)
                cluster.remove_node(workers[0], allow_graceful=False)
                killed.set()

            killer = threading.Thread(target=kill, daemon=True)
            killer.start()
            model = str(pathlib.Path(options.model).resolve())
            count = ray_batch.segment(model, str(photos), str(out), OPTIONS, photos_per_file=4)
            killer.join(timeout=60)
            assert killed.is_set() and count == options.photos + 2, count
            compare(rows(out), photos, model, options.tool)
            print(f"ray_cluster: {count} photos, one of two workers killed on the way: a row for each, as from one session")

            assert ray_batch.segment(model, str(photos), str(out), OPTIONS) == 0
            first = next(out.glob("*.parquet"))
            lost = pyarrow.parquet.read_table(first).num_rows
            first.write_bytes(first.read_bytes()[:-20])
            assert ray_batch.segment(model, str(photos), str(out), OPTIONS) == lost
            compare(rows(out), photos, model, options.tool)
            print(f"ray_cluster: a second run does nothing, and after damage the {lost} photos that were lost")
    finally:
        ray.shutdown()
        cluster.shutdown()


if __name__ == "__main__":
    main()
