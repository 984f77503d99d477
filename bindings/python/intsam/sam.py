"""Sam and sam_model_registry: a model as the original package's code expects it."""
from __future__ import annotations

import os
import types
import warnings
from typing import Any

import numpy as np

from . import errors
from .arrays import cpu, interpolate, to_numpy, to_tensor
from .model import Model
from .numbers import real_numbers
from .session import Session

_CHECKPOINTS = (".pth", ".pt", ".safetensors", ".bin", ".onnx")


class ImageEncoder:
    """The image encoder alone, as a function of what Sam.preprocess gives."""

    def __init__(self, sam: Sam) -> None:
        self._sam = sam
        #: Side of its input.
        self.img_size = sam.model.info.image_size

    def __call__(self, x: Any) -> Any:
        """Features float32 BxCxHxW of images Bx3xSxS, normalized and padded at the right or bottom with zeros. A tensor, or
        an array without torch. Colours are rounded to the 8 bits that they come from."""
        batch = real_numbers("x", to_numpy(x))
        if batch.ndim != 4 or batch.shape[1:] != (3, self.img_size, self.img_size):
            raise errors.ArgumentError(f"x: shape {batch.shape}; Bx3x{self.img_size}x{self.img_size} is needed")
        info = self._sam.model.info
        features = np.empty((len(batch), info.embedding_channels, info.embedding_size, info.embedding_size), np.float32)
        with Session(self._sam.model, threads=self._sam.threads, isa=self._sam.isa) as session:
            for image, out in zip(batch, features, strict=True):
                session.set_image(self._pixels(image))
                out[...] = session.embedding()
        return to_tensor(features)

    def _pixels(self, image: np.ndarray) -> np.ndarray:
        # No colour is normalized to 0, so zeros are padding. The session pads itself.
        inside = (image != 0).any(axis=0)
        height, width = (int(np.flatnonzero(inside.any(axis=axis)).max(initial=-1)) + 1 for axis in (1, 0))
        if max(height, width) != self.img_size:
            raise errors.ArgumentError(f"x: {height} x {width} pixels and padding; one side must be {self.img_size}")
        mean, deviation = (np.asarray(to_numpy(values), float) for values in (self._sam.pixel_mean, self._sam.pixel_std))
        colours = np.rint(image[:, :height, :width] * deviation + mean)
        return np.ascontiguousarray(colours.clip(0, 255).astype(np.uint8).transpose(1, 2, 0))


