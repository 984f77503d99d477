"""ResizeLongestSide, with the original package's methods: from an image's pixels to the encoder's input and back."""
from __future__ import annotations

from typing import Any

import numpy as np

from . import errors
from .arrays import find_torch


class ResizeLongestSide:
    """Scales images, coordinates and boxes so that an image's longest side is `target_length`. Sizes are (H, W)."""

    def __init__(self, target_length: int) -> None:
        self.target_length = target_length

    def apply_image(self, image: np.ndarray) -> np.ndarray:
        """uint8 [height, width, channels], resized. Needs Pillow."""
        from PIL import Image

        if np.asarray(image).dtype != np.uint8:
            raise errors.ArgumentError(f"image: {np.asarray(image).dtype} values; uint8 is needed, 0 to 255")
        height, width = self.get_preprocess_shape(image.shape[0], image.shape[1], self.target_length)
        return np.array(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))

    def apply_coords(self, coords: np.ndarray, original_size: tuple[int, ...]) -> np.ndarray:
        """[..., 2], x and y in pixels of the original image; float64 in pixels of the encoder's input."""
        scale = self._scale(original_size)
        return np.array(coords, dtype=float) * scale

    def apply_boxes(self, boxes: np.ndarray, original_size: tuple[int, ...]) -> np.ndarray:
        """[n, 4], x0, y0, x1, y1."""
        return self.apply_coords(np.asarray(boxes).reshape(-1, 2, 2), original_size).reshape(-1, 4)

    def apply_image_torch(self, image: Any) -> Any:
        """A float tensor [batch, channels, height, width], resized. May differ slightly from apply_image, which is what
        the model expects."""
        torch = _torch()
        size = self.get_preprocess_shape(image.shape[2], image.shape[3], self.target_length)
        return torch.nn.functional.interpolate(image, size, mode="bilinear", align_corners=False, antialias=True)

    def apply_coords_torch(self, coords: Any, original_size: tuple[int, ...]) -> Any:
        """As apply_coords for a tensor; float32."""
        torch = _torch()
        return coords.to(torch.float) * torch.tensor(self._scale(original_size), dtype=torch.float, device=coords.device)

    def apply_boxes_torch(self, boxes: Any, original_size: tuple[int, ...]) -> Any:
        """As apply_boxes for a tensor; float32."""
        return self.apply_coords_torch(boxes.reshape(-1, 2, 2), original_size).reshape(-1, 4)

    @staticmethod
    def get_preprocess_shape(oldh: int, oldw: int, long_side_length: int) -> tuple[int, int]:
        """Height and width after resizing."""
        scale = long_side_length * 1.0 / max(oldh, oldw)
        return int(oldh * scale + 0.5), int(oldw * scale + 0.5)

    def _scale(self, original_size: tuple[int, ...]) -> tuple[float, float]:
        height, width = original_size
        new_height, new_width = self.get_preprocess_shape(height, width, self.target_length)
        return new_width / width, new_height / height


def _torch() -> Any:
    torch = find_torch()
    if torch is None:
        raise ImportError("this method takes tensors and needs torch")
    return torch
