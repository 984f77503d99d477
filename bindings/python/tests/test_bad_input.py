"""Bad input ends in an exception with a sentence, and disturbs nothing."""
import os
import threading

import numpy as np
import pytest
from conftest import MICRO

import intsam


@pytest.mark.parametrize(("bad", "words"), [
    (np.zeros((8, 8, 3)), "float64"),
    (np.zeros((8, 8, 3), np.bool_), "bool"),
    (np.zeros((8, 8, 3), np.int8), "int8"),
    (np.zeros((8, 8, 2), np.uint8), "shape"),
    (np.zeros((3, 8, 8), np.uint8), "shape"),
    (np.zeros((1, 8, 8, 3), np.uint8), "shape"),
    (np.zeros(8, np.uint8), "shape"),
    (np.uint8(3), "shape"),
    (np.zeros((0, 8, 3), np.uint8), "pixels"),
    (np.zeros((8, 0, 3), np.uint8), "pixels"),
    (np.broadcast_to(np.uint8(0), (32769, 1, 3)), "32769"),
    (np.broadcast_to(np.uint8(0), (10**9, 10**9, 3)), "1000000000"),
    (np.broadcast_to(np.uint8(0), (32768, 32768)), "."),
    ("photo.jpg", "."),
    (None, "."),
    ([[["a"]]], "."),
    ([[1], [1, 2]], "no array"),
])
def test_images(session, bad, words):
    before = session.predict([[60, 40]])
    expected = before.mask()
    with pytest.raises((intsam.ArgumentError, intsam.ResourceError), match=words):
        session.set_image(bad)
    if session.image_size is not None:  # refused before anything was touched
        np.testing.assert_array_equal(before.mask(), expected)


def test_formats(session, image):
    for order in ("rgb", "RGBA", "", None, 3):
        with pytest.raises(intsam.ArgumentError, match="image_format"):
            session.set_image(image, order)


@pytest.mark.parametrize(("prompt", "words"), [
    ({}, "neither|nothing|no |one of"),
    ({"labels": [1]}, "without points"),
    ({"points": [1, 2]}, "shape"),
    ({"points": [[1, 2, 3]]}, "shape"),
    ({"points": [[[1, 2]]]}, "shape"),
    ({"points": []}, "."),
    ({"points": [["a", "b"]]}, "numbers"),
    ({"points": [[1, 2], [3]]}, "numbers"),
    ({"points": [[float("nan"), 1]]}, "NaN"),
    ({"points": [[float("inf"), 1]]}, "beyond"),
    ({"points": [[1e300, 1]]}, "beyond"),
    ({"points": [[2**20, 1]]}, "."),
    ({"points": np.zeros((257, 2))}, "256"),
    ({"points": np.zeros((100000, 2))}, "256"),
    ({"points": [[10**400, 1]]}, "numbers"),
    ({"points": [[1j, 1]]}, "numbers"),
    ({"points": [["1", "2"]]}, "numbers"),
    ({"points": np.broadcast_to(0.0, (10**12, 2))}, "limit"),
    ({"mask_input": np.broadcast_to(0.0, (10**6, 10**6))}, "limit"),
    ({"points": [[1, 2]], "labels": [1, 1]}, "labels"),
    ({"points": [[1, 2]], "labels": 1}, "labels"),
    ({"points": [[1, 2]], "labels": [2]}, "labels"),
    ({"points": [[1, 2]], "labels": [-1]}, "labels"),
    ({"points": [[1, 2]], "labels": [0.5]}, "labels"),
    ({"box": [1, 2, 3]}, "shape"),
    ({"box": [[1, 2, 3, 4], [1, 2, 3, 4]]}, "shape"),
    ({"box": [10, 10, 10, 20]}, "box"),
    ({"box": [10, 20, 30, 10]}, "box"),
    ({"box": [1, 2, 3, float("nan")]}, "NaN"),
    ({"mask_input": np.zeros((3, 3))}, "shape"),
    ({"mask_input": np.zeros((2, 16, 16))}, "shape"),
    ({"mask_input": "mask.png"}, "numbers"),
])
def test_prompts(session, prompt, words):
    expected = session.predict([[60, 40]]).mask()
    with pytest.raises((intsam.ArgumentError, intsam.ResourceError), match=words) as caught:
        session.predict(**prompt)
    assert str(caught.value) and "\n" not in str(caught.value)
    np.testing.assert_array_equal(session.predict([[60, 40]]).mask(), expected)


def test_logits_beyond_the_range_are_the_outermost(session):
    side = session.model.info.low_res_size
    huge, infinite = np.full((side, side), 1e30), np.full((side, side), np.inf)
    np.testing.assert_array_equal(session.predict(mask_input=huge).low_res(),
                                  session.predict(mask_input=infinite).low_res())


