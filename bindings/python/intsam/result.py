"""Result: the masks that answer one prompt."""
from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from . import errors
from ._binding import ffi, lib
from .mask import Mask
from .numbers import logit_units, whole_number, whole_numbers

if TYPE_CHECKING:
    from .session import Session

# What stands for 1 in the C library.
IOU_UNITS = 32768
STABILITY_UNITS = 65536


class Result:
    """The answer to one prompt: num_masks masks, of which number 0 is the single-mask output and 1.. are alternatives.

    Valid until the session predicts again, gets another image or is closed; afterwards masks and logits raise
    ArgumentError, while `scores`, `best` and `choice` stay readable.
    """

    def __init__(self, session: Session, pointer: Any, generation: int, number: int, single_point: bool) -> None:
        self._session = session
        self._generation = generation
        self._number = number
        count = session.model.info.num_masks
        iou = [lib.intsam_session_iou(pointer, number, mask) for mask in range(count)]
        #: Predicted IoU of each mask, float32 [num_masks]; about 0 to 1, may slightly exceed either.
        self.scores: np.ndarray = (np.array(iou) / IOU_UNITS).astype(np.float32)
        #: The alternative with the highest predicted IoU.
        self.best: int = lib.intsam_session_best_mask(pointer, number)
        #: The mask that is usually wanted: `best` for a single point, which may mean a part or the whole, else 0.
        self.choice: int = self.best if single_point else 0

    def mask(self, index: int | None = None) -> np.ndarray:
        """A mask at the size of the image, bool [height, width]. `index`: None for `choice`."""
        with self._use() as pointer:
            height, width = self._session._size(pointer)
            out = np.empty((height, width), np.bool_)
            address = ffi.cast("uint8_t*", out.ctypes.data)
            self._session._check(lib.intsam_session_mask(pointer, self._number, self._index(index), address, width))
        return out

    def low_res(self, index: int | None = None) -> np.ndarray:
        """Low-resolution logits, float32 [low_res_size, low_res_size], of which more than 0 is inside. They cover the
        encoder's square input, so below or right of a photo that is not square is padding. Good as a mask_input."""
        info = self._session.model.info
        with self._use() as pointer:
            codes = lib.intsam_session_low_res(pointer, self._number, self._index(index))
            size = info.low_res_size
            copy = np.frombuffer(ffi.buffer(codes, 2 * size * size), np.int16).reshape(size, size)
            return (copy * info.low_res_scale).astype(np.float32)

    def make_mask(
        self,
        index: int | None = None,
        *,
        region: tuple[int, int, int, int] | None = None,
        size: tuple[int, int] | None = None,
        threshold_offset: float = 0.0,
    ) -> Mask:
        """A mask as data.

        region: x, y, width and height of a part of the image, in pixels; None: all of it.
        size: height and width of the mask in pixels; None: those of the region.
        threshold_offset: added to the model's threshold, in logits: above 0, less is inside.
        """
        with self._use() as pointer:
            options = _mask_options(region, size, threshold_offset)
            made = ffi.new("intsam_mask**")
            self._session._check(
                lib.intsam_session_make_mask(pointer, self._number, self._index(index), options, made))
            return Mask(ffi.gc(made[0], lib.intsam_mask_destroy))

    def stability(self, index: int | None = None, offset: float = 1.0) -> float:
        """Stability score as in the original package, 0 to 1: of the pixels that are inside with the threshold lowered
        by `offset` (in logits), the share that still are with it raised by as much."""
        with self._use() as pointer:
            score = ffi.new("int32_t*")
            self._session._check(lib.intsam_session_stability(
                pointer, self._number, self._index(index), ffi.NULL, logit_units("offset", offset), score))
            return score[0] / STABILITY_UNITS

    def _index(self, index: int | None) -> int:
        if index is None:
            return self.choice
        number, count = whole_number("mask", index), len(self.scores)
        if not 0 <= number < count:
            raise errors.ArgumentError(f"mask {number}: there are {count}, from 0")
        return number

    @contextlib.contextmanager
    def _use(self) -> Iterator[Any]:
        with self._session._use() as pointer:
            if self._generation != self._session._generation:
                raise errors.ArgumentError("the result is gone: its session has been given something else since")
            yield pointer

    def __repr__(self) -> str:
        return f"<intsam.Result scores {np.array2string(self.scores, precision=3)}, choice {self.choice}>"


def _mask_options(region: Any, size: Any, threshold_offset: float) -> Any:
    options = ffi.new("intsam_mask_options*")
    lib.intsam_mask_options_init(options)
    options.threshold_offset = logit_units("threshold_offset", threshold_offset)
    if region is not None:
        options.x, options.y, options.region_width, options.region_height = whole_numbers("region", region, 4)
        if options.region_width < 1 or options.region_height < 1:  # 0 would stand for up to the edge
            raise errors.ArgumentError(f"region: {options.region_width} x {options.region_height} pixels")
    if size is not None:
        options.height, options.width = whole_numbers("size", size, 2)
        if options.height < 1 or options.width < 1:  # 0 would stand for the region's
            raise errors.ArgumentError(f"size: {options.width} x {options.height} pixels")
    return options
