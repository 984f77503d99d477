"""The models that are measured: their configurations, and how their random weights are drawn. Standard library only."""
import json
import math
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUNDLED = ROOT / "models" / "sam_tiny.safetensors"


def _official(**encoder):
    return {
        "image_size": 1024, "patch_size": 16, "prompt_embed_dim": 256, "decoder_depth": 2, "decoder_mlp_dim": 2048,
        "decoder_num_heads": 8, "num_multimask_outputs": 3, "iou_head_depth": 3, "iou_head_hidden_dim": 256,
        "mask_in_chans": 16, "mlp_ratio": 4, **encoder,
    }


def _vit(embed_dim, depth, num_heads, global_attn_indexes):
    return _official(embed_dim=embed_dim, depth=depth, num_heads=num_heads, window_size=14,
                     global_attn_indexes=global_attn_indexes)


# As segment_anything/build_sam.py and mobile_sam/build_sam.py have them.
OFFICIAL = {
    "vit_b": _vit(768, 12, 12, [2, 5, 8, 11]),
    "vit_l": _vit(1024, 24, 16, [5, 11, 17, 23]),
    "vit_h": _vit(1280, 32, 16, [7, 15, 23, 31]),
    "mobile_sam": _official(
        image_encoder="tiny_vit", embed_dims=[64, 128, 160, 320], depths=[2, 2, 6, 2], num_heads=[2, 4, 5, 10],
        window_sizes=[7, 7, 14, 7], mbconv_expand_ratio=4, local_conv_size=3),
}
NAMES = ("tiny", *OFFICIAL)


# Everything mode's thresholds where the originals' defaults would find nothing: the bundled model's logits are soft.
EVERYTHING_THRESHOLDS = {
    "tiny": {"pred_iou_thresh": 0.3, "stability_score_thresh": 0.6, "stability_score_offset": 0.25}}


def config_of(model):
    return OFFICIAL[model] if model in OFFICIAL else json.loads(BUNDLED.with_suffix(".json").read_text())


def moments(name, shape):
    """Mean and deviation of a random tensor, as in converter/checkpoint/synthetic.cc: the package's own initial values
    (zeros and truncated normals) give activations that no trained model has."""
    if name.endswith("gaussian_matrix"):
        return 0, 1
    if name.endswith(("pos_embed", "rel_pos_h", "rel_pos_w")):
        return 0, 0.02
    if name.endswith("attention_biases"):
        return 0, 0.5
    if ".bn." in name:  # lively statistics: those of a new BatchNorm would leave nothing to fold
        return {"running_mean": (0, 0.3), "running_var": (1, 0.25), "weight": (1, 0.2), "bias": (0, 0.2)}[
            name.rpartition(".")[2]]
    if len(shape) == 1:
        return (0, 0.02) if name.endswith(".bias") else (1, 0.05)
    if name.endswith(("embed.weight", "token.weight", "tokens.weight")) or "point_embeddings" in name:
        return 0, 0.5
    fan_in = shape[0] if "output_upscaling" in name else math.prod(shape[1:])
    return 0, 1 / math.sqrt(fan_in)
