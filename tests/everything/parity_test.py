"""The original package's automatic mask generator and everything mode, on the same low-resolution logits and predicted
IoUs: same masks, boxes, areas, scores and order, exactly. The logits are enlarged here as docs/numerics.md section 12
defines it, in int64, and the original's own code does the rest.

  parity_test.py EVERYTHING_DUMP MODEL.isam

Skipped where PyTorch, torchvision or segment_anything cannot be imported; the removal of small regions also needs cv2.
"""
import fractions
import math
import pathlib
import subprocess
import sys
import tempfile
import types

SKIPPED = 77

try:
    import numpy as np
    import torch
    from segment_anything import SamAutomaticMaskGenerator
except ImportError as missing:
    print(f"parity_test: skipped: {missing}")
    sys.exit(SKIPPED)

Q30 = 1 << 30
DEFAULTS = {"points_per_side": 32, "points_per_batch": 64, "pred_iou_thresh": 0.88, "stability_score_thresh": 0.95,
            "stability_score_offset": 1.0, "box_nms_thresh": 0.7, "crop_n_layers": 0, "crop_nms_thresh": 0.7,
            "crop_overlap_ratio": 512 / 1500, "crop_n_points_downscale_factor": 1, "min_mask_region_area": 0}


def in_integers(options):
    """The options as intsam_everything_options has them: shares to be exceeded are rounded up, those to be reached down."""
    o = {**DEFAULTS, **options}
    for name in ("pred_iou_thresh", "stability_score_thresh"):
        o[name] = math.floor(fractions.Fraction(str(o[name])) * Q30)
    for name in ("box_nms_thresh", "crop_nms_thresh"):
        o[name] = math.ceil(fractions.Fraction(str(o[name])) * Q30)
    o["crop_overlap_ratio"] = math.ceil(o["crop_overlap_ratio"] * Q30)
    o["stability_score_offset"] = round(o["stability_score_offset"] * 65536)
    return [o[name] for name in DEFAULTS]


# ------------------------------------------------------------------ section 12, every pixel computed

def upsampled(logits):
    """x4 with weights in eighths: [side, side] to [4 side, 4 side]."""
    side = logits.shape[0]
    out = np.arange(4 * side)
    source, second = out // 4, np.array([5, 7, 1, 3])[out % 4]
    first = np.where(out % 4 < 2, np.maximum(source - 1, 0), source)
    then = np.where(out % 4 < 2, source, np.minimum(source + 1, side - 1))
    rows = logits[first] * (8 - second)[:, None] + logits[then] * second[:, None]
    return (rows[:, first] * (8 - second) + rows[:, then] * second + 32) >> 6


def taps(n_in, n_out):
    o = np.arange(n_out, dtype=np.int64)
    num = np.maximum((2 * o + 1) * n_in - n_out, 0)
    first = num // (2 * n_out)
    weight = ((num - 2 * n_out * first << 13) + 2 * n_out) // (4 * n_out)
    return first, np.minimum(first + 1, n_in - 1), weight


def enlarged(logits, resized, original):
    """In units of the logits / 4096."""
    u = upsampled(logits.astype(np.int64))[:resized[0], :resized[1]]
    first, second, w = taps(resized[0], original[0])
    v = (u[first] * (4096 - w)[:, None] + u[second] * w[:, None] + 2048) >> 12
    first, second, w = taps(resized[1], original[1])
    return v[:, first] * (4096 - w) + v[:, second] * w


# ------------------------------------------------------------------ the original on these logits

class Dump:
    def __init__(self, program, model, rgb, folder):
        self.program, self.model, self.shape, self.folder = program, model, rgb.shape, folder
        self.pixels = folder / "pixels.rgb"
        self.pixels.write_bytes(rgb.tobytes())

    def run(self, *words):
        out = self.folder / "out"
        done = subprocess.run([self.program, self.model, str(self.pixels), str(self.shape[1]), str(self.shape[0]),
                               str(out), *map(str, words)], check=True, capture_output=True, text=True)
        return out.read_bytes(), done.stdout

    def logits(self, crop, points):
        data, text = self.run("logits", *crop, points)
        image_size, threshold, mantissa, shift = map(int, text.split())
        side = image_size // 4
        record = np.dtype([("iou", "<i4"), ("logits", "<i2", (side, side))])
        return np.frombuffer(data, record), image_size, threshold, (mantissa, shift)


class Predictor:
    """In the place of SamPredictor: answers the points of a crop's grid in their order from the dump."""

    def __init__(self, dump, points_per_side, downscale):
        self.dump, self.points_per_side, self.downscale = dump, points_per_side, downscale
        self.device, self.model = torch.device("cpu"), types.SimpleNamespace(mask_threshold=0)
        self.transform = types.SimpleNamespace(apply_coords=lambda points, size: points)

    def set_crop(self, box, layer):
        self.records, self.image_size, self.model.mask_threshold, self.unit = self.dump.logits(
            box, int(self.points_per_side / self.downscale ** layer))
        self.at = 0

    def set_image(self, image):
        self.size = image.shape[:2]
        scale = self.image_size / max(self.size)
        self.resized = tuple(int(side * scale + 0.5) for side in self.size)

    def reset_image(self):
        pass

    def predict_torch(self, points, labels, multimask_output, return_logits):
        assert multimask_output and return_logits and bool((labels == 1).all())
        records = self.records[self.at:self.at + 3 * len(points)]
        self.at += len(records)
        masks = np.stack([enlarged(r["logits"], self.resized, self.size) for r in records]).astype(np.float64)
        masks = torch.from_numpy(masks).reshape(len(points), 3, *self.size)
        ious = torch.from_numpy(records["iou"].astype(np.float32) / 32768).reshape(len(points), 3)
        return masks, ious, None


