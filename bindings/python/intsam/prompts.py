"""Prompts in pixels and logits, and how they become the integers of the C library."""
from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from . import errors
from ._binding import ffi
from .numbers import integer_codes, real_numbers

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

# Coordinates are in 1/64 pixel there.
_UNITS_PER_PIXEL = 64


@dataclasses.dataclass
class Prompt:
    """What tells one object: at least one of points, box and mask_input.

    points: [n, 2], x and y in pixels of the image from its left and top edge; may lie outside. At most 256. Rounded to
        1/64 pixel.
    labels: [n], 1 for points on the object, 0 for points beside it; None: all on it.
    box: [4], x0, y0, x1, y1 in pixels, x0 < x1, y0 < y1.
    mask_input: low-resolution logits [s, s] or [1, s, s] with s = ModelInfo.low_res_size: of an earlier result on the
        same image, or made by Session.mask_prompt.
    """

    points: ArrayLike | None = None
    labels: ArrayLike | None = None
    box: ArrayLike | None = None
    mask_input: ArrayLike | None = None


def _fixed(name: str, values: np.ndarray) -> np.ndarray:
    units = np.rint(values * _UNITS_PER_PIXEL)
    if (np.abs(units) >= 2**31).any():
        raise errors.ArgumentError(f"{name}: a coordinate is beyond all limits")
    return units.astype(np.int32)


def _points(prompt: Prompt) -> np.ndarray:
    points = real_numbers("points", prompt.points)
    if points.size == 0 and points.ndim < 2:
        points = points.reshape(0, 2)
    if points.ndim != 2 or points.shape[1] != 2:
        raise errors.ArgumentError(f"points: shape {points.shape}; [n, 2] is needed")
    if prompt.labels is None:
        labels = np.ones(len(points))
    else:
        labels = real_numbers("labels", prompt.labels)
    if labels.shape != (len(points),):
        raise errors.ArgumentError(f"labels: shape {labels.shape} for {len(points)} points")
    if not np.isin(labels, (0, 1)).all():
        raise errors.ArgumentError("labels: 1 is on the object and 0 beside it, nothing else is known")
    return np.column_stack((_fixed("points", points), labels.astype(np.int32)))


def logit_codes(values: Any, low_res_size: int, low_res_scale: float) -> np.ndarray:
    """Logits as the library's integers, s16 [s, s]; those out of range become the outermost."""
    logits = real_numbers("mask_input", values)
    if logits.shape not in ((low_res_size, low_res_size), (1, low_res_size, low_res_size)):
        raise errors.ArgumentError(f"mask_input: shape {logits.shape}; [1, {low_res_size}, {low_res_size}] is needed")
    return integer_codes(logits, low_res_scale).reshape(low_res_size, low_res_size)


class PackedPrompts:
    """Prompts as an array of intsam_prompt: `structs` is good as long as this object lives."""

    def __init__(self, prompts: list[Prompt], low_res_size: int, low_res_scale: float) -> None:
        self._kept: list[Any] = []  # what the structs point to
        self.structs = ffi.new("intsam_prompt[]", len(prompts))
        #: Of each prompt: whether it is one point and nothing else.
        self.single_points = []
        for index, prompt in enumerate(prompts):
            try:
                self._pack(self.structs[index], prompt, low_res_size, low_res_scale)
            except errors.ArgumentError as error:
                if len(prompts) == 1:
                    raise
                raise errors.ArgumentError(f"prompt {index}: {error}") from None
            struct = self.structs[index]
            self.single_points.append(struct.num_points == 1 and struct.box == ffi.NULL == struct.mask_input)

    def _pack(self, struct: Any, prompt: Prompt, low_res_size: int, low_res_scale: float) -> None:
        if not isinstance(prompt, Prompt):
            raise errors.ArgumentError(f"a Prompt is needed, not {type(prompt).__name__}")
        if prompt.points is not None:
            points = _points(prompt)
            struct.points = self._keep("intsam_point*", points)
            struct.num_points = len(points)
        elif prompt.labels is not None:
            raise errors.ArgumentError("labels: without points")
        if prompt.box is not None:
            box = real_numbers("box", prompt.box)
            if box.shape not in ((4,), (1, 4)):
                raise errors.ArgumentError(f"box: shape {box.shape}; [4] is needed, x0, y0, x1, y1")
            struct.box = self._keep("intsam_box*", _fixed("box", box))
        if prompt.mask_input is not None:
            struct.mask_input = self._keep("int16_t*", logit_codes(prompt.mask_input, low_res_size, low_res_scale))

    def _keep(self, kind: str, array: np.ndarray) -> Any:
        array = np.ascontiguousarray(array)
        self._kept.append(array)
        return ffi.cast(kind, array.ctypes.data)
