#!/usr/bin/env python3
"""Downloads an official checkpoint of SAM or MobileSAM and checks it.

  models/fetch.py --list
  models/fetch.py vit_b [--to DIR]

What may be downloaded, and the size, SHA-256 and (where its name begins with it) MD5 it must have, is in manifest.json
beside this file. A download goes to a temporary file and gets its name only after every check; a file that is already
there is checked and not downloaded again. Standard library only.
"""
import argparse
import hashlib
import json
import os
import pathlib
import sys
import tempfile
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
CHUNK = 1 << 20


class FetchError(Exception):
    """One sentence for the user; exit_code as in the tools of intsam (3: cannot read or write, 4: damaged)."""

    def __init__(self, exit_code, message):
        super().__init__(message)
        self.exit_code = exit_code


def digests():
    return hashlib.sha256(), hashlib.md5(usedforsecurity=False)


def check(entry, name, size, sha256, md5):
    """The file's size and hashes against the manifest's entry."""
    if size != entry["bytes"]:
        raise FetchError(4, f"{name}: size: expected {entry['bytes']} bytes, found {size}")
    if sha256.hexdigest() != entry["sha256"]:
        raise FetchError(4, f"{name}: SHA-256: expected {entry['sha256']}, found {sha256.hexdigest()}")
    if not md5.hexdigest().startswith(entry.get("md5_prefix", "")):
        raise FetchError(4, f"{name}: MD5: expected {entry['md5_prefix']}..., found {md5.hexdigest()}")


def copy(source, sink, total, progress):
    """Copies source to sink (None: reads only), returns (size, sha256, md5). Stops at the first byte too many."""
    sha256, md5 = digests()
    size = 0
    while size <= total:
        block = source.read(CHUNK)
        if not block:
            break
        size += len(block)
        sha256.update(block)
        md5.update(block)
        if sink:
            sink.write(block)
        if progress:
            print(f"\r{size / 1e6:9.1f} of {total / 1e6:.1f} MB", end="", file=sys.stderr, flush=True)
    if progress:
        print(file=sys.stderr)
    return size, sha256, md5


def fetch(entry, folder, progress=False):
    """Returns the path of the checked file in `folder`, downloading it when it is not there."""
    target = folder / entry["file"]
    if target.exists():
        with open(target, "rb") as present:
            check(entry, target, *copy(present, None, entry["bytes"], False))
        return target
    temporary = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=entry["file"] + ".", suffix=".part", dir=folder)
        with os.fdopen(handle, "wb") as sink:
            with urllib.request.urlopen(entry["url"], timeout=60) as source:
                found = copy(source, sink, entry["bytes"], progress)
            sink.flush()
            os.fsync(sink.fileno())
        check(entry, entry["url"], *found)
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
        temporary = None
    except (OSError, urllib.error.URLError) as error:
        raise FetchError(3, f"{entry['url']}: cannot fetch: {getattr(error, 'reason', None) or error}") from error
    finally:
        if temporary:
            os.unlink(temporary)
    return target


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Download an official checkpoint of SAM or MobileSAM and check it.")
    parser.add_argument("model", nargs="?", help="a name from --list")
    parser.add_argument("--list", action="store_true", help="print what can be fetched")
    parser.add_argument("--to", type=pathlib.Path, default=HERE / "fetched", help="folder (default: models/fetched)")
    parser.add_argument("--manifest", type=pathlib.Path, default=HERE / "manifest.json")
    options = parser.parse_args(arguments)
    models = {entry["name"]: entry for entry in json.loads(options.manifest.read_text())["models"]}
    if options.list:
        for entry in models.values():
            print(f"{entry['name']:10} {entry['bytes'] / 1e6:8.1f} MB  {entry['licence']}  {entry['url']}")
        return 0
    if options.model not in models:
        parser.error(f"which model? one of: {', '.join(models)}")
    try:
        print(fetch(models[options.model], options.to, progress=sys.stderr.isatty()))
    except FetchError as error:
        print(f"fetch.py: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
