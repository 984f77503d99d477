"""Model, Session, Result and Mask do what their docstrings say."""
import os
import pickle
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest
from conftest import MICRO, blocks

import intsam


def test_version():
    major, minor, patch = intsam.__version__.split(".")
    assert int(major) >= 0 and int(minor) >= 0 and int(patch) >= 0


def test_model_says_what_it_is(model):
    info = model.info
    assert info.num_masks == 4
    assert info.low_res_size * 4 == info.image_size
    assert isinstance(info.provenance, dict)
    assert info.file_bytes > 0
    model.verify()


def test_a_model_from_bytes_gives_the_same_masks(image, session):
    expected = session.predict([[60, 40]]).mask()
    with intsam.Model.from_bytes(MICRO.read_bytes()) as model, intsam.Session(model, threads=2) as other:
        other.set_image(image)
        if model.info == session.model.info:
            np.testing.assert_array_equal(other.predict([[60, 40]]).mask(), expected)
        with pytest.raises(TypeError, match="bytes"):
            pickle.dumps(model)


def test_memory_orders_give_the_same_masks(model, image, session):
    expected = session.predict([[60, 40]]).mask()
    wide = np.zeros((80, 200, 3), np.uint8)
    wide[:, :120] = image
    read_only = image.copy()
    read_only.flags.writeable = False
    alpha = np.dstack((image, np.zeros((80, 120), np.uint8)))
    for other, order in (
        (wide[:, :120], "RGB"),  # rows lie apart
        (np.asfortranarray(image), "RGB"),
        (image[:, :, ::-1], "BGR"),  # negative strides
        (image[::-1].copy()[::-1], "RGB"),
        (read_only, "RGB"),
        (alpha, "RGB"),
        (alpha[:, :, [2, 1, 0, 3]], "BGR"),
    ):
        session.set_image(other, order)
        assert session.image_size == (80, 120)
        np.testing.assert_array_equal(session.predict([[60, 40]]).mask(), expected)


def test_gray_is_equal_channels(image, session):
    gray = image[:, :, 0]
    session.set_image(np.dstack((gray, gray, gray)))
    expected = session.predict([[60, 40]]).mask()
    for other in (gray, gray[:, :, None]):
        session.set_image(other)
        np.testing.assert_array_equal(session.predict([[60, 40]]).mask(), expected)


def test_results(session):
    result = session.predict(points=[[60, 40]])
    assert result.scores.shape == (4,) and result.scores.dtype == np.float32
    assert result.best == 1 + int(np.argmax(result.scores[1:])) == result.choice
    assert session.predict(box=[10, 10, 100, 70]).choice == 0
    assert session.predict([[60, 40], [10, 10]], [1, 0]).choice == 0
    result = session.predict(points=[[60, 40]])
    mask = result.mask(2)
    assert mask.shape == (80, 120) and mask.dtype == np.bool_
    assert result.low_res(2).dtype == np.float32
    assert 0 <= result.stability(2) <= 1


def test_batches_give_what_single_prompts_give(session):
    prompts = [intsam.Prompt(points=[[x, 40]]) for x in range(5, 120, 20)] + [intsam.Prompt(box=[10.5, 10, 100, 70.25])]
    single = []
    for prompt in prompts:
        result = session.predict(prompt.points, prompt.labels, prompt.box)
        single.append((result.scores, result.mask(), result.low_res(3)))
    batch = session.predict_batch(prompts)
    assert len(batch) == len(prompts)
    for result, (scores, mask, low_res) in zip(batch, single, strict=True):
        np.testing.assert_array_equal(result.scores, scores)
        np.testing.assert_array_equal(result.mask(), mask)
        np.testing.assert_array_equal(result.low_res(3), low_res)


def test_coordinates_are_pixels_with_fractions(session):
    np.testing.assert_array_equal(session.predict([[60.26, 40]]).low_res(), session.predict([[60.265625, 40]]).low_res())
    assert (session.predict([[60.25, 40]]).low_res() != session.predict([[90.25, 40]]).low_res()).any()


def test_masks_as_data(session):
    result = session.predict([[60, 40]])
    index = max(range(4), key=lambda i: min(result.mask(i).sum(), (~result.mask(i)).sum()))
    pixels = result.mask(index)
    mask = result.make_mask(index)
    rows, columns = np.nonzero(pixels)
    assert mask.area == len(rows) > 0
    assert mask.bbox == (columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1)
    np.testing.assert_array_equal(mask.pixels(), pixels)
    np.testing.assert_array_equal(np.asarray(mask), pixels)
    np.testing.assert_array_equal(np.unpackbits(mask.bits(), axis=1, bitorder="little")[:, :120].astype(bool), pixels)
    lengths = mask.run_lengths()
    values = np.arange(len(lengths)) % 2 == 1
    np.testing.assert_array_equal(np.repeat(values, lengths).reshape(120, 80).T, pixels)
    assert mask.rle() == {"size": [80, 120], "counts": lengths.tolist()}
    # Shoelace formula: parts count positive, holes negative, in coordinates that have y downwards.
    area = 0
    for ring in mask.outlines():
        x, y = ring.corners[:, 0].astype(int), ring.corners[:, 1].astype(int)
        signed = int(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) // 2
        assert (signed < 0) == ring.is_hole
        area += signed
    assert area == mask.area
    np.testing.assert_array_equal(result.make_mask(index, region=(30, 20, 50, 40)).pixels(), pixels[20:60, 30:80])
    assert result.make_mask(index, size=(8, 12)).pixels().shape == (8, 12)
    assert result.make_mask(index, threshold_offset=1e3).area == 0
    assert result.make_mask(index, threshold_offset=-1e3).area == 80 * 120
    session.close()
    np.testing.assert_array_equal(mask.pixels(), pixels)


