"""Segment Anything on CPUs, in integers only.

    import intsam

    with intsam.Model("vit_b.isam") as model, intsam.Session(model) as session:
        session.set_image(intsam.read_image("photo.jpg"))       # once per photo: the slow part
        result = session.predict(points=[[420, 310]])           # per click or box: milliseconds
        mask = result.mask()                                    # bool [height, width]
"""
from ._binding import lib as _lib
from ._binding import text as _text
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
from .images import read_image
from .mask import Mask, Ring
from .model import Model, ModelInfo
from .prompts import Prompt
from .session import Result, Session

__version__ = _text(_lib.intsam_version())

__all__ = [
    "ArgumentError",
    "Cancelled",
    "DamagedError",
    "Error",
    "FileError",
    "InternalError",
    "Mask",
    "Model",
    "ModelInfo",
    "Prompt",
    "ResourceError",
    "Result",
    "Ring",
    "Session",
    "UnsupportedError",
    "read_image",
]
