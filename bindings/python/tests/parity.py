"""Against the original package: the same calls on `segment_anything` with a checkpoint and on intsam with the integer
model that was made from it.

  parity.py --model sam_tiny.isam --checkpoint models/sam_tiny.safetensors --config models/sam_tiny.json PHOTO...

Compares types, shapes and attributes, which must be the same, and masks and scores, which differ by what quantization
costs: prints the mean IoU of masks and the mean difference of scores, and fails beyond --min-iou and --max-score. Exits
with 77 (skipped) where torch, segment_anything or safetensors are not installed.
"""
import argparse
import json
import sys

import numpy as np

import intsam

SKIPPED = 77


def original(config, checkpoint):
    """The checkpoint in the original package's modules; the config has its arguments, for sizes it has no name for."""
    from functools import partial

    import torch
    from safetensors.torch import load_file
    from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

    side, channels = config["image_size"], config["prompt_embed_dim"]
    grid = side // config["patch_size"]
    sam = Sam(
        ImageEncoderViT(
            img_size=side, patch_size=config["patch_size"], embed_dim=config["embed_dim"], depth=config["depth"],
            num_heads=config["num_heads"], mlp_ratio=config["mlp_ratio"], out_chans=channels, qkv_bias=True,
            norm_layer=partial(torch.nn.LayerNorm, eps=1e-6), use_rel_pos=True, window_size=config["window_size"],
            global_attn_indexes=config["global_attn_indexes"]),
        PromptEncoder(embed_dim=channels, image_embedding_size=(grid, grid), input_image_size=(side, side),
                      mask_in_chans=config["mask_in_chans"]),
        MaskDecoder(
            transformer_dim=channels, num_multimask_outputs=config["num_multimask_outputs"],
            iou_head_depth=config["iou_head_depth"], iou_head_hidden_dim=config["iou_head_hidden_dim"],
            transformer=TwoWayTransformer(depth=config["decoder_depth"], embedding_dim=channels,
                                          mlp_dim=config["decoder_mlp_dim"], num_heads=config["decoder_num_heads"])))
    sam.load_state_dict(load_file(checkpoint))
    return sam.eval()


def iou(left, right):
    union = np.logical_or(left, right).sum()
    return 1.0 if union == 0 else np.logical_and(left, right).sum() / union


class Comparison:
    def __init__(self):
        self.ious, self.scores = [], []

    def same(self, what, left, right):
        if left != right:
            raise SystemExit(f"{what}: {left} and {right}")

    def answers(self, what, ours, theirs):
        for name, left, right in zip(("masks", "scores", "logits"), ours, theirs, strict=True):
            self.same(f"{what}: type of {name}", type(left), type(right))
            self.same(f"{what}: shape of {name}", tuple(left.shape), tuple(right.shape))
            self.same(f"{what}: values of {name}", left.dtype, right.dtype)
        masks = [np.asarray(masks).reshape(-1, *masks.shape[-2:]) > 0 for masks in (ours[0], theirs[0])]
        self.ious += [iou(left, right) for left, right in zip(*masks, strict=True)]
        self.scores.append(np.abs(np.asarray(ours[1]) - np.asarray(theirs[1])).mean())