def test_coco_strings_are_those_of_pycocotools(session):
    mask_utils = pytest.importorskip("pycocotools.mask")
    result = session.predict([[60, 40]])
    for index in range(4):
        rle = result.make_mask(index).coco_rle()
        np.testing.assert_array_equal(mask_utils.decode(rle).astype(bool), result.mask(index))
        expected = mask_utils.encode(np.asfortranarray(result.mask(index), np.uint8))
        assert rle["counts"] == expected["counts"].decode()


def test_embeddings_come_back(model, image, session):
    saved = session.save_embedding()
    features = session.embedding()
    assert features.shape == (model.info.embedding_channels, model.info.embedding_size, model.info.embedding_size)
    expected = session.predict([[60, 40]]).mask()
    with intsam.Session(model, threads=1) as other:
        for data in (saved, bytearray(saved), memoryview(saved)):
            other.load_embedding(data)
        assert other.image_size == (80, 120)
        other.check_image(image)
        with pytest.raises(intsam.ArgumentError):
            other.check_image(255 - image)
        np.testing.assert_array_equal(other.embedding(), features)
        np.testing.assert_array_equal(other.predict([[60, 40]]).mask(), expected)
        with pytest.raises(intsam.DamagedError):
            other.load_embedding(saved[:-1] + bytes([saved[-1] ^ 1]))
        assert other.image_size is None


def test_masks_as_prompts(model, session):
    drawn = np.zeros((80, 120), np.bool_)
    drawn[20:60, 30:90] = True
    logits = session.mask_prompt(drawn)
    side = model.info.low_res_size
    assert logits.shape == (side, side) and 5 < logits.max() <= 10 and -10 <= logits.min() < -5
    first = session.predict(mask_input=logits).low_res()
    np.testing.assert_array_equal(session.predict(mask_input=logits[None]).low_res(), first)
    np.testing.assert_array_equal(session.predict(mask_input=session.mask_prompt(drawn * 7)).low_res(), first)


def test_progress_and_cancelling(model, image):
    steps = []
    with intsam.Session(model, threads=1, progress=lambda *step: steps.append(step)) as session:
        session.set_image(image)
        assert steps[0][0] == 0 and all(step < total and name for step, total, name in steps)

    def stop(step, steps, name):
        if step:
            raise KeyboardInterrupt

    with intsam.Session(model, threads=1, progress=stop) as session:
        with pytest.raises(KeyboardInterrupt):
            session.set_image(image)
        assert session.image_size is None
        with pytest.raises(intsam.ArgumentError):  # what was raised is not raised again
            session.predict([[1, 1]])


def test_eight_threads_with_a_session_each(model, image, session):
    expected = [session.predict([[x, 40]]).mask() for x in range(0, 120, 15)]
    answers = [None] * 8

    def work(index):
        with intsam.Session(model, threads=1) as own:
            own.set_image(image)
            for _ in range(3):
                answers[index] = own.predict([[15 * index, 40]]).mask()

    threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for answer, mask in zip(answers, expected, strict=True):
        np.testing.assert_array_equal(answer, mask)


def test_sessions_outlive_their_models_close(image):
    model = intsam.Model(MICRO)
    session = intsam.Session(model, threads=1)
    model.close()
    model.close()
    assert model.closed and model.info.num_masks == 4
    session.set_image(image)
    with pytest.raises(intsam.ArgumentError, match="closed"):
        intsam.Session(model)
    with pytest.raises(intsam.ArgumentError, match="closed"):
        model.verify()
    session.close()


def test_models_are_pickled_by_path():
    model = intsam.Model(MICRO)
    assert pickle.loads(pickle.dumps(model)).info == model.info


def test_a_model_replaced_by_renaming_stays_the_old_one(tmp_path, image):
    path = tmp_path / "model.isam"
    shutil.copy(MICRO, path)
    with intsam.Model(path) as model, intsam.Session(model, threads=1) as session:
        session.set_image(image)
        before = session.predict([[60, 40]]).mask()
        other = tmp_path / "other"
        other.write_bytes(b"no model")
        os.replace(other, path)
        session.set_image(image)
        np.testing.assert_array_equal(session.predict([[60, 40]]).mask(), before)
        with pytest.raises(intsam.DamagedError):
            intsam.Model(path)


def test_tiers_and_threads_give_the_same_masks(model, image, session):
    expected = session.predict([[60, 40]]).mask()
    with intsam.Session(model, threads=3, isa="scalar") as other:
        assert (other.isa, other.threads) == ("scalar", 3) and other.memory > 0
        other.set_image(image)
        np.testing.assert_array_equal(other.predict([[60, 40]]).mask(), expected)


def test_importing_takes_neither_torch_nor_pillow():
    code = "import sys, intsam; print(*(name in sys.modules for name in ('torch', 'PIL', 'pycocotools')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"] * 3


def test_images_of_one_pixel(session):
    session.set_image(blocks(1, 1))
    assert session.predict([[0.5, 0.5]]).mask().shape == (1, 1)