def originals(dump, rgb, options):
    encoder = types.SimpleNamespace(img_size=1024)
    model = types.SimpleNamespace(image_encoder=encoder, device="cpu", mask_threshold=0)
    generator = SamAutomaticMaskGenerator(model, output_mode="uncompressed_rle", **{**options, "points_per_batch": 8})
    predictor = Predictor(dump, options["points_per_side"], options.get("crop_n_points_downscale_factor", 1))
    _, _, _, (mantissa, shift) = dump.logits((0, 0, rgb.shape[1], rgb.shape[0]), 1)
    offset = fractions.Fraction(round(options["stability_score_offset"] * 65536) * 2 ** shift, 16 * mantissa)
    generator.stability_score_offset = math.floor(offset + fractions.Fraction(1, 2))  # in units of the logits / 4096
    generator.predictor = predictor
    process = generator._process_crop

    def process_crop(image, box, layer, size):
        predictor.set_crop(box, layer)
        return process(image, box, layer, size)

    generator._process_crop = process_crop
    return generator.generate(rgb)


def compare(name, ours, theirs):
    assert len(ours) == len(theirs), f"{name}: {len(ours)} masks, the original has {len(theirs)}"
    for i, (line, record) in enumerate(zip(ours, theirs)):
        iou, stability, x, y, cx0, cy0, cx1, cy1, x0, y0, x1, y1, area, *lengths = map(int, line.split())
        where = f"{name}, mask {i}"
        assert lengths == record["segmentation"]["counts"], f"{where}: other pixels"
        assert area == record["area"], where
        assert [x0, y0, x1 - x0, y1 - y0] == record["bbox"], f"{where}: {record['bbox']}"
        assert [cx0, cy0, cx1 - cx0, cy1 - cy0] == record["crop_box"], where
        assert iou / 32768 == record["predicted_iou"], where
        assert abs(stability / 65536 - record["stability_score"]) < 2 / 65536, where
        for ours_64, theirs_px in zip((x, y), record["point_coords"][0]):
            assert abs(ours_64 / 64 - theirs_px) <= 1 / 128 + 1e-6, where
    print(f"parity_test: {name}: {len(ours)} masks are the original's")


def picture(width, height):
    """Discs and noise: something to segment, without a file."""
    random = np.random.default_rng(5)
    y, x = np.mgrid[:height, :width]
    rgb = np.zeros((height, width, 3))
    for _ in range(12):
        cx, cy, r = random.integers(width), random.integers(height), random.integers(8, 50)
        rgb[(x - cx) ** 2 + (y - cy) ** 2 < r * r] = random.integers(0, 256, 3)
    return np.clip(rgb + random.normal(0, 6, rgb.shape), 0, 255).astype(np.uint8)


# The masks of the micro model, whose weights are random, fill what it sees: boxes differ little, and crops of a larger
# photo would cut all of them off. So little is suppressed, and the photo with crops is small.
CASES = {
    "no filters": ((230, 171), dict(points_per_side=5, pred_iou_thresh=0.0, stability_score_thresh=0.0,
                                    stability_score_offset=0.03125, box_nms_thresh=1.0)),
    "filters": ((230, 171), dict(points_per_side=7, pred_iou_thresh=0.01, stability_score_thresh=0.45,
                                 stability_score_offset=0.0625, box_nms_thresh=0.999)),
    "few points": ((61, 200), dict(points_per_side=3, pred_iou_thresh=0.0, stability_score_thresh=0.3,
                                   stability_score_offset=0.0625, box_nms_thresh=0.97)),
    "crops": ((46, 40), dict(points_per_side=6, pred_iou_thresh=0.0, stability_score_thresh=0.4,
                             stability_score_offset=0.0625, crop_n_layers=1, crop_n_points_downscale_factor=2,
                             crop_overlap_ratio=0.25, box_nms_thresh=1.0, crop_nms_thresh=0.97)),
    "small regions": ((46, 40), dict(points_per_side=4, pred_iou_thresh=0.0, stability_score_thresh=0.0,
                                     stability_score_offset=0.0625, crop_n_layers=1, crop_overlap_ratio=0.25,
                                     box_nms_thresh=1.0, crop_nms_thresh=1.0, min_mask_region_area=30)),
}


def main(program, model):
    compared = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, (size, options) in CASES.items():
            rgb = picture(*size)
            dump = Dump(program, model, rgb, pathlib.Path(folder))
            try:
                theirs = originals(dump, rgb, options)
            except ImportError as missing:
                print(f"parity_test: {name}: left out: {missing}")
                continue
            ours = dump.run("everything", *in_integers(options))[0].decode().splitlines()
            compare(name, ours, theirs)
            compared += len(ours)
    assert compared > 60, f"{compared} masks are too few to say something"


if __name__ == "__main__":
    main(*sys.argv[1:])
