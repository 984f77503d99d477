"""The drop-in classes have the signatures, shapes, types and attributes of the original package."""
import importlib.util
import inspect

import numpy as np
import pytest

import intsam

HAS_TORCH = importlib.util.find_spec("torch") is not None


@pytest.fixture
def predictor(sam, image):
    made = intsam.SamPredictor(sam)
    made.set_image(image)
    return made


def parameters(function):
    return list(inspect.signature(function).parameters)


def test_signatures():
    assert parameters(intsam.SamPredictor) == ["sam_model"]
    assert parameters(intsam.SamPredictor.set_image) == ["self", "image", "image_format"]
    assert parameters(intsam.SamPredictor.set_torch_image) == ["self", "transformed_image", "original_image_size"]
    assert parameters(intsam.SamPredictor.predict) == [
        "self", "point_coords", "point_labels", "box", "mask_input", "multimask_output", "return_logits"]
    assert parameters(intsam.SamPredictor.predict_torch) == [
        "self", "point_coords", "point_labels", "boxes", "mask_input", "multimask_output", "return_logits"]
    assert parameters(intsam.SamAutomaticMaskGenerator) == [
        "model", "points_per_side", "points_per_batch", "pred_iou_thresh", "stability_score_thresh",
        "stability_score_offset", "box_nms_thresh", "crop_n_layers", "crop_nms_thresh", "crop_overlap_ratio",
        "crop_n_points_downscale_factor", "point_grids", "min_mask_region_area", "output_mode"]


def test_predict(predictor, session):
    side = session.model.info.low_res_size
    masks, scores, low_res = predictor.predict(np.array([[60, 40]]), np.array([1]))
    assert masks.shape == (3, 80, 120) and masks.dtype == np.bool_
    assert scores.shape == (3,) and scores.dtype == np.float32
    assert low_res.shape == (3, side, side) and low_res.dtype == np.float32
    result = session.predict([[60, 40]])
    for index in range(3):
        np.testing.assert_array_equal(masks[index], result.mask(index + 1))
        assert scores[index] == result.scores[index + 1]
    masks, scores, low_res = predictor.predict(box=np.array([10, 10, 100, 70]), mask_input=low_res[:1],
                                               multimask_output=False)
    assert (masks.shape, scores.shape, low_res.shape) == ((1, 80, 120), (1,), (1, side, side))


def test_logits_have_the_sign_of_the_masks(predictor):
    prompt = {"point_coords": np.array([[60, 40]]), "point_labels": np.array([1])}
    masks, _, _ = predictor.predict(**prompt)
    logits, _, _ = predictor.predict(**prompt, return_logits=True)
    assert logits.shape == masks.shape and logits.dtype == np.float32
    # The library decides pixels in whole numbers: some at the very edge differ.
    assert np.mean((logits > predictor.model.mask_threshold) != masks) < 0.01
    assert 0 < masks.mean() < 1


def test_predict_torch_takes_what_transform_gives(predictor):
    points = np.array([[[60.0, 40.0]], [[15.0, 75.0]]])
    masks, scores, low_res = predictor.predict_torch(
        predictor.transform.apply_coords(points, predictor.original_size), np.ones((2, 1)))
    assert tuple(masks.shape) == (2, 3, 80, 120) and tuple(scores.shape) == (2, 3)
    assert low_res.shape[:2] == (2, 3)
    for row in range(2):
        expected, _, _ = predictor.predict(points[row], np.array([1]))
        np.testing.assert_array_equal(np.asarray(masks[row]), expected)
    boxes = predictor.transform.apply_boxes(np.array([[10, 10, 100, 70], [5, 5, 60, 60]]), predictor.original_size)
    masks, _, _ = predictor.predict_torch(None, None, boxes, multimask_output=False)
    expected, _, _ = predictor.predict(box=np.array([5, 5, 60, 60]), multimask_output=False)
    np.testing.assert_array_equal(np.asarray(masks[1]), expected)
    if HAS_TORCH:
        import torch

        assert isinstance(masks, torch.Tensor)
        again, _, _ = predictor.predict_torch(None, None, torch.tensor(boxes), multimask_output=False)
        assert torch.equal(again, masks)
        assert isinstance(predictor.get_image_embedding(), torch.Tensor)


