"""SamPredictor, with the signatures of the original package."""
from __future__ import annotations

from typing import Any

import numpy as np

from . import errors
from .arrays import to_numpy, to_tensor
from .numbers import real_numbers, whole_numbers
from .prompts import Prompt
from .sam import Sam, upscale
from .session import Result, Session
from .transforms import ResizeLongestSide

# Prompts that the session answers at a time: bounds the memory of their results.
_BATCH = 64


class SamPredictor:
    """Encodes an image once, then answers prompts on it. Used by one thread at a time, as its session is.

    Differences from the original: prompts are rounded to 1/64 pixel, a box must have an area, labels are 0 and 1, and
    at least one prompt is needed.

    As with the original, an image that was encoded before comes back by assigning `features`, `original_size`,
    `input_size` and `is_image_set`.
    """

    def __init__(self, sam_model: Sam) -> None:
        if not isinstance(sam_model, Sam):
            raise errors.ArgumentError(f"sam_model: an intsam.Sam is needed, not {type(sam_model).__name__}")
        self.model = sam_model
        self.transform = ResizeLongestSide(sam_model.image_encoder.img_size)
        #: The session behind it, for what this class lacks.
        self.session = Session(sam_model.model, threads=sam_model.threads, isa=sam_model.isa)
        #: Height and width of the image, and of what the encoder saw of it.
        self.original_size: tuple[int, int] | None = None
        self.input_size: tuple[int, int] | None = None
        self.reset_image()

    def set_image(self, image: np.ndarray, image_format: str = "RGB") -> None:
        """Encodes an image, uint8 [height, width, 3], so that prompts on it can be answered.

        image_format: "RGB" or "BGR".
        """
        self.reset_image()
        self.session.set_image(image, image_format)
        size = self.session.image_size
        assert size is not None
        self._encoded(size, self.transform.get_preprocess_shape(*size, self.transform.target_length))

    def set_torch_image(self, transformed_image: Any, original_image_size: tuple[int, ...]) -> None:
        """Encodes an image that was resized by `transform`.

        transformed_image: 1x3xHxW, RGB, 0 to 255, the longest side that of the encoder's input. A tensor or an array;
            numbers that are not whole are rounded.
        original_image_size: (H, W) before resizing, the size that masks will have.
        """
        self.reset_image()
        pixels = np.asarray(to_numpy(transformed_image))
        side = self.model.image_encoder.img_size
        if pixels.ndim != 4 or pixels.shape[:2] != (1, 3) or max(pixels.shape[2:]) != side:
            raise errors.ArgumentError(f"transformed_image: shape {pixels.shape}; 1x3xHxW with a long side of {side}")
        if pixels.dtype != np.uint8:
            pixels = np.rint(real_numbers("transformed_image", pixels)).clip(0, 255).astype(np.uint8)
        height, width = whole_numbers("original_image_size", original_image_size, 2)
        self.session.set_image(pixels[0].transpose(1, 2, 0))
        self._encoded((height, width), (pixels.shape[2], pixels.shape[3]))

    def predict(
        self,
        point_coords: np.ndarray | None = None,
        point_labels: np.ndarray | None = None,
        box: np.ndarray | None = None,
        mask_input: np.ndarray | None = None,
        multimask_output: bool = True,
        return_logits: bool = False,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Answers one prompt in pixels of the original image.

        point_coords: Nx2, x and y. point_labels: N, 1 on the object, 0 beside it. box: 4, x0, y0, x1, y1.
        mask_input: 1xSxS low-resolution logits of an earlier answer, S = 256 for the official models.
        multimask_output: three alternatives instead of one mask; good for a single point.
        return_logits: logits instead of bool masks.

        Returns masks CxHxW, bool or float32, at the size of the original image; predicted IoU, float32 C; and
        low-resolution logits, float32 CxSxS; C is 3 or 1. Raises RuntimeError without an image.
        """
        frame = self._frame()
        if point_coords is not None and point_labels is None:
            raise errors.ArgumentError("point_labels must be supplied if point_coords is supplied.")
        scale = self._scale(self.original_size, frame)
        points = None if point_coords is None else real_numbers("point_coords", to_numpy(point_coords)) * scale
        corners = None if box is None else _boxes(box, (-1, 4)) * (*scale, *scale)
        if corners is not None and len(corners) != 1:
            raise errors.ArgumentError(f"box: {len(corners)} boxes; predict_torch takes several")
        prompt = Prompt(points, None if points is None else to_numpy(point_labels),
                        None if corners is None else corners[0], to_numpy(mask_input))
        masks, scores, low_res = self._answer([prompt], multimask_output, return_logits)
        return masks[0], scores[0], low_res[0]

    def predict_torch(
        self,
        point_coords: Any,
        point_labels: Any,
        boxes: Any = None,
        mask_input: Any = None,
        multimask_output: bool = True,
        return_logits: bool = False,
    ) -> tuple[Any, Any, Any]:
        """Answers B prompts, whose coordinates `transform` has taken to the frame of the encoder's input.

        point_coords: BxNx2. point_labels: BxN. boxes: Bx4. mask_input: Bx1xSxS. Tensors or arrays, or None.

        Returns masks BxCxHxW, predicted IoU BxC and low-resolution logits BxCxSxS as `predict` does: tensors, or arrays
        without torch. Raises RuntimeError without an image.
        """
        frame = self._frame()
        scale = self._scale(self.input_size, frame)
        given = {"point_coords": point_coords, "point_labels": point_labels, "boxes": boxes, "mask_input": mask_input}
        arrays = {name: real_numbers(name, to_numpy(value)) for name, value in given.items() if value is not None}
        if ("point_coords" in arrays) != ("point_labels" in arrays):
            raise errors.ArgumentError("point_coords and point_labels belong together")
        counts = {array.shape[0] if array.ndim else -1 for array in arrays.values()}
        if len(counts) != 1 or counts & {-1, 0}:
            shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
            raise errors.ArgumentError(f"as many of each are needed, and at least one: {shapes or 'no prompt'}")
        if "point_coords" in arrays:
            if arrays["point_coords"].ndim != 3 or arrays["point_coords"].shape[2] != 2:
                raise errors.ArgumentError(f"point_coords: shape {arrays['point_coords'].shape}; BxNx2 is needed")
            arrays["point_coords"] = arrays["point_coords"] * scale
        if "boxes" in arrays:
            arrays["boxes"] = _boxes(arrays["boxes"], arrays["boxes"].shape) * (*scale, *scale)

        def row(name: str, index: int) -> Any:
            return arrays[name][index] if name in arrays else None

        prompts = [Prompt(row("point_coords", i), row("point_labels", i), row("boxes", i), row("mask_input", i))
                   for i in range(counts.pop())]
        masks, scores, low_res = self._answer(prompts, multimask_output, return_logits)
        return to_tensor(masks), to_tensor(scores), to_tensor(low_res)

    def get_image_embedding(self) -> Any:
        """The features of the image, float32 1xCxHxW: a tensor, or an array without torch. Raises RuntimeError without an
        image."""
        self._frame()
        return self.features

    @property
    def features(self) -> Any:
        """As get_image_embedding, None without an image.

        Assigned ones, a tensor or an array 1xCxHxW, are taken up by the next prompt; so to change them, assign again.
        """
        if self._features is None and self._loaded is not None:
            self._features = to_tensor(self.session.embedding()[None])
        return self._features

    @features.setter
    def features(self, features: Any) -> None:
        self._features = features
        self._loaded = None

    @property
    def device(self) -> Any:
        """Of the model: the CPU."""
        return self.model.device

    def reset_image(self) -> None:
        """Forgets the image."""
        self.is_image_set = False
        self.features = None
        self.orig_h = self.orig_w = self.input_h = self.input_w = None

    def _encoded(self, original_size: tuple[int, int], input_size: tuple[int, int]) -> None:
        """The session has encoded an image of these sizes."""
        self.original_size, self.input_size = original_size, input_size
        #: The sizes with which the session has the features; None: it has others, or none.
        self._loaded: list[Any] | None = self._sizes()
        self.is_image_set = True

    def _sizes(self) -> list[Any]:
        sizes = {"original_size": self.original_size, "input_size": self.input_size}
        return [None if size is None else tuple(whole_numbers(name, size, 2)) for name, size in sizes.items()]

    def _frame(self) -> tuple[int, int]:
        """Size of the image that the session has: the original one, or the encoder's input where that is of another
        shape. What was assigned since the last call is taken up first."""
        if not self.is_image_set:
            raise RuntimeError("An image must be set with .set_image(...) before mask prediction.")
        sizes = self._sizes()
        if self._loaded != sizes:
            self._load(*sizes)
        size = self.session.image_size
        assert size is not None
        return size

    def _load(self, original_size: Any, input_size: Any) -> None:
        features, self._loaded = self.features, None
        if features is None or original_size is None or input_size is None:
            raise RuntimeError("is_image_set without features, original_size and input_size")
        side = self.transform.target_length
        if min(*original_size, *input_size) < 1 or max(input_size) != side:
            raise errors.ArgumentError(
                f"original_size {original_size}, input_size {input_size}: the longer side of the latter must be {side}")
        values = real_numbers("features", to_numpy(features))
        if values.ndim != 4 or values.shape[0] != 1:
            raise errors.ArgumentError(f"features: shape {values.shape}; 1xCxHxW is needed")
        whole = self.transform.get_preprocess_shape(*original_size, side) == input_size
        self.session.set_features(values[0], original_size if whole else input_size)
        self._loaded = [original_size, input_size]

    @staticmethod
    def _scale(size: tuple[int, int] | None, frame: tuple[int, int]) -> tuple[float, float]:
        """For x and y: from pixels of an image of `size` to those of one of `frame`."""
        assert size is not None
        return frame[1] / size[1], frame[0] / size[0]

    def _answer(self, prompts: list[Prompt], multimask: bool, logits: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        info = self.model.model.info
        wanted = range(1, info.num_masks) if multimask else range(1)
        assert self.original_size is not None and self.input_size is not None
        shape = (len(prompts), len(wanted))
        masks = np.empty((*shape, *self.original_size), np.float32 if logits else np.bool_)
        scores = np.empty(shape, np.float32)
        low_res = np.empty((*shape, info.low_res_size, info.low_res_size), np.float32)
        for first in range(0, len(prompts), _BATCH):
            for row, result in enumerate(self.session.predict_batch(prompts[first : first + _BATCH]), first):
                scores[row] = result.scores[list(wanted)]
                for column, index in enumerate(wanted):
                    low_res[row, column] = result.low_res(index)
                    if logits:
                        masks[row, column] = upscale(
                            low_res[row, column], info.image_size, self.input_size, self.original_size)
                    else:
                        masks[row, column] = self._mask(result, index)
        return masks, scores, low_res

    def _mask(self, result: Result, index: int) -> np.ndarray:
        if self.session.image_size == self.original_size:
            return result.mask(index)
        return result.make_mask(index, size=self.original_size).pixels()


def _boxes(values: Any, shape: tuple[int, ...]) -> np.ndarray:
    boxes = real_numbers("box", to_numpy(values))
    if boxes.size == 0 or boxes.size % 4 or (len(shape) == 2 and shape[1] != 4) or len(shape) != 2:
        raise errors.ArgumentError(f"box: shape {boxes.shape}; x0, y0, x1, y1 are needed")
    return boxes.reshape(-1, 4)