def test_batches(session):
    good = intsam.Prompt(points=[[1, 1]])
    with pytest.raises(intsam.ArgumentError):
        session.predict_batch([])
    with pytest.raises(intsam.ArgumentError, match="prompt 1: points"):
        session.predict_batch([good, intsam.Prompt(points=[1])])
    with pytest.raises(intsam.ArgumentError, match="prompt 1"):
        session.predict_batch([good, intsam.Prompt()])
    with pytest.raises(intsam.ArgumentError, match="Prompt"):
        session.predict_batch([good, {"points": [[1, 1]]}])
    with pytest.raises(intsam.ResourceError, match="4097"):
        session.predict_batch([good] * 4097)
    result = session.predict_batch([good, good])[1]
    expected = result.mask()
    with pytest.raises(intsam.ArgumentError):
        session.predict_batch([good, intsam.Prompt(box=[1, 1, 1, 1])])
    np.testing.assert_array_equal(result.mask(), expected)  # a bad argument changes nothing


def test_questions_to_results(session):
    result = session.predict([[60, 40]])
    for index in (-1, 4, 2**40, 1.5, float("nan"), "a"):
        for ask in (result.mask, result.low_res, result.make_mask, result.stability):
            with pytest.raises(intsam.ArgumentError, match="mask"):
                ask(index)
    for region in ((0, 0, 121, 1), (-1, 0, 5, 5), (0, 0, 0, 5), (0, 0, 5), (0.5, 0, 5, 5), (0, 0, 2**40, 1), 7):
        with pytest.raises(intsam.ArgumentError):
            result.make_mask(region=region)
    for size in ((0, 5), (-1, 5), (5,), (32769, 1), ("a", 1)):
        with pytest.raises(intsam.ArgumentError):
            result.make_mask(size=size)
    with pytest.raises((intsam.ArgumentError, intsam.ResourceError)):
        result.make_mask(size=(32768, 32768))
    for offset in (float("nan"), float("inf"), 1e9, "a", [1, 2]):
        with pytest.raises(intsam.ArgumentError, match="threshold_offset"):
            result.make_mask(threshold_offset=offset)
    with pytest.raises(intsam.ArgumentError):
        result.stability(offset=-1)


def test_results_that_are_gone(session, image):
    for forget in (
        lambda: session.predict([[1, 1]]),
        lambda: session.predict_batch([intsam.Prompt(points=[[1, 1]])]),
        lambda: session.set_image(image),
        lambda: session.load_embedding(session.save_embedding()),
        session.close,
    ):
        result = session.predict([[60, 40]])
        forget()
        with pytest.raises(intsam.ArgumentError, match="gone|closed"):
            result.mask()
        assert len(result.scores) == 4


def test_without_an_image(model):
    with intsam.Session(model, threads=1) as session:
        assert session.image_size is None
        for call in (lambda: session.predict([[1, 1]]), session.embedding, session.save_embedding,
                     lambda: session.mask_prompt(np.ones((1, 1))), lambda: session.everything()):
            with pytest.raises(intsam.ArgumentError):
                call()


def test_use_after_close(model, image):
    session = intsam.Session(model, threads=1)
    session.set_image(image)
    features = session.embedding()
    session.close()
    session.close()
    assert session.closed
    for call in (lambda: session.predict([[1, 1]]), lambda: session.set_image(image), session.embedding,
                 session.save_embedding, lambda: session.isa, lambda: session.image_size,
                 lambda: session.everything(image), lambda: session.set_features(features, (80, 120))):
        with pytest.raises(intsam.ArgumentError, match="closed"):
            call()


def test_options(model):
    for threads in (-1, 257, 2**40, 1.5, "two", None):
        with pytest.raises(intsam.ArgumentError, match="threads"):
            intsam.Session(model, threads=threads)
    for isa in ("mmx", "scalar\0", "\udcff", 3):
        with pytest.raises(intsam.ArgumentError, match="isa"):
            intsam.Session(model, isa=isa)
    with pytest.raises(intsam.ArgumentError, match="progress"):
        intsam.Session(model, progress=3)


def test_the_wrong_kind_of_model(model, session):
    for make in (intsam.Session, intsam.Sam):
        with pytest.raises(intsam.ArgumentError, match="an intsam.Model is needed, not NoneType"):
            make(None)
    with pytest.raises(intsam.ArgumentError, match="an intsam.Sam is needed, not Model"):
        intsam.SamPredictor(model)
    with pytest.raises(intsam.ArgumentError, match="options"):
        session.everything(options={"points_per_side": 3})
    with pytest.raises(intsam.ArgumentError, match="segmentation"):
        session.everything(segmentation="coco_rle")


