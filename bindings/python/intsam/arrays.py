"""numpy here, torch for those who have it: what the drop-in classes take and give."""
from __future__ import annotations

from typing import Any

import numpy as np


def find_torch() -> Any:
    """The module torch, None where it is not installed."""
    try:
        import torch
    except ImportError:
        return None
    return torch


def to_numpy(values: Any) -> Any:
    """Tensors of any device as arrays; anything else as it is."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    return values


def to_tensor(array: np.ndarray) -> Any:
    """A tensor of the same memory, the array itself without torch."""
    torch = find_torch()
    return array if torch is None else torch.from_numpy(array)


def cpu() -> Any:
    """torch.device("cpu"), or its name without torch."""
    torch = find_torch()
    return "cpu" if torch is None else torch.device("cpu")


def interpolate(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """[..., height, width] resized as torch does with mode="bilinear", align_corners=False; float32."""
    values = np.asarray(values, np.float32)
    for axis, count in ((-2, size[0]), (-1, size[1])):
        old = values.shape[axis]
        if count == old:
            continue
        place = ((np.arange(count) + 0.5) * (old / count) - 0.5).clip(0, None)
        first = np.minimum(place.astype(np.intp), old - 1)
        second = np.minimum(first + 1, old - 1)
        weight = (place - first).astype(np.float32)
        weight = weight[:, None] if axis == -2 else weight
        near = values.take(first, axis)
        near += (values.take(second, axis) - near) * weight
        values = near
    return values
