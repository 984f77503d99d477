"""The command-line tools that came with the package: they run, and give the masks that the package gives."""
import importlib.metadata
import json
import pathlib
import subprocess

import numpy as np
import pytest
from conftest import MICRO, ROOT

import intsam

PHOTO = ROOT / "models/photos/astronaut.png"
# What a wheel with tools has; another one says so in docs/python.md.
TOOLS = {file.name: pathlib.Path(file.locate()).resolve() for file in importlib.metadata.files("intsam") or ()
         if file.name.startswith("intsam-") and "." not in file.name}
pytestmark = pytest.mark.skipif(not TOOLS, reason="this wheel was built without the tools")


def run(tool, *words):
    return subprocess.run([TOOLS[tool], *words], check=True, capture_output=True, text=True).stdout


def test_all_are_there():
    assert {"intsam-segment", "intsam-everything", "intsam-inspect"} <= set(TOOLS)
    for tool in TOOLS:
        assert intsam.__version__ in run(tool, "--version")


def test_masks_are_the_packages(tmp_path):
    pytest.importorskip("PIL")
    run("intsam-segment", MICRO, PHOTO, "--point", "200,300", "-o", tmp_path / "mask.png", "-q")
    run("intsam-everything", MICRO, PHOTO, "-o", tmp_path / "masks.json", "-q", "--points-per-side", "3",
        "--pred-iou-thresh", "0", "--stability-score-thresh", "0")
    image = intsam.read_image(PHOTO)
    options = intsam.EverythingOptions(points_per_side=3, pred_iou_thresh=0, stability_score_thresh=0)
    with intsam.Model(MICRO) as model, intsam.Session(model) as session:
        session.set_image(image)
        np.testing.assert_array_equal(intsam.read_image(tmp_path / "mask.png")[..., 0] > 0,
                                      session.predict([[200, 300]]).mask())
        found = session.everything(segmentation=intsam.Mask.coco_rle, options=options)
    records = json.loads((tmp_path / "masks.json").read_text())
    assert [record["segmentation"] for record in records] == [mask.segmentation for mask in found]


def test_a_bad_file_ends_as_the_exception_says(tmp_path):
    done = subprocess.run([TOOLS["intsam-inspect"], tmp_path / "absent"], capture_output=True, check=False)
    assert done.returncode == intsam.FileError.status and b"absent" in done.stderr