def test_files(tmp_path):
    with pytest.raises(intsam.FileError, match="absent") as caught:
        intsam.Model(tmp_path / "absent")
    assert isinstance(caught.value, OSError) and caught.value.status == 3
    with pytest.raises(intsam.FileError):
        intsam.Model(tmp_path)
    with pytest.raises(intsam.ArgumentError, match="NUL"):
        intsam.Model("a\0b")
    with pytest.raises(TypeError):
        intsam.Model(3)
    data = MICRO.read_bytes()
    for damaged in (b"", data[:1000], data[:-1], b"x" + data[1:]):
        path = tmp_path / "damaged.isam"
        path.write_bytes(damaged)
        with pytest.raises(intsam.DamagedError, match=r"damaged\.isam"):
            intsam.Model(path)
        with pytest.raises(intsam.DamagedError):
            intsam.Model.from_bytes(damaged)
    flipped = data[:-1000] + bytes([data[-1000] ^ 1]) + data[-999:]
    path.write_bytes(flipped)
    with pytest.raises(intsam.DamagedError):
        intsam.Model(path).verify()


def test_embeddings(session):
    for data in (b"", b"x" * 100, bytes(10**6)):
        with pytest.raises(intsam.DamagedError):
            session.load_embedding(data)
    with pytest.raises(TypeError):
        session.load_embedding("text")
    session.set_image(np.zeros((80, 120), np.uint8))
    saved = session.save_embedding()
    for data in (bytearray(saved), memoryview(saved), np.frombuffer(saved, np.uint8), np.frombuffer(saved, np.int16)):
        session.load_embedding(data)
    for data in (memoryview(saved + saved)[::2], np.frombuffer(saved, np.uint8)[::-1]):
        with pytest.raises(intsam.ArgumentError, match="one after the other"):
            session.load_embedding(data)
        with pytest.raises(intsam.ArgumentError, match="one after the other"):
            intsam.Model.from_bytes(data)


def test_features(session, image):
    features, expected = session.embedding(), session.predict([[60, 40]]).mask()
    with intsam.Session(session.model, threads=1) as other:
        other.set_features(features, (80, 120))
        assert other.image_size == (80, 120)
        np.testing.assert_array_equal(other.embedding(), features)
        np.testing.assert_array_equal(other.predict([[60, 40]]).mask(), expected)
        with pytest.raises(intsam.ArgumentError, match="only features"):
            other.check_image(image)
    for bad in (features[0], features[:, 1:], features[None], features * np.nan, None, "features", [["a"]]):
        with pytest.raises(intsam.ArgumentError, match="features"):
            session.set_features(bad, (80, 120))
    for size in (None, 80, (80,), (80, 120, 3), (80, 1.5), (80, "a"), (80, 2**40)):
        with pytest.raises(intsam.ArgumentError, match="size"):
            session.set_features(features, size)
    np.testing.assert_array_equal(session.embedding(), features)  # refused before anything was touched
    for size in ((0, 120), (80, -1), (80, 32769)):
        with pytest.raises(intsam.ArgumentError, match="image"):
            session.set_features(features, size)
        assert session.image_size is None
    session.set_features(np.full_like(features, np.inf), (80, 120))
    huge = session.embedding()
    session.set_features(np.full_like(features, 1e30), (80, 120))
    np.testing.assert_array_equal(session.embedding(), huge)


def test_a_session_in_two_threads(model, image):
    inside, leave = threading.Event(), threading.Event()

    def wait(step, steps, name):
        inside.set()
        assert leave.wait(60)

    session = intsam.Session(model, threads=1, progress=wait)
    features = np.zeros((model.info.embedding_channels, *[model.info.embedding_size] * 2))
    failures = []

    def work():
        try:
            session.set_image(image)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert inside.wait(60)
        for call in (lambda: session.predict([[1, 1]]), lambda: session.set_image(image), lambda: session.image_size,
                     lambda: session.set_features(features, (80, 120)), session.close):
            with pytest.raises(intsam.ArgumentError, match="in use"):
                call()
    finally:
        leave.set()
        thread.join()
    assert failures == []
    assert session.image_size == (80, 120)
    assert session.predict([[60, 40]]).mask().shape == (80, 120)
    session.close()


def test_callbacks_cannot_use_the_session(model, image):
    caught = []

    def reenter(step, steps, name):
        try:
            session.predict([[1, 1]])
        except intsam.ArgumentError as error:
            caught.append(str(error))

    with intsam.Session(model, threads=1, progress=reenter) as session:
        session.set_image(image)
    assert caught and all("in use" in sentence for sentence in caught)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forking with threads, which is what is tested
def test_fork(model, image, session):
    expected = session.predict([[60, 40]]).mask()
    two = intsam.Session(model, threads=2)
    two.set_image(image)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            try:
                two.predict([[60, 40]])
            except intsam.ArgumentError as error:
                code = 0 if "fork" in str(error) else 2
            two.close()
            with intsam.Session(model, threads=2) as own:
                own.set_image(image)
                if not (own.predict([[60, 40]]).mask() == expected).all():
                    code = 3
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    np.testing.assert_array_equal(two.predict([[60, 40]]).mask(), expected)
    two.close()
