#!/usr/bin/env python3
"""Masks of the native tool for the web tests to equal: native_masks.py TOOLS SITE OUT

Writes OUT/cases.json, [{model, photo, width, height, rgba, points, box, sha256}], and the photos' pixels in RGBA; and
of the first case's model and photo OUT/decoder.isam and OUT/photo.isemb.
"""

import hashlib
import json
import pathlib
import subprocess
import sys

from PIL import Image

PROMPTS = [
    {"points": [{"x": 200, "y": 150, "label": 1}]},
    {"points": [{"x": 200, "y": 150, "label": 1}, {"x": 60, "y": 240, "label": 0}]},
    {"points": [], "box": [40, 30, 300, 250]},
]


def main():
    tools, site, out = map(pathlib.Path, sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    cases = []
    for photo in ("chelsea.png", "rocket.jpg"):
        picture = Image.open(site / "photos" / photo).convert("RGBA")
        rgba = out / f"{photo}.rgba"
        rgba.write_bytes(picture.tobytes())
        for model in ("sam_tiny_mobile.isam", "sam_tiny.isam"):
            for prompt in PROMPTS:
                words = [f"--point={p['x']},{p['y']},{p['label']}" for p in prompt["points"]]
                if "box" in prompt:
                    words.append("--box=" + ",".join(map(str, prompt["box"])))
                mask = out / "mask.png"
                subprocess.run([tools / "intsam-segment", site / "models" / model, site / "photos" / photo, *words,
                                "--output", mask, "--quiet", "--no-progress"], check=True, stdout=subprocess.DEVNULL)
                cases.append({"model": model, "photo": photo, "width": picture.width, "height": picture.height,
                              "rgba": rgba.name, **prompt,
                              "sha256": hashlib.sha256(Image.open(mask).tobytes()).hexdigest()})
    model, photo = site / "models" / cases[0]["model"], site / "photos" / cases[0]["photo"]
    for command in (["intsam-convert", model, "--part", "decoder", "-o", out / "decoder.isam", "-q"],
                    ["intsam-segment", model, photo, "--save-embedding", out / "photo.isemb", "-q"]):
        subprocess.run([tools / command[0], *command[1:]], check=True)
    (out / "cases.json").write_text(json.dumps(cases, indent=1))


if __name__ == "__main__":
    main()
