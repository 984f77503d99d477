"""The original package's SAM: configurations, weights, inputs, and the decoder in the form that ONNX can hold."""
import functools
import json
import math
import pathlib
import zlib

import numpy
import torch
from PIL import Image
from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer
from segment_anything.utils.onnx import SamOnnxModel

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUNDLED = ROOT / "models" / "sam_tiny.safetensors"


def _official(embed_dim, depth, num_heads, global_attn_indexes):
    return {
        "image_size": 1024, "patch_size": 16, "embed_dim": embed_dim, "depth": depth, "num_heads": num_heads,
        "mlp_ratio": 4, "window_size": 14, "global_attn_indexes": global_attn_indexes, "prompt_embed_dim": 256,
        "decoder_depth": 2, "decoder_mlp_dim": 2048, "decoder_num_heads": 8, "num_multimask_outputs": 3,
        "iou_head_depth": 3, "iou_head_hidden_dim": 256, "mask_in_chans": 16,
    }


# As segment_anything/build_sam.py has them.
OFFICIAL = {
    "vit_b": _official(768, 12, 12, [2, 5, 8, 11]),
    "vit_l": _official(1024, 24, 16, [5, 11, 17, 23]),
    "vit_h": _official(1280, 32, 16, [7, 15, 23, 31]),
}


def config_of(model):
    return OFFICIAL[model] if model in OFFICIAL else json.loads(BUNDLED.with_suffix(".json").read_text())


def build(config):
    """segment_anything.build_sam._build_sam, which is not told the sizes that the bundled model has of its own."""
    side = config["image_size"] // config["patch_size"]
    width = config["prompt_embed_dim"]
    sam = Sam(
        image_encoder=ImageEncoderViT(
            img_size=config["image_size"], patch_size=config["patch_size"], embed_dim=config["embed_dim"],
            depth=config["depth"], num_heads=config["num_heads"], mlp_ratio=config["mlp_ratio"],
            norm_layer=functools.partial(torch.nn.LayerNorm, eps=1e-6), qkv_bias=True, use_rel_pos=True,
            global_attn_indexes=config["global_attn_indexes"], window_size=config["window_size"], out_chans=width),
        prompt_encoder=PromptEncoder(
            embed_dim=width, image_embedding_size=(side, side), input_image_size=(config["image_size"],) * 2,
            mask_in_chans=config["mask_in_chans"]),
        mask_decoder=MaskDecoder(
            num_multimask_outputs=config["num_multimask_outputs"],
            transformer=TwoWayTransformer(
                depth=config["decoder_depth"], embedding_dim=width, mlp_dim=config["decoder_mlp_dim"],
                num_heads=config["decoder_num_heads"]),
            transformer_dim=width, iou_head_depth=config["iou_head_depth"],
            iou_head_hidden_dim=config["iou_head_hidden_dim"]),
        pixel_mean=[123.675, 116.28, 103.53], pixel_std=[58.395, 57.12, 57.375])
    return sam.eval()


def _moments(name, shape):
    """Mean and deviation of a random tensor, as in converter/checkpoint/synthetic.cc: the package's own initial values
    (zeros and truncated normals) give activations that no trained model has."""
    if name.endswith("gaussian_matrix"):
        return 0, 1
    if name.endswith(("pos_embed", "rel_pos_h", "rel_pos_w")):
        return 0, 0.02
    if len(shape) == 1:
        return (0, 0.02) if name.endswith(".bias") else (1, 0.05)
    if name.endswith(("embed.weight", "token.weight", "tokens.weight")) or "point_embeddings" in name:
        return 0, 0.5
    fan_in = shape[0] if "output_upscaling" in name else math.prod(shape[1:])
    return 0, 1 / math.sqrt(fan_in)


def random_weights(sam, seed):
    """Every tensor from its own generator, so that one tensor's values do not depend on the others."""
    weights = {}
    for name, tensor in sam.state_dict().items():
        generator = torch.Generator().manual_seed(seed << 32 | zlib.crc32(name.encode()))
        mean, deviation = _moments(name, tensor.shape)
        weights[name] = torch.randn(tensor.shape, generator=generator) * deviation + mean
    return weights


def load(folder):
    """The model of a folder that the step "checkpoint" made, loaded as the package does."""
    sam = build(json.loads((folder / "checkpoint.json").read_text()))
    sam.load_state_dict(torch.load(folder / "checkpoint.pth", weights_only=True))
    return sam


def square_photo(path, side):
    return Image.open(path).convert("RGB").resize((side, side), Image.Resampling.NEAREST)


def encoder_input(sam, photo):
    """Normalised [1, 3, side, side]."""
    return sam.preprocess(torch.from_numpy(numpy.array(photo)).permute(2, 0, 1)[None].float())


def decode(sam, embedding, coords, labels):
    """Prompt encoder and mask decoder as SamPredictor calls them: the low-resolution masks and their predicted IoU."""
    sparse, dense = sam.prompt_encoder(points=(coords, labels), boxes=None, masks=None)
    return sam.mask_decoder(image_embeddings=embedding, image_pe=sam.prompt_encoder.get_dense_pe(),
                            sparse_prompt_embeddings=sparse, dense_prompt_embeddings=dense, multimask_output=True)


class DecoderForOnnx(torch.nn.Module):
    """decode() without a mask prompt. The package's own SamOnnxModel would resize the masks too, which is in no
    figure here; its point embedding is used, because the prompt encoder's assigns through boolean masks. It wants the
    padding point that the prompt encoder adds: (0, 0) with label -1."""

    def __init__(self, sam):
        super().__init__()
        self.sam = sam
        self.prompts = SamOnnxModel(sam, return_single_mask=False)

    def forward(self, embedding, coords, labels):
        prompt_encoder = self.sam.prompt_encoder
        dense = prompt_encoder.no_mask_embed.weight.reshape(1, -1, 1, 1).expand(embedding.shape)
        masks, iou = self.sam.mask_decoder.predict_masks(
            image_embeddings=embedding, image_pe=prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=self.prompts._embed_points(coords, labels), dense_prompt_embeddings=dense)
        return masks[:, 1:], iou[:, 1:]
