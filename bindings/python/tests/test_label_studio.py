"""The backend for Label Studio: its RLE, prompts from regions, the cache of embeddings, and, where label-studio-ml is
installed, predictions through its server."""
import io
import itertools
import json
import os
import sys
import threading

import numpy as np
import pytest
from conftest import MICRO, ROOT

import intsam

pytest.importorskip("PIL")
sys.path.insert(0, str(ROOT / "bindings/python/examples/label_studio"))
import brush_rle  # noqa: E402
import photo_sessions  # noqa: E402
import regions  # noqa: E402

PHOTO = ROOT / "models/photos/rocket.jpg"
CONFIG = """<View><Image name="image" value="$picture"/>
  <BrushLabels name="mask" toName="image"><Label value="Sky"/><Label value="Rocket"/></BrushLabels>
  <KeyPointLabels name="point" toName="image"><Label value="Rocket"/></KeyPointLabels>
  <RectangleLabels name="box" toName="image"><Label value="Rocket"/></RectangleLabels></View>"""


def decoded(rle):
    """The bytes of an RLE, read bit by bit as the format is described."""
    bits = iter("".join(f"{byte:08b}" for byte in rle))

    def number(count):
        return int("".join(itertools.islice(bits, count)), 2)

    total, value_bits = number(32), number(5) + 1
    length_bits = [number(4) + 1 for _ in range(4)]
    out = []
    while len(out) < total:
        repeated, kind = number(1), number(2)
        length = number(length_bits[kind]) + 1
        out += [number(value_bits)] * length if repeated else [number(value_bits) for _ in range(length)]
    assert len(out) == total
    return out


def masks():
    random = np.random.default_rng(3)
    yield np.zeros((1, 1), bool)
    yield np.ones((3, 5), np.uint8)
    for width in (2, 3, 4, 5, 63, 64, 65):  # runs of 4 * width bytes, on both sides of each kind's limit
        yield np.tile(np.repeat([False, True], width), 3)[None]
    yield random.random((37, 51)) < 0.5
    yield np.arange(300 * 200).reshape(300, 200) > 20000  # runs of more than 65536 bytes
    yield np.arange(65536).reshape(256, 256) >= 16384  # of exactly so many, and of three times as many
    yield np.arange(65536).reshape(256, 256) >= 16385


def test_rle_is_what_it_stands_for():
    for mask in masks():
        rle = brush_rle.encode(mask)
        assert all(type(byte) is int for byte in rle)
        assert decoded(rle) == np.repeat(mask.ravel().astype(bool) * 255, 4).tolist()


def test_rle_is_label_studios_own():
    for name in ("label_studio_sdk.converter.brush", "label_studio_converter.brush"):
        try:
            brush = pytest.importorskip(name)
            break
        except pytest.skip.Exception:
            continue
    else:
        pytest.skip("neither label_studio_sdk nor label_studio_converter is installed")
    for mask in masks():
        assert brush_rle.encode(mask) == list(brush.mask2rle(mask.astype(np.uint8) * 255))


def key_point(x, y, **more):
    return {"type": "keypointlabels", "value": {"x": x, "y": y, "width": 1, "keypointlabels": ["Rocket"]}, **more}


def rectangle(**value):
    return {"type": "rectanglelabels", "value": {"rectanglelabels": ["Rocket"], **value}}


def test_prompts():
    size = (80, 120)
    assert regions.prompt_of([], size) is None
    assert regions.prompt_of([{"type": "brushlabels", "value": {}}], size) is None
    prompt = regions.prompt_of([key_point(50, 25), key_point(0, 100, is_positive=False)], size)
    np.testing.assert_array_equal(prompt.points, [[60, 20], [0, 80]])
    assert prompt.labels == [1, 0] and prompt.box is None
    first, second = rectangle(x=1, y=1, width=2, height=2), rectangle(x=10, y=20, width=50, height=25)
    prompt = regions.prompt_of([first, key_point(50, 25), second], size)
    np.testing.assert_allclose(prompt.box, [12, 16, 72, 36])
    assert len(prompt.points) == 1
    turned = regions.prompt_of([rectangle(x=50, y=50, width=10, height=10, rotation=90)], size)
    np.testing.assert_allclose(turned.box, [60 - 8, 40, 60, 40 + 12], atol=1e-9)
    for bad in (key_point(None, 1), key_point("1", 1), key_point(float("nan"), 1), key_point(True, 1), rectangle(x=1, y=1)):
        with pytest.raises(ValueError, match="no number"):
            regions.prompt_of([bad], size)


def test_labels():
    assert regions.label_of([key_point(1, 1)], ["Sky", "Rocket"]) == "Rocket"
    assert regions.label_of([key_point(1, 1)], ["Sky"]) == "Sky"
    assert regions.label_of([], []) is None


@pytest.fixture
def counted(model, monkeypatch):
    """The photos that were encoded, as their sizes."""
    encoded = []
    set_image = intsam.Session.set_image

    def count(session, image, *rest):
        encoded.append(image.shape)
        set_image(session, image, *rest)

    monkeypatch.setattr(intsam.Session, "set_image", count)
    return encoded


