#!/usr/bin/env python3
"""Writes resize_goldens.txt: what Pillow's 8-bit bilinear resampler makes of synthetic images.

Usage: python3 tests/image/make_goldens.py > tests/image/resize_goldens.txt
Needs numpy and a Pillow that resamples horizontally first whenever both passes are needed (10.4 does). Newer
releases (13.0, for one) start with the vertical pass for many shrunk tall images; this script checks the order of
every case and stops at the first that differs.

Lines of the file:
  noise SEED W H NW NH SHA256   pixels: Byte(SEED, index), uniform noise
  wave SEED W H NW NH SHA256    a smooth pattern with hard edges
  full SEED W H NW NH HEX       noise, with every byte of the result
  photo NAME W H NW NH SHA256   models/photos/NAME, only where it is present
The C++ test makes the same pixels (resize_test.cc).
"""
import hashlib
import pathlib
import sys

import numpy as np
import PIL
from PIL import Image

SIZES = [  # source width, height, new width, height
    (64, 48, 1024, 768), (48, 64, 768, 1024), (333, 211, 512, 324), (211, 333, 324, 512), (1024, 768, 1024, 768),
    (1023, 767, 1024, 768), (1025, 769, 1024, 768), (1280, 720, 1024, 576), (720, 1280, 576, 1024),
    (640, 480, 512, 384), (451, 300, 512, 341), (2000, 1333, 512, 341), (1333, 2000, 341, 512),
    (1800, 1200, 1024, 683),
    (1, 1, 512, 512), (1, 64, 8, 512), (64, 1, 512, 8), (1, 300, 1, 40), (300, 1, 40, 1), (2, 3, 341, 512),
    (3, 2, 512, 341), (5, 700, 4, 512), (700, 5, 512, 4), (3000, 2, 1024, 1), (2, 3000, 1, 1024), (97, 31, 96, 30),
    (97, 31, 96, 31), (97, 31, 97, 30), (31, 97, 200, 40), (97, 31, 40, 200), (4000, 60, 512, 8), (60, 4000, 8, 512),
    (17, 13, 1, 1), (257, 255, 256, 254), (800, 600, 100, 75),
]
FULL = [(7, 5, 13, 9), (13, 9, 7, 5), (1, 6, 5, 3), (6, 1, 3, 5), (40, 3, 9, 7), (3, 40, 7, 9), (8, 8, 4, 4),
        (9, 4, 9, 8)]
PHOTOS = ["chelsea.png"]


def byte(seed, index):
    """The avalanche hash that resize_test.cc spells in C++."""
    v = (index.astype(np.uint64) * 2654435761 + seed * 40503) & 0xFFFFFFFF
    v ^= v >> 15
    v = v * 0x2C1B3C6D & 0xFFFFFFFF
    v ^= v >> 12
    v = v * 0x297A2D39 & 0xFFFFFFFF
    v ^= v >> 15
    return (v & 255).astype(np.uint8)


def noise(seed, width, height):
    return byte(seed, np.arange(width * height * 3)).reshape(height, width, 3)


def wave(seed, width, height):
    y, x, c = np.ogrid[:height, :width, :3]
    ramp = (x * (3 + c) + y * 5 + seed) & 511
    triangle = np.where(ramp > 255, 511 - ramp, ramp)
    return np.where(((x >> 4) ^ (y >> 3) ^ c) & 1, triangle, 255 - (triangle & 240)).astype(np.uint8)


def resize(pixels, width, height):
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.BILINEAR))


def check_order(pixels, result):
    """A version that passes horizontally first gives the same when asked for the two passes one by one."""
    height, width = result.shape[:2]
    one_by_one = resize(resize(pixels, width, pixels.shape[0]), width, height)
    if not np.array_equal(one_by_one, result):
        sys.exit(f"Pillow {PIL.__version__} does not resample horizontally first at {pixels.shape} -> {result.shape}")


def main():
    print(f"# Pillow {PIL.__version__}, made by tests/image/make_goldens.py")
    for i, (w, h, nw, nh) in enumerate(SIZES):
        for kind in (noise, wave):
            pixels = kind(i, w, h)
            result = resize(pixels, nw, nh)
            check_order(pixels, result)
            print(kind.__name__, i, w, h, nw, nh, hashlib.sha256(result.tobytes()).hexdigest())
    for i, (w, h, nw, nh) in enumerate(FULL):
        pixels = noise(i, w, h)
        result = resize(pixels, nw, nh)
        check_order(pixels, result)
        print("full", i, w, h, nw, nh, result.tobytes().hex())
    photos = pathlib.Path(__file__).resolve().parents[2] / "models" / "photos"
    for name in PHOTOS:
        if (photos / name).exists():
            pixels = np.asarray(Image.open(photos / name).convert("RGB"))
            h, w = pixels.shape[:2]
            for longest in (512, 1024):
                nw, nh = int(w * longest / max(w, h) + 0.5), int(h * longest / max(w, h) + 0.5)
                result = resize(pixels, nw, nh)
                check_order(pixels, result)
                print("photo", name, w, h, nw, nh, hashlib.sha256(result.tobytes()).hexdigest())


if __name__ == "__main__":
    main()
