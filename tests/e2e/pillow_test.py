"""Pictures in every style that Pillow writes, decoded by decode_photos and by Pillow: the same pixels.

pillow_test.py DECODE_PHOTOS. Without Pillow for the Python of this test or that of the system: exit code 77, skipped.
"""

import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SYSTEM_PYTHON = "/usr/bin/python3"
SKIPPED = 77

try:
    from PIL import Image, ImageOps, features
except ImportError:
    if sys.executable != SYSTEM_PYTHON and "INTSAM_TRIED_PILLOW" not in os.environ and os.path.exists(SYSTEM_PYTHON):
        os.environ["INTSAM_TRIED_PILLOW"] = "1"
        os.execv(SYSTEM_PYTHON, [SYSTEM_PYTHON, "-B", *sys.argv])
    print("skipped: no Pillow (Debian, Ubuntu: python3-pil)")
    sys.exit(SKIPPED)

ORIENTATION = 0x0112


def gradient(mode="RGB", size=(61, 47)):
    picture = Image.new("RGB", size)
    picture.putdata(
        [(x * 255 // size[0], y * 255 // size[1], x * y % 256) for y in range(size[1]) for x in range(size[0])]
    )
    if mode in ("LA", "RGBA"):
        alpha = Image.linear_gradient("L").resize(size)
        picture = picture.convert(mode)
        picture.putalpha(alpha)
        return picture
    return picture.convert("P", palette=Image.ADAPTIVE) if mode == "P" else picture.convert(mode)


class Pixels(unittest.TestCase):
    decode = None

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.dir = pathlib.Path(scratch.name)
        self.paths = []

    def save(self, picture, name, **options):
        picture.save(self.dir / name, **options)
        self.paths.append(self.dir / name)

    def check(self):
        lines = subprocess.run([self.decode, *self.paths], capture_output=True, check=True).stdout.decode().splitlines()
        self.assertEqual(len(lines), len(self.paths))
        for path, line in zip(self.paths, lines):
            with Image.open(path) as opened:
                expected = ImageOps.exif_transpose(opened.convert("RGB") if opened.mode != "RGB" else opened)
                expected = expected if expected is not None else opened
                rgb = expected.tobytes()
                what = f"{expected.width} {expected.height} {hashlib.sha256(rgb).hexdigest()}"
            with self.subTest(path.name):
                self.assertEqual(line, what)

    def test_png(self):
        for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
            self.save(gradient(mode), f"{mode}.png")
        self.save(gradient("P"), "few.png", bits=4)
        self.save(gradient("L"), "transparent.png", transparency=7)
        self.save(gradient(), "icc.png", icc_profile=b"not a profile")
        self.check()

    def test_jpeg(self):
        for subsampling in (0, 1, 2):
            for quality in (30, 75, 100):
                self.save(gradient(), f"s{subsampling}q{quality}.jpg", subsampling=subsampling, quality=quality)
            self.save(gradient(), f"s{subsampling}p.jpg", subsampling=subsampling, progressive=True)
        self.save(gradient("L"), "gray.jpg")
        self.save(gradient("L"), "gray_progressive.jpg", progressive=True, optimize=True)
        self.save(gradient("CMYK"), "cmyk.jpg")
        self.save(gradient(size=(1, 33)), "narrow.jpg")
        self.save(gradient(size=(33, 1)), "flat.jpg")
        self.check()

    def test_cmyk_without_marker(self):
        self.save(gradient("CMYK"), "cmyk.jpg")
        data = self.paths[0].read_bytes()
        at = data.index(b"\xff\xee")
        self.paths[0].write_bytes(data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :])
        self.check()

    def test_surplus_bytes(self):
        self.save(gradient(), "drone.jpg")
        data = self.paths[0].read_bytes()
        self.paths[0].write_bytes(data[:-2] + bytes(16) + b"\xff\x00" + bytes(16) + b"\xff\xd9")
        self.check()

    def test_orientation(self):
        for orientation in range(1, 9):
            for format in ("jpg", "png", "webp" if features.check("webp") else "png"):
                exif = Image.Exif()
                exif[ORIENTATION] = orientation
                self.save(gradient(), f"o{orientation}.{format}", exif=exif)
        self.check()

    def test_tiff(self):
        for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK"):
            for compression in ("raw", "packbits", "tiff_lzw", "tiff_adobe_deflate"):
                self.save(gradient(mode), f"{mode}_{compression}.tif", compression=compression)
        self.save(gradient("1"), "fax.tif", compression="group4")
        self.save(gradient("RGB"), "jpeg.tif", compression="jpeg")
        self.save(gradient("L"), "jpeg_gray.tif", compression="jpeg")
        self.save(gradient(), "pages.tif", save_all=True, append_images=[gradient("L")])
        self.check()

    def test_webp(self):
        if not features.check("webp"):
            self.skipTest("Pillow without WebP")
        for lossless in (False, True):
            self.save(gradient(), f"rgb{lossless}.webp", lossless=lossless)
            self.save(gradient("RGBA"), f"rgba{lossless}.webp", lossless=lossless, exact=True)
        self.save(gradient(), "moves.webp", save_all=True, append_images=[gradient("L").convert("RGB")], lossless=True)
        self.check()


if __name__ == "__main__":
    Pixels.decode = sys.argv.pop(1)
    unittest.main()
