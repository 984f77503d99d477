"""Photos: from files with Pillow, and from arrays to what the C library takes."""
from __future__ import annotations

import io
import os
from typing import Any, BinaryIO

import numpy as np

from . import errors
from ._binding import ffi, lib

# The limits of intsam.h, known here so that nothing large is copied first.
MAX_SIDE = 32768
_MAX_PIXELS = 2**29

_FORMATS = {
    ("RGB", 1): lib.INTSAM_GRAY,
    ("BGR", 1): lib.INTSAM_GRAY,
    ("RGB", 3): lib.INTSAM_RGB,
    ("BGR", 3): lib.INTSAM_BGR,
    ("RGB", 4): lib.INTSAM_RGBA,
    ("BGR", 4): lib.INTSAM_BGRA,
}


def read_image(source: str | os.PathLike[str] | bytes | BinaryIO) -> np.ndarray:
    """The photo at a path, in bytes or in a binary file, as uint8 RGB [height, width, 3].

    Upright: rotated and mirrored as its EXIF data say, so that coordinates are those of the photo as it is seen. Alpha
    is dropped, of 16 bits the upper 8 are taken, colour profiles are ignored: as the command-line tools do.

    Needs Pillow (`pip install intsam[image]`). Raises FileError when the file cannot be read, DamagedError or
    UnsupportedError when it is no picture that Pillow reads, ResourceError when it is too large.
    """
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ImportError as error:
        raise ImportError("read_image needs Pillow: pip install intsam[image]") from error

    name = "image" if isinstance(source, bytes) or hasattr(source, "read") else os.fspath(source)
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as photo:
            if max(photo.size) > MAX_SIDE:
                raise errors.ResourceError(f"{name}: {photo.width} x {photo.height} pixels; at most {MAX_SIDE} per side")
            photo.load()
            upright = ImageOps.exif_transpose(photo)
            if upright.mode == "F":
                raise errors.UnsupportedError(f"{name}: a picture of real numbers")
            if upright.mode.startswith("I"):  # 16 bits of gray, which Pillow's own conversion would clip at 255
                upright = Image.fromarray((np.asarray(upright).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
            return np.array(upright.convert("RGB"))
    except UnidentifiedImageError:
        raise errors.UnsupportedError(f"{name}: no picture that Pillow reads") from None
    except Image.DecompressionBombError as error:
        raise errors.ResourceError(f"{name}: {error}") from None
    except errors.Error:
        raise
    except OSError as error:
        kind = errors.DamagedError if error.errno is None else errors.FileError
        raise kind(f"{name}: {error.strerror or error}") from None
    except (ValueError, SyntaxError, EOFError) as error:  # what Pillow raises for damaged data
        raise errors.DamagedError(f"{name}: {error}") from None


class Pixels:
    """An array as an intsam_image: `struct` is good as long as this object lives."""

    def __init__(self, image: Any, image_format: str) -> None:
        try:
            array = np.asarray(image)
        except (TypeError, ValueError):  # lists of different lengths
            raise errors.ArgumentError("image: no array") from None
        if image_format not in ("RGB", "BGR"):
            raise errors.ArgumentError(f"image_format: {image_format!r}; RGB and BGR are known")
        if array.dtype != np.uint8:
            raise errors.ArgumentError(f"image: {array.dtype} values; uint8 is needed, 0 to 255")
        if array.ndim == 2:
            array = array[..., None]
        if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
            raise errors.ArgumentError(f"image: shape {array.shape}; [height, width, channels] is needed, channels 1, 3 or 4")
        height, width, channels = array.shape
        if not (1 <= height <= MAX_SIDE and 1 <= width <= MAX_SIDE):
            raise errors.ArgumentError(f"image: {width} x {height} pixels; 1 to {MAX_SIDE} per side are possible")
        if height * width > _MAX_PIXELS:
            raise errors.ResourceError(f"image: {width} x {height} pixels are over the limit")
        # Rows may lie apart, pixels and channels may not.
        row, pixel, channel = array.strides
        if channel != 1 or pixel != channels or row < width * channels:
            array = np.ascontiguousarray(array)
            row = width * channels
        self._array = array
        self.struct = ffi.new("intsam_image*", {
            "pixels": ffi.cast("uint8_t*", array.ctypes.data),
            "width": width,
            "height": height,
            "stride": row,
            "format": _FORMATS[image_format, channels],
        })
