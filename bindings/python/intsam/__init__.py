"""Segment Anything on CPUs, in integers only.

    import intsam

    with intsam.Model("vit_b.isam") as model, intsam.Session(model) as session:
        session.set_image(intsam.read_image("photo.jpg"))       # once per photo: the slow part
        result = session.predict(points=[[420, 310]])           # per click or box: milliseconds
        mask = result.mask()                                    # bool [height, width]
"""
from ._binding import lib as _lib
from ._binding import text as _text
from .automatic import SamAutomaticMaskGenerator
from .converting import convert
from .errors import (
    ArgumentError,
    Cancelled,
    DamagedError,
    Error,
    FileError,
    InternalError,
    ResourceError,
    UnsupportedError,
)
from .everything import EverythingOptions, FoundMask
from .images import read_image
from .mask import Mask, Ring
from .model import Model, ModelInfo
from .predictor import SamPredictor
from .prompts import Prompt
from .result import Result
from .sam import (
    Sam,
    build_sam,
    build_sam_vit_b,
    build_sam_vit_h,
    build_sam_vit_l,
    build_sam_vit_t,
    sam_model_registry,
)
from .session import Session

__version__ = _text(_lib.intsam_version())

__all__ = [
    "ArgumentError",
    "Cancelled",
    "DamagedError",
    "Error",
    "EverythingOptions",
    "FileError",
    "FoundMask",
    "InternalError",
    "Mask",
    "Model",
    "ModelInfo",
    "Prompt",
    "ResourceError",
    "Result",
    "Ring",
    "Sam",
    "SamAutomaticMaskGenerator",
    "SamPredictor",
    "Session",
    "UnsupportedError",
    "build_sam",
    "build_sam_vit_b",
    "build_sam_vit_h",
    "build_sam_vit_l",
    "build_sam_vit_t",
    "convert",
    "read_image",
    "sam_model_registry",
]
