"""Everything mode: the original's records, and what the library's own functions say of the same masks."""
import numpy as np
import pytest

import intsam
from intsam._intsam import ffi, lib

# The tests' model is random: nearly all of its masks would go.
LENIENT = {"pred_iou_thresh": 0.0, "stability_score_thresh": 0.0, "points_per_side": 4}


def generate(sam, image, **arguments):
    return intsam.SamAutomaticMaskGenerator(sam, **{**LENIENT, **arguments}).generate(image)


def test_defaults_are_the_librarys():
    packed, defaults = intsam.EverythingOptions().packed(), ffi.new("intsam_everything_options*")
    lib.intsam_everything_options_init(defaults)
    assert bytes(ffi.buffer(packed)) == bytes(ffi.buffer(defaults))


def test_records(sam, image):
    records = generate(sam, image)
    assert records
    for record in records:
        assert list(record) == ["segmentation", "area", "bbox", "predicted_iou", "point_coords", "stability_score",
                                "crop_box"]
        mask = record["segmentation"]
        assert mask.shape == (80, 120) and mask.dtype == np.bool_ and mask.sum() == record["area"]
        rows, columns = np.nonzero(mask)
        if len(rows):
            assert record["bbox"] == [columns.min(), rows.min(), np.ptp(columns), np.ptp(rows)]
        assert all(type(value) is int for value in record["bbox"] + record["crop_box"] + [record["area"]])
        assert type(record["predicted_iou"]) is float and 0 <= record["stability_score"] <= 1
        [[x, y]] = record["point_coords"]
        assert 0 < x < 120 and 0 < y < 80
        assert record["crop_box"] == [0, 0, 120, 80]
    scores = [record["predicted_iou"] for record in records]
    assert scores == sorted(scores, reverse=True)


def test_masks_are_those_of_their_points(sam, image, session):
    for record in generate(sam, image)[:5]:
        result = session.predict(record["point_coords"])
        same = [i for i in range(1, 4) if np.array_equal(result.mask(i), record["segmentation"])]
        assert same
        assert record["predicted_iou"] in [float(result.scores[i]) for i in same]
        assert record["stability_score"] in [result.stability(i) for i in same]


def test_outputs(sam, image):
    binary = generate(sam, image)
    for records in (generate(sam, image, output_mode="uncompressed_rle"), generate(sam, image, output_mode="coco_rle")):
        assert len(records) == len(binary)
        for record, other in zip(records, binary, strict=True):
            assert record["segmentation"]["size"] == [80, 120]
            assert record["area"] == other["area"]
    first = generate(sam, image, output_mode="uncompressed_rle")[0]["segmentation"]["counts"]
    assert sum(first) == 80 * 120 and sum(first[1::2]) == binary[0]["area"]
    assert isinstance(records[0]["segmentation"]["counts"], str)
    mask_utils = pytest.importorskip("pycocotools.mask")
    np.testing.assert_array_equal(mask_utils.decode(records[0]["segmentation"]), binary[0]["segmentation"])


def test_filters(sam, image):
    assert len(generate(sam, image, box_nms_thresh=0.1)) <= len(generate(sam, image, box_nms_thresh=1.0))
    assert generate(sam, image, pred_iou_thresh=1.9) == []
    assert len(generate(sam, image, points_per_batch=3)) == len(generate(sam, image))
    assert all(record["area"] for record in generate(sam, image, min_mask_region_area=20) if record["bbox"] != [0] * 4)


def test_crops(model, image):
    steps = []
    options = intsam.EverythingOptions(**{**LENIENT, "points_per_side": 2, "crop_n_layers": 1})
    with intsam.Session(model, threads=1, progress=lambda *step: steps.append(step[:2])) as session:
        session.everything(image, options=options)
    assert steps[-1][1] == 4 + 4 * 4  # points of the whole image, and of its four crops


def test_an_image_that_is_set_already(session):
    found = session.everything(options=intsam.EverythingOptions(**LENIENT), segmentation=intsam.Mask.outlines)
    assert found and all(ring.corners.shape[1] == 2 for mask in found for ring in mask.segmentation)
    assert session.image_size == (80, 120)
    with pytest.raises(intsam.ArgumentError):
        session.everything(options=intsam.EverythingOptions(crop_n_layers=1))


def test_masks_are_lent(session, image):
    found = session.everything(image, segmentation=lambda mask: mask, options=intsam.EverythingOptions(**LENIENT))
    with pytest.raises(intsam.ArgumentError, match="lent"):
        found[0].segmentation.pixels()


def test_an_exception_ends_it(session, image):
    def fail(mask):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        session.everything(image, segmentation=fail, options=intsam.EverythingOptions(**LENIENT))
    assert session.predict([[60, 40]]).mask().shape == (80, 120)


def test_bad_arguments(sam, image, session):
    for arguments in ({"point_grids": [np.zeros((1, 2))]}, {"points_per_side": None}, {"output_mode": "png"}):
        with pytest.raises(intsam.ArgumentError):
            intsam.SamAutomaticMaskGenerator(sam, **arguments)
    for name, value in (("points_per_side", 0), ("points_per_side", 1.5), ("points_per_side", 2**40),
                        ("points_per_batch", 0), ("pred_iou_thresh", float("nan")), ("box_nms_thresh", "a"),
                        ("crop_n_layers", 6), ("crop_overlap_ratio", 3), ("stability_score_offset", -1),
                        ("min_mask_region_area", -1)):
        with pytest.raises(intsam.ArgumentError):
            session.everything(image, options=intsam.EverythingOptions(**{name: value}))
    with pytest.raises(intsam.ArgumentError, match="float64"):
        generate(sam, image.astype(float))
