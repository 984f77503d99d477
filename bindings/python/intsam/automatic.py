"""SamAutomaticMaskGenerator, with the signature and the records of the original package."""
from __future__ import annotations

from typing import Any

import numpy as np

from . import errors
from .everything import EverythingOptions, FoundMask
from .mask import Mask
from .predictor import SamPredictor
from .sam import Sam

_OUTPUTS = {"binary_mask": Mask.pixels, "uncompressed_rle": Mask.rle, "coco_rle": Mask.coco_rle}


class SamAutomaticMaskGenerator:
    """Finds the masks of a whole image: each point of a grid is a prompt, and what is good and no duplicate stays.

    Differences from the original: grids of one's own (`point_grids`) are refused; neither pycocotools nor OpenCV is
    needed for output_mode="coco_rle" and min_mask_region_area.
    """

    def __init__(
        self,
        model: Sam,
        points_per_side: int | None = 32,
        points_per_batch: int = 64,
        pred_iou_thresh: float = 0.88,
        stability_score_thresh: float = 0.95,
        stability_score_offset: float = 1.0,
        box_nms_thresh: float = 0.7,
        crop_n_layers: int = 0,
        crop_nms_thresh: float = 0.7,
        crop_overlap_ratio: float = 512 / 1500,
        crop_n_points_downscale_factor: int = 1,
        point_grids: list[np.ndarray] | None = None,
        min_mask_region_area: int = 0,
        output_mode: str = "binary_mask",
    ) -> None:
        """The arguments are those of EverythingOptions, and output_mode: "binary_mask", "uncompressed_rle" or
        "coco_rle", what the records hold."""
        if point_grids is not None or points_per_side is None:
            raise errors.ArgumentError("point_grids: grids of one's own are not supported; use points_per_side")
        if output_mode not in _OUTPUTS:
            raise errors.ArgumentError(f"output_mode: {output_mode!r}; {', '.join(_OUTPUTS)} are known")
        self.predictor = SamPredictor(model)
        self.points_per_batch = points_per_batch
        self.pred_iou_thresh = pred_iou_thresh
        self.stability_score_thresh = stability_score_thresh
        self.stability_score_offset = stability_score_offset
        self.box_nms_thresh = box_nms_thresh
        self.crop_n_layers = crop_n_layers
        self.crop_nms_thresh = crop_nms_thresh
        self.crop_overlap_ratio = crop_overlap_ratio
        self.crop_n_points_downscale_factor = crop_n_points_downscale_factor
        self.min_mask_region_area = min_mask_region_area
        self.output_mode = output_mode
        self._points_per_side = points_per_side

    def generate(self, image: np.ndarray) -> list[dict[str, Any]]:
        """The masks of an image, uint8 RGB [height, width, 3], best first.

        Each is a dict: `segmentation` (bool [height, width], or run lengths), `bbox` [x, y, width, height] as the
        original has it, where width and height count from the first to the last pixel and so are one less than the
        number of pixels, `area` in pixels, `predicted_iou`, `point_coords` [[x, y]], `stability_score`, and `crop_box`
        [x, y, width, height].
        """
        # Attributes may have been changed since the construction, as with the original.
        options = EverythingOptions(
            points_per_side=self._points_per_side,
            points_per_batch=self.points_per_batch,
            pred_iou_thresh=self.pred_iou_thresh,
            stability_score_thresh=self.stability_score_thresh,
            stability_score_offset=self.stability_score_offset,
            box_nms_thresh=self.box_nms_thresh,
            crop_n_layers=self.crop_n_layers,
            crop_nms_thresh=self.crop_nms_thresh,
            crop_overlap_ratio=self.crop_overlap_ratio,
            crop_n_points_downscale_factor=self.crop_n_points_downscale_factor,
            min_mask_region_area=self.min_mask_region_area,
        )
        self.predictor.reset_image()
        found = self.predictor.session.everything(image, segmentation=_OUTPUTS[self.output_mode], options=options)
        return [_record(mask) for mask in found]


def _record(mask: FoundMask) -> dict[str, Any]:
    x, y, width, height = mask.bbox
    return {
        "segmentation": mask.segmentation,
        "area": mask.area,
        "bbox": [x, y, max(width - 1, 0), max(height - 1, 0)],
        "predicted_iou": mask.predicted_iou,
        "point_coords": [list(mask.point)],
        "stability_score": mask.stability_score,
        "crop_box": list(mask.crop_box),
    }
