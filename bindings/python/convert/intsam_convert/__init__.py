"""The program intsam-convert, which makes integer models of SAM checkpoints."""
from __future__ import annotations

import os
import pathlib
import subprocess
import sys


def program() -> str:
    """The path of the program."""
    return str(pathlib.Path(__file__).with_name("intsam-convert"))


def main() -> None:
    """The command: the program in the place of this process, or, on systems without exec, its exit code."""
    if sys.platform == "win32":
        sys.exit(subprocess.call([program(), *sys.argv[1:]]))
    os.execv(program(), ["intsam-convert", *sys.argv[1:]])
