"""Numbers of callers, checked, as what the C library takes."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import errors

LOGIT_UNITS = 65536  # a logit of 1

# More than anything here has: the features of a hundred images. An array that takes no memory can have any shape.
_MOST_NUMBERS = 2**27


def real_numbers(name: str, values: Any) -> np.ndarray:
    """The values as float64, each of them a number."""
    try:
        array = np.asarray(values)
        if array.size > _MOST_NUMBERS:
            raise errors.ResourceError(f"{name}: {array.size} numbers are over the limit")
        if array.dtype.kind not in "biufO":
            raise TypeError
        array = array.astype(np.float64, copy=False)
    except (TypeError, ValueError, OverflowError):
        raise errors.ArgumentError(f"{name}: no array of numbers") from None
    if np.isnan(array).any():
        raise errors.ArgumentError(f"{name}: holds NaN")
    return array


def whole_number(name: str, value: Any) -> int:
    """The value as an int of 32 bits."""
    try:
        number = int(value)
        exact = number == value
    except (TypeError, ValueError, OverflowError):
        exact = False
    if not exact or not -(2**31) <= number < 2**31:
        raise errors.ArgumentError(f"{name}: {value!r} is no whole number within limits")
    return number


def whole_numbers(name: str, values: Any, count: int) -> list[int]:
    """So many values, each as whole_number gives it."""
    try:
        numbers = list(values)
    except TypeError:
        numbers = []
    if len(numbers) != count:
        raise errors.ArgumentError(f"{name}: {values!r}; {count} whole numbers are needed")
    return [whole_number(name, number) for number in numbers]


def integer_codes(values: np.ndarray, scale: float) -> np.ndarray:
    """The values in units of `scale` as the library's 16 bits, contiguous; those out of range become the outermost."""
    return np.ascontiguousarray(np.rint(values / scale).clip(-32768, 32767).astype(np.int16))


def real_number(name: str, value: Any) -> float:
    """The value as one finite number."""
    number = real_numbers(name, value)
    if number.ndim != 0 or not np.isfinite(number):
        raise errors.ArgumentError(f"{name}: {value!r} is no number")
    return float(number)


def logit_units(name: str, logits: Any) -> int:
    """A difference of logits in the library's unit."""
    return whole_number(name, round(real_number(name, logits) * LOGIT_UNITS))


def share(name: str, value: Any, rounding: Callable[[float], int]) -> int:
    """A share of 1 in Q30, rounded by math.floor, math.ceil or round."""
    return whole_number(name, rounding(real_number(name, value) * 2**30))
