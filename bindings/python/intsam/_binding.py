"""The C library, and what every call on it needs: text of both sides, and errors as exceptions."""
from __future__ import annotations

from typing import Any

from . import errors
from ._intsam import ffi, lib

__all__ = ["check", "contiguous", "ffi", "lib", "open_handle", "text"]

# A sentence names a file, whose path has at most 4096 bytes on Linux.
_SENTENCE_BYTES = 8192


def text(pointer: Any) -> str:
    """A C string as str. Paths in sentences may hold bytes that are no UTF-8; they are shown as escapes."""
    return "" if pointer == ffi.NULL else ffi.string(pointer).decode("utf-8", "backslashreplace")


def contiguous(name: str, data: Any) -> memoryview:
    """The bytes of a bytes-like object, one after the other. Raises TypeError for what has none."""
    view = memoryview(data)
    if not view.c_contiguous:
        raise errors.ArgumentError(f"{name}: the bytes do not lie one after the other")
    return view


def check(status: int, sentence: str = "") -> None:
    """Raises the exception of a status that is not OK."""
    if status != lib.INTSAM_OK:
        kind = errors.BY_STATUS.get(status, errors.InternalError)
        raise kind(sentence or f"status {status} of the library")


def open_handle(kind: str, function: Any, *arguments: Any) -> Any:
    """The handle that `function(*arguments, &handle, error, error_size)` creates; `kind` is its C type."""
    handle = ffi.new(f"{kind}**")
    error = ffi.new("char[]", _SENTENCE_BYTES)
    check(function(*arguments, handle, error, _SENTENCE_BYTES), text(error))
    return handle[0]
