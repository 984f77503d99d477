"""Mask: an object as runs of pixels, to be asked for pixels, area, box, run lengths and outlines."""
from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from . import errors
from ._binding import check, ffi, lib


@dataclasses.dataclass(frozen=True)
class Ring:
    """A closed polygon along the edges of pixels, whose last corner is joined to its first."""

    corners: np.ndarray  #: int32 [n, 2], x and y; pixel (x, y) lies between the corners (x, y) and (x + 1, y + 1)
    outer: int  #: of a hole: index of the ring around the part that it lies in; else the ring's own index
    is_hole: bool


class Mask:
    """A mask as data. Made by Result.make_mask; it depends neither on the session nor on later results.

    Holds runs of pixels, some 100 KB for a photo of 24 megapixels; maps of bytes are made only when asked for. Never
    changes, and may be used by several threads at once.
    """

    def __init__(self, pointer: Any) -> None:
        # `pointer` is owned by whoever made it: ffi.gc, or the call that lends it.
        self._pointer = pointer
        info = ffi.new("intsam_mask_info*", {"size": ffi.sizeof("intsam_mask_info")})
        lib.intsam_mask_get_info(pointer, info)
        #: Rows and columns of pixels.
        self.shape: tuple[int, int] = (info.height, info.width)
        #: How many pixels are inside.
        self.area: int = info.area
        #: x, y, width and height of the smallest box that holds all pixels inside; (0, 0, 0, 0) for an empty mask.
        self.bbox: tuple[int, int, int, int] = (0, 0, 0, 0)
        if info.area:
            self.bbox = (info.x0, info.y0, info.x1 - info.x0 + 1, info.y1 - info.y0 + 1)

    def pixels(self) -> np.ndarray:
        """bool [height, width]."""
        out = np.empty(self.shape, np.bool_)
        check(lib.intsam_mask_pixels(self._mask(), ffi.cast("uint8_t*", out.ctypes.data), self.shape[1]), "mask")
        return out

    def bits(self) -> np.ndarray:
        """uint8 [height, (width + 7) // 8], first pixel in the lowest bit (np.unpackbits(..., bitorder="little"))."""
        out = np.empty((self.shape[0], (self.shape[1] + 7) // 8), np.uint8)
        check(lib.intsam_mask_bits(self._mask(), ffi.cast("uint8_t*", out.ctypes.data), out.shape[1]), "mask")
        return out

    def run_lengths(self) -> np.ndarray:
        """COCO's uncompressed run lengths, uint32 [n]: how many pixels are outside, inside, outside, ... in turn, down
        one column after the other. The first may be 0."""
        count = ffi.new("size_t*")
        check(lib.intsam_mask_run_lengths(self._mask(), ffi.NULL, 0, count), "run lengths")
        out = np.empty(count[0], np.uint32)
        pointer = ffi.cast("uint32_t*", out.ctypes.data)
        check(lib.intsam_mask_run_lengths(self._mask(), pointer, out.size, count), "run lengths")
        return out

    def rle(self) -> dict[str, Any]:
        """The run lengths as the original package gives them: {"size": [height, width], "counts": [n, ...]}."""
        return {"size": list(self.shape), "counts": self.run_lengths().tolist()}

    def coco_rle(self) -> dict[str, Any]:
        """The run lengths as pycocotools compresses them, ready for JSON: {"size": [height, width], "counts": str}."""
        length = ffi.new("size_t*")
        check(lib.intsam_mask_coco_string(self._mask(), ffi.NULL, 0, length), "COCO string")
        out = ffi.new("char[]", length[0] + 1)
        check(lib.intsam_mask_coco_string(self._mask(), out, length[0] + 1, length), "COCO string")
        return {"size": list(self.shape), "counts": ffi.string(out).decode("ascii")}

    def outlines(self) -> list[Ring]:
        """The outlines as polygons. Around a part they go clockwise as seen on a screen, around a hole the other way."""
        num_corners, num_rings = ffi.new("size_t*"), ffi.new("size_t*")
        check(lib.intsam_mask_outlines(self._mask(), ffi.NULL, 0, num_corners, ffi.NULL, 0, num_rings), "outlines")
        corners = np.empty((num_corners[0], 2), np.int32)
        rings = ffi.new("intsam_ring[]", num_rings[0])
        pointer = ffi.cast("intsam_corner*", corners.ctypes.data)
        check(lib.intsam_mask_outlines(self._mask(), pointer, len(corners), num_corners, rings, len(rings), num_rings),
              "outlines")
        return [Ring(corners[ring.first : ring.first + ring.count].copy(), ring.outer, ring.outer != index)
                for index, ring in enumerate(rings)]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("the pixels of a mask are made when they are asked for, which takes a copy")
        return self.pixels() if dtype is None else self.pixels().astype(dtype)

    def __repr__(self) -> str:
        return f"<intsam.Mask {self.shape[1]} x {self.shape[0]}, {self.area} pixels>"

    def _mask(self) -> Any:
        if self._pointer is None:
            raise errors.ArgumentError("the mask was lent for a call that is over")
        return self._pointer

    def _end_of_loan(self) -> None:
        self._pointer = None
