"""Converting checkpoints, with the program intsam-convert."""
from __future__ import annotations

import os
import pathlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from . import errors

_PREFIX = "intsam-convert: "


def _program() -> str:
    found = shutil.which("intsam-convert")
    if found is not None:
        return found
    try:
        import intsam_convert
    except ImportError:
        raise errors.FileError("intsam-convert: is not on PATH, and the package intsam-convert is not installed") from None
    return intsam_convert.program()


def convert(
    checkpoint: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    calib: str | os.PathLike[str],
    bits: str = "w8a8",
    options: Sequence[str] = (),
    quiet: bool = False,
) -> pathlib.Path:
    """Makes an integer model of a checkpoint, as `intsam-convert` does; the path of the model.

    checkpoint: .pth or .safetensors. output: the .isam file, which is written whole or not at all.
    calib: a folder with some photos like those to be segmented; 32 are taken.
    bits: of weights and activations, such as "w8a8" or "w6a6".
    options: further words for the program (`intsam-convert --help`).
    quiet: leaves out the program's words on standard error.

    The program is looked for on PATH, then in the package intsam-convert; without both, FileError. Raises what the
    program ends with: FileError for files that cannot be read or written, DamagedError and UnsupportedError for
    checkpoints, ResourceError. Takes minutes for a real SAM, on all cores.
    """
    command = [_program(), "--output", os.fspath(output), "--calib", os.fspath(calib), "--bits", bits,
               *(["--quiet"] if quiet else []), *options, "--", os.fspath(checkpoint)]
    last = ""
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="backslashreplace") as process:
        try:
            for line in process.stderr or ():
                last = line.strip() or last
                if not quiet:
                    print(line, end="", file=sys.stderr)
        except BaseException:
            process.send_signal(signal.SIGINT)  # it removes what it has half written
            raise
    if process.returncode:
        kind: Any = errors.BY_STATUS.get(process.returncode, errors.InternalError)
        raise kind(last.removeprefix(_PREFIX) or f"intsam-convert ended with {process.returncode}")
    return pathlib.Path(output)