class Sam:
    """A model with the attributes that code written for `segment_anything` reads. It computes on the CPU, always."""

    mask_threshold: float = 0.0
    image_format: str = "RGB"

    def __init__(self, model: Model, *, threads: int = 0, isa: str | None = None) -> None:
        """threads and isa are those of Session, for the sessions that predictors of this model make."""
        if not isinstance(model, Model):
            raise errors.ArgumentError(f"model: an intsam.Model is needed, not {type(model).__name__}")
        info = model.info
        self.model = model
        self.threads = threads
        self.isa = isa
        grid = (info.embedding_size, info.embedding_size)
        self.image_encoder = ImageEncoder(self)
        self.pixel_mean = to_tensor(np.array([123.675, 116.28, 103.53], np.float32).reshape(3, 1, 1))
        self.pixel_std = to_tensor(np.array([58.395, 57.12, 57.375], np.float32).reshape(3, 1, 1))
        self.prompt_encoder = types.SimpleNamespace(
            embed_dim=info.embedding_channels,
            image_embedding_size=grid,
            input_image_size=(info.image_size, info.image_size),
            mask_input_size=(info.low_res_size, info.low_res_size),
        )

    @property
    def device(self) -> Any:
        """torch.device("cpu"), or "cpu" without torch."""
        return cpu()

    def to(self, device: Any = None, *_: Any, **__: Any) -> Sam:
        """Itself. Warns when a device that is not the CPU is asked for."""
        if str(device).split(":")[0] not in ("cpu", "None"):
            warnings.warn(f"intsam computes on the CPU; {device} is ignored", stacklevel=2)
        return self

    def cuda(self, *_: Any) -> Sam:
        """Itself, with a warning."""
        warnings.warn("intsam computes on the CPU; cuda is ignored", stacklevel=2)
        return self

    def cpu(self) -> Sam:
        """Itself."""
        return self

    def eval(self) -> Sam:
        """Itself."""
        return self

    def __call__(self, batched_input: list[dict[str, Any]], multimask_output: bool) -> list[dict[str, Any]]:
        return self.forward(batched_input, multimask_output)

    def forward(self, batched_input: list[dict[str, Any]], multimask_output: bool) -> list[dict[str, Any]]:
        """Images and prompts to masks, as the original's forward.

        batched_input: per image a dict of `image` (3xHxW, already resized to the encoder's input, 0 to 255),
            `original_size` (H, W), and prompts in the frame of `image`: `point_coords` BxNx2 with `point_labels` BxN,
            `boxes` Bx4, `mask_inputs` Bx1xSxS; those that are not needed are left out.

        Returns per image a dict of `masks` bool BxCxHxW at the original size, `iou_predictions` float BxC and
        `low_res_logits` float BxCxSxS, where C is 3 with multimask_output, else 1.
        """
        from .predictor import SamPredictor

        predictor = SamPredictor(self)
        outputs = []
        for record in batched_input:
            predictor.set_torch_image(to_numpy(record["image"])[None], record["original_size"])
            masks, scores, low_res = predictor.predict_torch(
                record.get("point_coords"), record.get("point_labels"), record.get("boxes"),
                record.get("mask_inputs"), multimask_output)
            outputs.append({"masks": masks, "iou_predictions": scores, "low_res_logits": low_res})
        return outputs

    def preprocess(self, x: Any) -> Any:
        """Colours 0 to 255, [..., 3, H, W] with a longer side of that of the encoder's input, normalized and padded to a
        square with zeros at the right and bottom: what image_encoder takes."""
        normalized = (np.asarray(to_numpy(x)) - to_numpy(self.pixel_mean)) / to_numpy(self.pixel_std)
        side = self.image_encoder.img_size
        if normalized.ndim < 3 or max(normalized.shape[-2:]) > side:
            raise errors.ArgumentError(f"x: shape {normalized.shape}; the longer side must be {side}")
        height, width = normalized.shape[-2:]
        padded = np.zeros((*normalized.shape[:-2], side, side), np.float32)
        padded[..., :height, :width] = normalized
        return to_tensor(padded)

    def postprocess_masks(self, masks: Any, input_size: tuple[int, ...], original_size: tuple[int, ...]) -> Any:
        """Low-resolution logits BxCxSxS without their padding at the size of the original image, float BxCxHxW."""
        return to_tensor(upscale(to_numpy(masks), self.image_encoder.img_size, input_size, original_size))

    def __repr__(self) -> str:
        return f"<intsam.Sam of {self.model!r}>"


def upscale(logits: np.ndarray, image_size: int, input_size: tuple[int, ...], original_size: tuple[int, ...]) -> np.ndarray:
    """Low-resolution logits [..., s, s] at the size of the original image, interpolated as the original package does."""
    square = interpolate(logits, (image_size, image_size))
    return interpolate(square[..., : input_size[0], : input_size[1]], (original_size[0], original_size[1]))


def build_sam(checkpoint: str | os.PathLike[str] | None = None, **options: Any) -> Sam:
    """The Sam of an .isam file; `options` are those of Sam. The file says which architecture it is."""
    if checkpoint is None:
        raise errors.ArgumentError("checkpoint: the path of an .isam model is needed")
    try:
        return Sam(Model(checkpoint), **options)
    except (errors.DamagedError, errors.UnsupportedError) as error:
        if os.fspath(checkpoint).endswith(_CHECKPOINTS):
            raise type(error)(f"{error}; intsam-convert makes an .isam model of a checkpoint") from None
        raise


build_sam_vit_h = build_sam_vit_l = build_sam_vit_b = build_sam_vit_t = build_sam

#: The names of the original package, and vit_t of MobileSAM's. All do the same.
sam_model_registry = {
    "default": build_sam,
    "vit_h": build_sam_vit_h,
    "vit_l": build_sam_vit_l,
    "vit_b": build_sam_vit_b,
    "vit_t": build_sam_vit_t,
}