def predictions(both, image, compare):
    """The calls of the original's predictor notebook."""
    import torch

    height, width = image.shape[:2]
    point, label = np.array([[width // 2, height // 2]]), np.array([1])
    two, labels = np.array([[width // 2, height // 2], [width // 8, height // 8]]), np.array([1, 0])
    box = np.array([width // 5, height // 5, width * 4 // 5, height * 4 // 5])
    boxes = np.array([box, [0, 0, width // 2, height // 2], [width // 3, height // 3, width, height]])
    for predictor in both:
        predictor.set_image(image)
    ours, theirs = both
    for name in ("original_size", "input_size", "is_image_set"):
        compare.same(name, getattr(ours, name), getattr(theirs, name))
    for name in ("shape", "dtype", "device"):
        compare.same(f"features.{name}", getattr(ours.features, name), getattr(theirs.features, name))

    def each(what, call):
        compare.answers(what, *(call(predictor) for predictor in both))

    each("a point", lambda p: p.predict(point_coords=point, point_labels=label, multimask_output=True))
    each("logits", lambda p: p.predict(point, label, return_logits=True))
    # The same logits for both: what is refined must not differ.
    _, scores, logits = theirs.predict(point, label)
    best = logits[np.argmax(scores)][None]
    each("a point refined", lambda p: p.predict(point, label, mask_input=best, multimask_output=False))
    each("two points", lambda p: p.predict(two, labels, multimask_output=False))
    each("a box", lambda p: p.predict(box=box[None], multimask_output=False))
    each("a box and a point", lambda p: p.predict(point, np.array([0]), box, multimask_output=False))
    each("boxes", lambda p: p.predict_torch(
        None, None, p.transform.apply_boxes_torch(torch.tensor(boxes), image.shape[:2]), multimask_output=False))

    def forward(predictor):
        resized = predictor.transform.apply_image(image)
        record = {
            "image": torch.as_tensor(resized).permute(2, 0, 1).contiguous(),
            "boxes": predictor.transform.apply_boxes_torch(torch.tensor(boxes), image.shape[:2]),
            "original_size": image.shape[:2],
        }
        with torch.no_grad():
            [output] = predictor.model([record], multimask_output=False)
        return output["masks"], output["iou_predictions"], output["low_res_logits"]

    each("batched input", forward)


def records(generators, image, compare):
    """The automatic mask generator: types of the records, and how many of the original's masks are found."""
    ours, theirs = (generator.generate(image) for generator in generators)
    print(f"everything: {len(ours)} masks, the original {len(theirs)}")
    if not ours or not theirs:
        raise SystemExit("everything: nothing was found")
    for name, value in theirs[0].items():
        compare.same(f"type of {name}", type(ours[0][name]), type(value))
    compare.same("keys", sorted(ours[0]), sorted(theirs[0]))
    compare.same("types in bbox", {type(v) for v in ours[0]["bbox"]}, {type(v) for v in theirs[0]["bbox"]})
    found = [max(iou(record["segmentation"], other["segmentation"]) for other in ours) for record in theirs]
    print(f"everything: {np.mean(np.array(found) > 0.8):.2f} of the original's masks have one with an IoU above 0.8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--config", required=True)
    parser.add_argument("--min-iou", type=float, default=0.9)
    parser.add_argument("--max-score", type=float, default=0.02)
    parser.add_argument("photos", nargs="+")
    options = parser.parse_args()
    try:
        import safetensors  # noqa: F401
        import segment_anything
        import torch  # noqa: F401
    except ImportError as error:
        print(f"skipped: {error}")
        return SKIPPED

    with open(options.config, encoding="utf-8") as file:
        theirs = original(json.load(file), options.checkpoint)
    ours = intsam.sam_model_registry["vit_b"](checkpoint=options.model)
    compare = Comparison()
    compare.same("device", ours.device, theirs.device)
    both = intsam.SamPredictor(ours), segment_anything.SamPredictor(theirs)
    for path in options.photos:
        predictions(both, intsam.read_image(path), compare)
    arguments = {"points_per_side": 8, "pred_iou_thresh": 0.3, "stability_score_thresh": 0.7}
    generators = (intsam.SamAutomaticMaskGenerator(ours, **arguments),
                  segment_anything.SamAutomaticMaskGenerator(theirs, **arguments))
    records(generators, intsam.read_image(options.photos[0]), compare)
    print(f"{len(compare.ious)} masks: mean IoU {np.mean(compare.ious):.4f}, least {np.min(compare.ious):.4f}, "
          f"scores differ by {np.mean(compare.scores):.4f}")
    return int(np.mean(compare.ious) < options.min_iou or np.mean(compare.scores) > options.max_score)


if __name__ == "__main__":
    sys.exit(main())
