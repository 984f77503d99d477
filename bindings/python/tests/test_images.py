"""read_image: photos as they are seen."""
import io

import numpy as np
import pytest
from conftest import ROOT, blocks

import intsam

Image = pytest.importorskip("PIL.Image")


def encoded(picture, kind="PNG", **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def test_sources(tmp_path):
    pixels = blocks(20, 10)
    data = encoded(Image.fromarray(pixels))
    path = tmp_path / "photo.png"
    path.write_bytes(data)
    for source in (path, str(path), data, io.BytesIO(data)):
        image = intsam.read_image(source)
        assert image.dtype == np.uint8 and image.flags.c_contiguous
        np.testing.assert_array_equal(image, pixels)


def test_orientation():
    pixels = blocks(20, 10)
    exif = Image.Exif()
    exif[0x0112] = 6  # the top of the photo is at its right
    image = intsam.read_image(encoded(Image.fromarray(pixels), exif=exif))
    np.testing.assert_array_equal(image, np.rot90(pixels, -1))


def test_kinds():
    pixels = blocks(20, 10)
    gray = np.arange(200, dtype=np.uint8).reshape(10, 20)
    alpha = np.dstack((pixels, np.zeros((10, 20), np.uint8)))
    np.testing.assert_array_equal(intsam.read_image(encoded(Image.fromarray(alpha))), pixels)
    expected = np.dstack((gray, gray, gray))
    np.testing.assert_array_equal(intsam.read_image(encoded(Image.fromarray(gray))), expected)
    wide = Image.fromarray(gray.astype(np.uint16) * 256 + 99)
    np.testing.assert_array_equal(intsam.read_image(encoded(wide)), expected)
    assert intsam.read_image(encoded(Image.fromarray(pixels).convert("CMYK"), "JPEG")).shape == (10, 20, 3)
    assert intsam.read_image(ROOT / "models/photos/rocket.jpg").ndim == 3


def test_bad_files(tmp_path):
    data = encoded(Image.fromarray(blocks(200, 100)))
    for bad, kind in ((b"", intsam.UnsupportedError), (b"text", intsam.UnsupportedError),
                      (data[: len(data) // 2], intsam.DamagedError)):
        path = tmp_path / "bad.png"
        path.write_bytes(bad)
        with pytest.raises(kind, match=r"bad\.png"):
            intsam.read_image(path)
    with pytest.raises(intsam.FileError, match="absent"):
        intsam.read_image(tmp_path / "absent.png")
    with pytest.raises(intsam.ResourceError, match="40000"):
        intsam.read_image(encoded(Image.new("1", (40000, 1))))
