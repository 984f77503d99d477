"""What Label Studio's editor sends and takes, as prompts and from masks. Coordinates are percent of the picture there."""
from __future__ import annotations

import dataclasses
import math
import uuid
from typing import Any

import numpy as np

import brush_rle
import intsam


@dataclasses.dataclass
class Tags:
    """The tags of a labelling interface that take part."""

    from_name: str  #: of BrushLabels
    to_name: str  #: of the Image
    value: str  #: which field of a task holds the picture
    labels: list[str]

    @classmethod
    def of(cls, config: dict[str, Any]) -> Tags:
        """Of a configuration as label-studio's parse_config gives it. Raises ValueError without BrushLabels on an Image."""
        for name, tag in config.items():
            for target, source in zip(tag.get("to_name", []), tag.get("inputs", [])):
                if tag.get("type") == "BrushLabels" and source.get("type") == "Image":
                    return cls(name, target, source["value"], list(tag.get("labels", [])))
        raise ValueError("the labelling interface has no BrushLabels for an Image")


def prompt_of(regions: list[dict[str, Any]], size: tuple[int, int]) -> intsam.Prompt | None:
    """The prompt that smart key points and rectangles make, on a picture of `size` (height, width); None without any. Of
    several rectangles the last counts."""
    height, width = size
    points, labels, box = [], [], None
    for region in regions:
        value = region.get("value", {})
        if region.get("type") == "keypointlabels":
            points.append((_number(value, "x") * width / 100, _number(value, "y") * height / 100))
            labels.append(int(bool(region.get("is_positive", True))))
        elif region.get("type") == "rectanglelabels":
            box = _box(value, width, height)
    if not points and box is None:
        return None
    return intsam.Prompt(np.array(points) if points else None, labels if points else None, box)


def label_of(regions: list[dict[str, Any]], labels: list[str]) -> str | None:
    """The label that the last region was drawn with, where it is one of `labels`; else the first of these."""
    for region in reversed(regions):
        for label in region.get("value", {}).get(region.get("type"), []):
            if label in labels:
                return label
    return labels[0] if labels else None


def prediction(mask: np.ndarray, score: float, label: str | None, tags: Tags) -> dict[str, Any]:
    """A mask as a prediction: one brush region."""
    height, width = mask.shape
    region = {
        "id": uuid.uuid4().hex[:10],
        "from_name": tags.from_name,
        "to_name": tags.to_name,
        "type": "brushlabels",
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "value": {"format": "rle", "rle": brush_rle.encode(mask), "brushlabels": [label] if label else []},
        "score": score,
        "readonly": False,
    }
    return {"result": [region], "score": score}


def _number(value: dict[str, Any], name: str) -> float:
    number = value.get(name)
    if isinstance(number, bool) or not isinstance(number, (int, float)) or not math.isfinite(number):
        raise ValueError(f"{name}: {number!r} is no number")
    return float(number)


def _box(value: dict[str, Any], width: int, height: int) -> np.ndarray:
    """x0, y0, x1, y1 in pixels of the smallest upright box around a rectangle, which is turned about its first corner."""
    x, y = _number(value, "x") * width / 100, _number(value, "y") * height / 100
    right, down = _number(value, "width") * width / 100, _number(value, "height") * height / 100
    angle = math.radians(_number({"rotation": 0, **value}, "rotation"))
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    corners = np.array([[0, 0], [right, 0], [0, down], [right, down]]) @ turn + (x, y)
    return np.concatenate((corners.min(axis=0), corners.max(axis=0)))