def test_an_image_that_was_resized_already(predictor, image):
    pytest.importorskip("PIL")
    prompt = {"point_coords": np.array([[60, 40]]), "point_labels": np.array([1])}
    expected, scores, _ = predictor.predict(**prompt)
    features = np.asarray(predictor.get_image_embedding())
    resized = predictor.transform.apply_image(image)
    assert resized.shape[:2] == predictor.input_size
    for values in (resized, resized.astype(np.float32)):
        predictor.set_torch_image(values.transpose(2, 0, 1)[None], image.shape[:2])
        assert predictor.original_size == (80, 120) and predictor.input_size == resized.shape[:2]
        np.testing.assert_array_equal(np.asarray(predictor.get_image_embedding()), features)
        masks, again, _ = predictor.predict(**prompt)
        assert masks.shape == expected.shape
        assert np.mean(masks != expected) < 0.02  # points are rounded to 1/64 pixel of another frame
        np.testing.assert_allclose(again, scores, atol=0.02)


def test_forward(sam, predictor, image):
    pytest.importorskip("PIL")
    record = {
        "image": predictor.transform.apply_image(image).transpose(2, 0, 1),
        "original_size": (80, 120),
        "boxes": predictor.transform.apply_boxes(np.array([[10, 10, 100, 70], [5, 5, 60, 60]]), (80, 120)),
    }
    [output] = sam([record], multimask_output=False)
    assert {name: tuple(value.shape)[:2] for name, value in output.items()} == {
        "masks": (2, 1), "iou_predictions": (2, 1), "low_res_logits": (2, 1)}
    assert tuple(output["masks"].shape) == (2, 1, 80, 120)
    logits = np.asarray(sam.postprocess_masks(output["low_res_logits"], predictor.input_size, (80, 120)))
    assert np.mean((logits > 0) != np.asarray(output["masks"])) < 0.01


def test_attributes(predictor, sam, image):
    info = sam.model.info
    assert predictor.is_image_set and predictor.original_size == (80, 120)
    assert predictor.input_size == predictor.transform.get_preprocess_shape(80, 120, info.image_size)
    assert max(predictor.input_size) == info.image_size == sam.image_encoder.img_size
    assert tuple(predictor.features.shape) == (1, info.embedding_channels, info.embedding_size, info.embedding_size)
    assert predictor.model is sam and sam.mask_threshold == 0.0 and sam.image_format == "RGB"
    assert str(predictor.device) == "cpu" == str(sam.device)
    assert sam.to("cpu").to(device="cpu").eval().cpu() is sam
    with pytest.warns(UserWarning, match="CPU"):
        sam.to(device="cuda:0")
    predictor.reset_image()
    assert not predictor.is_image_set and predictor.features is None
    for call in (predictor.predict, predictor.get_image_embedding, lambda: predictor.predict_torch(None, None)):
        with pytest.raises(RuntimeError, match="image must be set"):
            call()
    predictor.set_image(image[:, :, ::-1], "BGR")
    assert predictor.is_image_set


def test_features_come_back(predictor, image):
    """An image that was encoded before, as micro-sam and labelling tools keep it."""
    prompt = {"point_coords": np.array([[60, 40]]), "point_labels": np.array([1])}
    expected = predictor.predict(**prompt)
    assert predictor.features is predictor.features is predictor.get_image_embedding()
    kept = {name: getattr(predictor, name) for name in ("features", "original_size", "input_size", "is_image_set")}
    predictor.set_image(image[::-1, :90])
    assert predictor.features is not kept["features"]
    predictor.reset_image()
    predictor.features = kept["features"]
    predictor.original_size, predictor.input_size = list(kept["original_size"]), np.array(kept["input_size"])
    with pytest.raises(RuntimeError, match="image must be set"):
        predictor.predict(**prompt)
    predictor.is_image_set = True
    assert predictor.get_image_embedding() is kept["features"]
    for left, right in zip(predictor.predict(**prompt), expected, strict=True):
        np.testing.assert_array_equal(left, right)
    # From files they come as arrays of any kind; what is not of the encoder's shape once resized was resized before.
    predictor.features = np.asarray(kept["features"], np.float64)
    predictor.original_size = (160, 241)
    masks, _, _ = predictor.predict(**prompt)
    assert masks.shape == (3, 160, 241)


