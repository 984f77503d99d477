"""Model: an .isam file, mapped and checked."""
from __future__ import annotations

import dataclasses
import json
import os
from types import TracebackType
from typing import Any

import numpy as np

from . import errors
from ._binding import check, contiguous, ffi, lib, open_handle, text

# What intsam_model_open_memory asks of an address.
_ALIGNMENT = 64


@dataclasses.dataclass(frozen=True)
class ModelInfo:
    """What a model file says about itself."""

    image_size: int  #: side of the encoder's input; photos are scaled so that their longest side is this
    num_masks: int  #: of one result: index 0 is the single-mask output, 1.. are the alternatives
    low_res_size: int  #: side of the low-resolution masks
    low_res_scale: float  #: a low-resolution logit is an integer times this
    embedding_size: int  #: side of the grid of features that the image encoder gives
    embedding_channels: int  #: features per cell of the grid
    embedding_scale: float  #: a feature is an integer times this
    has_encoder: bool  #: False for a decoder alone, which takes saved embeddings of the whole model and no images
    file_bytes: int  #: size of the file
    provenance: dict[str, Any]  #: source checkpoint, bits, method and calibration, as the converter wrote them


class Model:
    """A model file, mapped into memory and validated as a whole.

    Immutable: any number of sessions, in any number of threads, share it, and so do processes that open the same file
    or are forked afterwards. The file must not change while it is open; to replace it, rename another one over it
    (those who have it open keep the old one). Can be pickled when it was opened from a path, which is opened again.
    """

    def __init__(self, path: str | bytes | os.PathLike[Any]) -> None:
        """Opens the file at `path`.

        Raises FileError when it cannot be read, DamagedError or UnsupportedError when it is no model for this library.
        """
        name = os.fsencode(path)
        if b"\0" in name:
            raise errors.ArgumentError("path: holds a NUL byte")
        self._set(open_handle("intsam_model", lib.intsam_model_open, name), os.fspath(path), None)

    @classmethod
    def from_bytes(cls, data: bytes | bytearray | memoryview) -> Model:
        """A model from the bytes of an .isam file, which are copied. Errors as for a path."""
        view = contiguous("model", data)
        source = np.frombuffer(view, np.uint8) if view.nbytes else np.empty(0, np.uint8)
        room = np.empty(source.size + _ALIGNMENT, np.uint8)
        start = -room.ctypes.data % _ALIGNMENT
        room[start : start + source.size] = source
        model = cls.__new__(cls)
        address = ffi.cast("void*", room.ctypes.data + start)
        model._set(open_handle("intsam_model", lib.intsam_model_open_memory, address, source.size), None, room)
        return model

    def _set(self, pointer: Any, path: str | bytes | None, memory: np.ndarray | None) -> None:
        def close(handle: Any, _memory: np.ndarray | None = memory) -> None:
            lib.intsam_model_close(handle)

        # Sessions hold the pointer, too, so the model is closed when the last of them is.
        self._pointer: Any = ffi.gc(pointer, close)
        self._path = path
        info = ffi.new("intsam_model_info*", {"size": ffi.sizeof("intsam_model_info")})
        lib.intsam_model_get_info(pointer, info)
        provenance = ffi.unpack(info.provenance, info.provenance_size) if info.provenance_size else b"{}"
        self._info = ModelInfo(
            image_size=info.image_size,
            num_masks=info.num_masks,
            low_res_size=info.low_res_size,
            low_res_scale=info.logit_mantissa * 2.0**-info.logit_shift,
            embedding_size=info.embedding_size,
            embedding_channels=info.embedding_channels,
            embedding_scale=info.embedding_mantissa * 2.0**-info.embedding_shift,
            has_encoder=bool(info.has_encoder),
            file_bytes=info.file_bytes,
            provenance=_parse(provenance),
        )

    @property
    def info(self) -> ModelInfo:
        """Sizes, units and origin. Stays readable after close."""
        return self._info

    @property
    def path(self) -> str | bytes | None:
        """The path as it was given, None for a model from bytes."""
        return self._path

    @property
    def closed(self) -> bool:
        """Whether close was called."""
        return self._pointer is None

    def verify(self) -> None:
        """Compares the SHA-256 of the tensor data with the file's own, which reads the whole file.

        Raises DamagedError where they differ.
        """
        error = ffi.new("char[]", 8192)
        check(lib.intsam_model_verify(self._open_pointer(), error, 8192), text(error))

    def close(self) -> None:
        """No new sessions from now on. Those that exist go on; the file is unmapped when the last of them is closed."""
        self._pointer = None

    def _open_pointer(self) -> Any:
        pointer = self._pointer
        if pointer is None:
            raise errors.ArgumentError("the model is closed")
        return pointer

    def __enter__(self) -> Model:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        if self._path is None:
            raise TypeError("a model that was made from bytes cannot be pickled; open it from a path")
        return Model, (self._path,)

    def __repr__(self) -> str:
        bits = self._info.provenance.get("bits", "?")
        state = ", closed" if self.closed else ""
        return f"<intsam.Model {self._path or 'from bytes'}: {bits}, {self._info.image_size} px{state}>"


def _parse(provenance: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(provenance)
    except (ValueError, RecursionError):  # the library promises text only
        return {}
    return parsed if isinstance(parsed, dict) else {}
