"""How many of the masks that the original package's everything mode finds are found again: by intsam-everything, and by
the original itself when its image embedding is rounded to half precision, changed by a little noise or replaced by
intsam's, or weights of its decoder are rounded to 8 bits.

  everything_agreement.py BIN MODEL.isam [PHOTO...]      needs what requirements*.txt of this folder name

The model is the bundled sam_tiny, the photos are the bundled ones. A mask counts as found if one of the others has an
IoU of at least 0.9 with it. Prints Markdown for docs/accuracy.md. Takes a minute per row.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import torch
from PIL import Image
from safetensors.torch import load_file
from segment_anything import SamAutomaticMaskGenerator

import measure
import models
import original_sam

THRESHOLDS = models.EVERYTHING_THRESHOLDS["tiny"]
FOUND = 0.9


def integers(program, model, photo):
    options = [word for name, value in THRESHOLDS.items() for word in ("--" + name.replace("_", "-"), str(value))]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, model, photo, "-o", folder, "--overwrite", "-q", *options], check=True)
        files = (pathlib.Path(folder) / photo.stem).glob("*.png")
        return [numpy.array(Image.open(file)) > 0 for file in files]


def embedding_of(programs, model, photo, shape):
    """What intsam's encoder gives, in the original's order."""
    inspected = subprocess.run([programs / "intsam-inspect", model, "--json"], check=True, capture_output=True)
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "embedding"
        subprocess.run([programs / "intsam-segment", model, photo, "--save-embedding", file, "-q"], check=True)
        codes = measure.saved_embedding(file, shape.numel())
    _, channels, rows, columns = shape
    values = codes.reshape(rows, columns, channels).transpose(2, 0, 1) * json.loads(inspected.stdout)["units"]["key"]
    return torch.from_numpy(values).float()[None]


class Original:
    """The package with a change to the image embedding: None, a type to round to, the relative size of noise, or a
    function of the photo and the shape that gives another one."""

    def __init__(self, sam):
        self.sam = sam
        self.encode = sam.image_encoder.forward

    def masks(self, photo, change):
        generator = torch.Generator().manual_seed(1)

        def encode(x):
            embedding = self.encode(x)
            if isinstance(change, torch.dtype):
                return embedding.to(change).float()
            if callable(change):
                return change(photo, embedding.shape)
            if change is not None:
                noise = torch.randn(embedding.shape, generator=generator)
                embedding = embedding + noise * (change * embedding.norm() / noise.norm())
            return embedding

        self.sam.image_encoder.forward = encode
        rgb = numpy.array(Image.open(photo).convert("RGB"))
        return [found["segmentation"] for found in SamAutomaticMaskGenerator(self.sam, **THRESHOLDS).generate(rgb)]


def with_part_in_8_bits(part):
    """The original whose weights of this part of the decoder are codes of 8 bits, with a scale per output channel."""
    weights = load_file(models.BUNDLED)
    for name, weight in weights.items():
        if part not in name or not name.endswith("weight") or weight.dim() < 2:
            continue
        # Transposed convolutions, [in][out][2][2], are layers with an output for each position.
        dims = [0] if part == "output_upscaling" else list(range(1, weight.dim()))
        scale = (weight.abs().amax(dim=dims, keepdim=True) / 127).clamp(min=1e-12)
        weights[name] = (weight / scale).round() * scale
    return Original(original_sam.set_weights(original_sam.build(models.config_of("tiny")), weights))


def best_ious(wanted, found):
    """For each mask of the first list the IoU with the closest one of the second."""
    if not wanted or not found:
        return [0.0] * len(wanted)
    a = torch.from_numpy(numpy.stack(wanted).reshape(len(wanted), -1)).float()
    b = torch.from_numpy(numpy.stack(found).reshape(len(found), -1)).float()
    both = a @ b.T
    return (both / (a.sum(1)[:, None] + b.sum(1)[None] - both)).max(1).values.tolist()


def row(name, references, others):
    ious = [iou for wanted, found in zip(references, others) for iou in best_ious(wanted, found)]
    print(f"| {name} | {sum(map(len, others))} | {sum(iou >= FOUND for iou in ious) / len(ious):.3f} "
          f"| {sum(iou >= 0.75 for iou in ious) / len(ious):.3f} | {numpy.median(ious):.3f} |", flush=True)


def main():
    programs, model = pathlib.Path(sys.argv[1]), sys.argv[2]
    photos = [pathlib.Path(photo) for photo in sys.argv[3:]] or sorted(
        file for file in (models.ROOT / "models" / "photos").iterdir() if file.suffix in (".png", ".jpg"))
    sam = original_sam.set_weights(original_sam.build(models.config_of("tiny")), load_file(models.BUNDLED))
    original = Original(sam)
    with torch.inference_mode():
        references = [original.masks(photo, None) for photo in photos]
        print("| system | masks | found at IoU 0.9 | at 0.75 | median IoU |\n|---|---|---|---|---|")
        row("original, FP32", references, references)
        for name, change in [("embedding in half precision (fp16)", torch.float16), ("in bf16", torch.bfloat16),
                             *((f"with {noise:.1%} of noise", noise) for noise in (0.001, 0.003, 0.005, 0.01))]:
            row(f"original, {name}", references, [original.masks(photo, change) for photo in photos])
        for name, part in [("decoder", "mask_decoder"), ("transformer", "transformer"),
                           ("IoU head", "iou_prediction_head"), ("hypernetworks", "output_hypernetworks"),
                           ("upscaling", "output_upscaling")]:
            rounded = with_part_in_8_bits(part)
            row(f"original, weights of the {name} in 8 bits", references,
                [rounded.masks(photo, None) for photo in photos])
        row("original, intsam's embedding", references,
            [original.masks(photo, lambda *asked: embedding_of(programs, model, *asked)) for photo in photos])
        row("intsam", references, [integers(programs / "intsam-everything", model, photo) for photo in photos])


if __name__ == "__main__":
    main()