def pictures(count):
    from PIL import Image

    for index in range(count):
        file = io.BytesIO()
        Image.new("RGB", (40 + index, 30), (index, 99, 200)).save(file, "PNG")
        yield file.getvalue()


def test_photos_are_encoded_once(model, counted, tmp_path):
    files = photo_sessions.EmbeddingFiles(tmp_path, 10**9)
    photos = photo_sessions.PhotoSessions(model, files, sessions=2)
    first, second, third = pictures(3)
    for photo in (first, second, first, third, first, second):
        with photos.of(photo) as session:
            assert session.image_size is not None
    assert len(counted) == 3  # the others were in a session, or came from disk
    with photo_sessions.PhotoSessions(model, files, sessions=1).of(second) as session:
        assert session.image_size == (30, 41)
    assert len(counted) == 3
    for path in tmp_path.iterdir():
        path.write_bytes(b"damaged")
    with photo_sessions.PhotoSessions(model, files, sessions=1).of(second) as session:
        assert session.image_size == (30, 41)
    assert len(counted) == 4
    with pytest.raises(intsam.UnsupportedError), photos.of(b"no picture"):
        pass
    with photos.of(first) as session:  # a failure leaves nothing behind
        assert session.image_size == (30, 40)


def test_what_was_used_least_lately_goes(tmp_path):
    files = photo_sessions.EmbeddingFiles(tmp_path, 250)
    (tmp_path / "somebody's").write_bytes(b"x" * 1000)
    for time, key in enumerate("abc"):
        files.put(key, key.encode() * 100)
        for path in tmp_path.glob(key + ".*"):
            os.utime(path, (time, time))
    assert files.get("a") is None and files.get("b") == b"b" * 100  # which is used now
    files.put("d", b"d" * 100)
    assert files.get("c") is None and files.get("b") is not None and files.get("d") is not None
    assert (tmp_path / "somebody's").exists()


def test_many_threads(model, tmp_path):
    photos = photo_sessions.PhotoSessions(model, photo_sessions.EmbeddingFiles(tmp_path, 10**9), sessions=2)
    shots = list(pictures(4))
    failures = []

    def work(number):
        try:
            for turn in range(12):
                index = (number + turn) % 4
                with photos.of(shots[index]) as session:
                    assert session.image_size == (30, 40 + index)
                    assert session.predict([[20, 15]]).mask().shape == (30, 40 + index)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_predictions_through_the_server(tmp_path, monkeypatch):
    pytest.importorskip("label_studio_ml")
    import backend

    model = intsam.Model(MICRO)
    files = photo_sessions.EmbeddingFiles(tmp_path / "cache", 10**9)
    backend.IntsamBackend.photos = photo_sessions.PhotoSessions(model, files, sessions=2)
    client = backend.application(str(tmp_path)).test_client()
    monkeypatch.setattr(backend.IntsamBackend, "get_local_path", lambda self, url: url)
    assert client.get("/health").json["status"] == "UP"
    assert client.post("/setup", json={"project": "1.1", "schema": CONFIG}).status_code == 200

    def predict(drawn, picture=str(PHOTO)):
        answer = client.post("/predict", json={
            "tasks": [{"id": 1, "data": {"picture": picture}}], "project": "1.1", "label_config": CONFIG,
            "params": {"context": {"result": drawn}} if drawn is not None else {}})
        assert answer.status_code == 200, answer.data
        [prediction] = json.loads(answer.data)["results"]
        return prediction["result"]

    image = intsam.read_image(PHOTO)
    height, width = image.shape[:2]
    with intsam.Session(model) as session:
        session.set_image(image)
        expected = session.predict([[width * 0.25, height * 0.5]])
        [region] = predict([key_point(25, 50, is_positive=True)])
        assert region["type"] == "brushlabels" and (region["from_name"], region["to_name"]) == ("mask", "image")
        assert (region["original_width"], region["original_height"]) == (width, height)
        assert region["value"]["brushlabels"] == ["Rocket"] and region["value"]["format"] == "rle"
        assert region["value"]["rle"] == brush_rle.encode(expected.mask())
        assert region["score"] == float(expected.scores[expected.choice])
        [region] = predict([rectangle(x=10, y=10, width=50, height=50)])
        boxed = session.predict(box=np.array([0.1 * width, 0.1 * height, 0.6 * width, 0.6 * height]))
        assert region["value"]["rle"] == brush_rle.encode(boxed.mask(0))
    for drawn in (None, [], [{"type": "brushlabels", "value": {}}], [key_point("a", 1)],
                  [rectangle(x=10, y=10, width=0, height=5)]):
        assert predict(drawn) == []
    assert predict([key_point(1, 1)], str(tmp_path / "absent.jpg")) == []
    assert len(predict([key_point(25, 50)])) == 1  # nothing of this stays