def test_features_that_are_none(predictor, image):
    features = np.asarray(predictor.features)
    point = {"point_coords": np.array([[60, 40]]), "point_labels": np.array([1])}

    def assign(**attributes):
        predictor.set_image(image)
        for name, value in attributes.items():
            setattr(predictor, name, value)
        return predictor.predict(**point)

    for bad in (features[0], features[:, :-1], np.concatenate((features, features)), features * np.nan, "features", 3):
        with pytest.raises(intsam.ArgumentError, match="features"):
            assign(features=bad)
    for bad in ((80,), (80, 0), (-80, 120), (80, 120.5), (80, 2**40), (80, float("nan")), 7):
        with pytest.raises(intsam.ArgumentError, match="original_size|image"):
            assign(original_size=bad)
    for bad in ((1, 1), (129, 128), (128, 0)):
        with pytest.raises(intsam.ArgumentError, match="input_size"):
            assign(input_size=bad)
    for missing in ("features", "original_size", "input_size"):
        with pytest.raises(RuntimeError, match="without"):
            assign(**{missing: None})
    assert assign(features=features)[0].shape == (3, 80, 120)


def test_the_encoder_alone(sam, predictor, image):
    pytest.importorskip("PIL")
    resized = predictor.transform.apply_image(image).transpose(2, 0, 1)[None]
    pixels = resized
    if HAS_TORCH:
        import torch

        pixels = torch.from_numpy(resized)
    normalized = sam.preprocess(pixels)
    assert tuple(normalized.shape) == (1, 3, 128, 128) and not np.asarray(normalized)[..., resized.shape[2] :, :].any()
    features = np.asarray(sam.image_encoder(normalized))
    np.testing.assert_array_equal(features, np.asarray(predictor.features))
    both = sam.image_encoder(np.concatenate((normalized, normalized)))
    assert tuple(both.shape) == (2, *features.shape[1:])
    for bad in (resized, np.zeros((1, 3, 128, 128)), np.full((1, 3, 128, 128), np.nan), np.zeros((1, 1, 128, 128))):
        with pytest.raises(intsam.ArgumentError):
            sam.image_encoder(bad)
    with pytest.raises(intsam.ArgumentError, match="longer side"):
        sam.preprocess(np.zeros((1, 3, 129, 128), np.float32))


def test_bad_prompts(predictor):
    with pytest.raises(intsam.ArgumentError, match="point_labels"):
        predictor.predict(np.array([[1, 2]]))
    with pytest.raises(intsam.ArgumentError):
        predictor.predict()
    with pytest.raises(intsam.ArgumentError, match="predict_torch"):
        predictor.predict(box=np.array([[1, 1, 5, 5], [1, 1, 6, 6]]))
    for points, labels, boxes in (
        (None, None, None),
        (np.zeros((2, 1, 2)), None, None),
        (np.zeros((2, 1, 2)), np.ones((1, 1)), None),
        (np.zeros((1, 2)), np.ones((1, 1)), None),
        (np.zeros((0, 1, 2)), np.ones((0, 1)), None),
        (None, None, np.array([1, 2, 3, 4])),
        (None, None, np.zeros((2, 3))),
        (np.ones((2, 1, 2)), np.ones((2, 1)), np.array([[1, 2, 3, 4]])),
    ):
        with pytest.raises(intsam.ArgumentError):
            predictor.predict_torch(points, labels, boxes)
    for image in (np.zeros((1, 3, 4, 4)), np.zeros((3, 128, 128)), np.full((1, 3, 128, 128), np.nan)):
        with pytest.raises(intsam.ArgumentError):
            predictor.set_torch_image(image, (80, 120))
    assert not predictor.is_image_set


def test_transform_rounds_as_the_original(sam):
    shape = intsam.SamPredictor(sam).transform.get_preprocess_shape
    assert shape(480, 640, 1024) == (768, 1024)
    assert shape(1, 3000, 1024) == (0, 1024)
    assert shape(500, 333, 1024) == (1024, 682)


def test_registry(model, tmp_path):
    assert {"default", "vit_h", "vit_l", "vit_b"} <= set(intsam.sam_model_registry)
    sam = intsam.sam_model_registry["vit_b"](checkpoint=model.path, threads=1)
    assert isinstance(sam, intsam.Sam)
    with pytest.raises(intsam.ArgumentError, match="checkpoint"):
        intsam.sam_model_registry["vit_b"]()
    checkpoint = tmp_path / "sam_vit_b.pth"
    checkpoint.write_bytes(b"PK" * 1000)
    with pytest.raises(intsam.Error, match="intsam-convert"):
        intsam.sam_model_registry["vit_b"](checkpoint)
