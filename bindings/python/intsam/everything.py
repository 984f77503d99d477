"""Everything mode: its arguments, and the masks that it finds."""
from __future__ import annotations

import dataclasses
import math
from typing import Any

from ._binding import ffi, lib
from .mask import Mask
from .numbers import logit_units, share, whole_number
from .result import IOU_UNITS, STABILITY_UNITS


@dataclasses.dataclass(frozen=True)
class EverythingOptions:
    """The arguments of the original package's automatic mask generator, with its names and defaults."""

    points_per_side: int = 32  #: of the grid along either side of the image, 1 to 1024
    points_per_batch: int = 64  #: answered at a time, 1 to 4096; changes memory, not results
    pred_iou_thresh: float = 0.88  #: masks whose predicted IoU is not above it go; 0: none does
    stability_score_thresh: float = 0.95  #: masks whose stability score is below it go; 0: none does
    stability_score_offset: float = 1.0  #: in logits
    box_nms_thresh: float = 0.7  #: of masks of one crop whose boxes' IoU is above it, the best stays
    crop_n_layers: int = 0  #: 0 to 5; layer i takes 2^i x 2^i crops of the image, each of which is encoded
    crop_nms_thresh: float = 0.7  #: as box_nms_thresh, between crops; the mask of the smaller crop stays
    crop_overlap_ratio: float = 512 / 1500  #: of the image's shorter side; half as much in each further layer
    crop_n_points_downscale_factor: int = 1  #: the grid of layer i has points_per_side / factor^i
    min_mask_region_area: int = 0  #: pixels; smaller holes and islands of masks are filled and removed

    def packed(self) -> Any:
        """As the C library takes them. Raises ArgumentError for what does not fit; the library checks the ranges."""
        options = ffi.new("intsam_everything_options*")
        lib.intsam_everything_options_init(options)
        for name in ("points_per_side", "points_per_batch", "crop_n_layers", "crop_n_points_downscale_factor",
                     "min_mask_region_area"):
            setattr(options, name, whole_number(name, getattr(self, name)))
        # So that comparisons come out as with the real numbers: predicted IoUs are whole numbers there, which are above a
        # threshold if they are above the whole number below it; quotients of areas that just reach 0.7, which is a
        # little less as a double, are not above it.
        for name, rounding in (("pred_iou_thresh", math.floor), ("stability_score_thresh", math.floor),
                               ("box_nms_thresh", math.ceil), ("crop_nms_thresh", math.ceil),
                               ("crop_overlap_ratio", round)):
            setattr(options, name, share(name, getattr(self, name), rounding))
        options.stability_score_offset = logit_units("stability_score_offset", self.stability_score_offset)
        return options


@dataclasses.dataclass(frozen=True)
class FoundMask:
    """A mask that everything mode found."""

    segmentation: Any  #: what was asked for: pixels, run lengths, ...
    area: int  #: pixels inside
    bbox: tuple[int, int, int, int]  #: x, y, width and height of the smallest box that holds all pixels inside
    predicted_iou: float
    stability_score: float
    point: tuple[float, float]  #: the prompt that gave it: x and y in pixels of the image
    crop_box: tuple[int, int, int, int]  #: x, y, width and height of the crop that it was found in

    @classmethod
    def of(cls, record: Any, mask: Mask, segmentation: Any) -> FoundMask:
        """What the C library's record says."""
        return cls(
            segmentation=segmentation,
            area=mask.area,
            bbox=mask.bbox,
            predicted_iou=record.predicted_iou / IOU_UNITS,
            stability_score=record.stability / STABILITY_UNITS,
            point=(record.point_x / 64, record.point_y / 64),
            crop_box=(record.crop_x0, record.crop_y0, record.crop_x1 - record.crop_x0, record.crop_y1 - record.crop_y0),
        )
