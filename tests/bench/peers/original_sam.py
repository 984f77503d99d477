"""The original packages' SAM and MobileSAM: modules, weights, inputs, and the decoder in a form that exporters take."""
import functools
import json
import zlib

import numpy
import torch
from PIL import Image
from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer
from segment_anything.utils.onnx import SamOnnxModel

import models


def _vit_encoder(config):
    return ImageEncoderViT(
        img_size=config["image_size"], patch_size=config["patch_size"], embed_dim=config["embed_dim"],
        depth=config["depth"], num_heads=config["num_heads"], mlp_ratio=config["mlp_ratio"],
        norm_layer=functools.partial(torch.nn.LayerNorm, eps=1e-6), qkv_bias=True, use_rel_pos=True,
        global_attn_indexes=config["global_attn_indexes"], window_size=config["window_size"],
        out_chans=config["prompt_embed_dim"])


def _tiny_vit_encoder(config):
    """mobile_sam.build_sam_vit_t's. The package fixes the grid and the widths that keep it, so other sizes than the
    official one are not to be had from it."""
    from mobile_sam.modeling import TinyViT  # imports timm, which takes its time
    return TinyViT(
        img_size=config["image_size"], in_chans=3, num_classes=1000, embed_dims=config["embed_dims"],
        depths=config["depths"], num_heads=config["num_heads"], window_sizes=config["window_sizes"],
        mlp_ratio=float(config["mlp_ratio"]), drop_rate=0.0, drop_path_rate=0.0, use_checkpoint=False,
        mbconv_expand_ratio=float(config["mbconv_expand_ratio"]), local_conv_size=config["local_conv_size"],
        layer_lr_decay=0.8)


def build(config):
    """segment_anything.build_sam._build_sam, which is not told the sizes that the bundled model has of its own.
    MobileSAM's prompt encoder and decoder are SAM's."""
    side = config["image_size"] // config["patch_size"]
    width = config["prompt_embed_dim"]
    tiny_vit = config.get("image_encoder") == "tiny_vit"
    return Sam(
        image_encoder=(_tiny_vit_encoder if tiny_vit else _vit_encoder)(config),
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


def set_weights(sam, weights):
    """TinyViT's attentions look their biases up in eval(), so that comes after the weights. Its classifier is in the
    published file and takes no part."""
    sam.load_state_dict(weights)
    return sam.eval()


def random_weights(sam, seed):
    """Every tensor from its own generator, so that one tensor's values do not depend on the others."""
    weights = {}
    for name, tensor in sam.state_dict().items():
        if not tensor.is_floating_point():  # BatchNorm's counter of batches
            weights[name] = tensor
            continue
        generator = torch.Generator().manual_seed(seed << 32 | zlib.crc32(name.encode()))
        mean, deviation = models.moments(name, tensor.shape)
        weights[name] = torch.randn(tensor.shape, generator=generator) * deviation + mean
        if name.endswith("running_var"):  # no variance is negative, and few are small
            weights[name].clamp_(min=0.125)
    return weights


def load(folder):
    """The model of a folder that the step "checkpoint" made, loaded as the package does."""
    return set_weights(build(json.loads((folder / "checkpoint.json").read_text())),
                       torch.load(folder / "checkpoint.pth", weights_only=True))


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


class DecoderForExport(torch.nn.Module):
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
