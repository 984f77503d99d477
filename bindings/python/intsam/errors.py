"""What goes wrong, as exceptions. Each carries the sentence of the library, and in `status` the exit code that the
command-line tools end with for the same mistake."""
from __future__ import annotations


class Error(Exception):
    """The base of all exceptions of this package."""

    status = 70


class ArgumentError(Error, ValueError):
    """A bad argument: a wrong shape, type or value, or a call that is not possible now."""

    status = 2


class FileError(Error, OSError):
    """A file cannot be read."""

    status = 3


class DamagedError(Error, ValueError):
    """A damaged or hostile model or embedding."""

    status = 4


class UnsupportedError(Error):
    """Well formed, but not supported: a version, a size, a CPU."""

    status = 5


class ResourceError(Error, MemoryError):
    """Out of memory, or over a limit."""

    status = 6


class InternalError(Error, RuntimeError):
    """A bug in intsam: please report it."""

    status = 70


class Cancelled(Error):
    """A callback said stop."""

    status = 130


BY_STATUS = {kind.status: kind for kind in (ArgumentError, FileError, DamagedError, UnsupportedError, ResourceError,
                                            InternalError, Cancelled)}
