"""SAM's forward pass in plain PyTorch, from a state dict with the official keys, with hooks where PTQ4SAM quantises.

Written from the published architecture, for fakes of PTQ4SAM models; the hooks are methods of Sites. Unquantised it is
compared with the goldens of the original package before anything else is done with it (make_fake_ptq4sam.py).
"""
import math

import torch
import torch.nn.functional as F

MEAN = torch.tensor([123.675, 116.28, 103.53]).reshape(3, 1, 1)
DEVIATION = torch.tensor([58.395, 57.12, 57.375]).reshape(3, 1, 1)


class Sites:
    """What happens at the sites; here: nothing. Names are the import contract's."""

    def activation(self, site, x):  # "P.in", "A.q", "A.k", "A.v"
        return x

    def weight(self, layer, w):
        return w

    def softmax(self, attention, p, v):  # v: the values it will be multiplied with
        return p


class TorchSam:
    def __init__(self, tensors, config, sites=None):
        self.t, self.c, self.sites = tensors, config, sites or Sites()
        self.grid = config["image_size"] // config["patch_size"]
        self.heads = config["decoder_num_heads"]

    # ------------------------------------------------------------------------- shared pieces
    def linear(self, name, x):
        x = self.sites.activation(name + ".in", x)
        return F.linear(x, self.sites.weight(name, self.t[name + ".weight"]), self.t[name + ".bias"])

    def plain_linear(self, name, x):  # a layer that PTQ4SAM leaves alone
        return F.linear(x, self.t[name + ".weight"], self.t[name + ".bias"])

    def norm(self, name, x, eps):
        return F.layer_norm(x, x.shape[-1:], self.t[name + ".weight"], self.t[name + ".bias"], eps)

    def norm2d(self, name, x):  # over the channels of [n, c, h, w]
        return self.norm(name, x.permute(0, 2, 3, 1), 1e-6).permute(0, 3, 1, 2)

    # ------------------------------------------------------------------------- image encoder
    def encode(self, rgb):
        """rgb: U8 [h, w, 3], already resized. Result: [1, channels, grid, grid]."""
        size = self.c["image_size"]
        x = (rgb.permute(2, 0, 1).float() - MEAN) / DEVIATION
        x = F.pad(x, (0, size - x.shape[2], 0, size - x.shape[1]))[None]
        p = "image_encoder."
        x = F.conv2d(x, self.t[p + "patch_embed.proj.weight"], self.t[p + "patch_embed.proj.bias"],
                     stride=self.c["patch_size"])
        x = x.permute(0, 2, 3, 1) + self.t[p + "pos_embed"]
        for i in range(self.c["depth"]):
            block = p + "blocks.%d." % i
            window = self.grid if i in self.c["global_attn_indexes"] else self.c["window_size"]
            x = x + self.window_attention(block + "attn", self.norm(block + "norm1", x, 1e-6), window)
            y = F.gelu(self.linear(block + "mlp.lin1", self.norm(block + "norm2", x, 1e-6)))
            x = x + self.linear(block + "mlp.lin2", y)
        x = x.permute(0, 3, 1, 2)
        for i, padding in ((0, 0), (2, 1)):
            name = p + "neck.%d" % i
            x = self.sites.activation(name + ".in", x)
            x = F.conv2d(x, self.sites.weight(name, self.t[name + ".weight"]), padding=padding)
            x = self.norm2d(p + "neck.%d" % (i + 1), x)
        return x

    def window_attention(self, name, x, side):
        n, channels = self.grid, x.shape[-1]
        padded = (n + side - 1) // side * side
        x = F.pad(x, (0, 0, 0, padded - n, 0, padded - n))  # pad tokens are attended
        count = padded // side
        x = x.reshape(count, side, count, side, channels).permute(0, 2, 1, 3, 4).reshape(-1, side, side, channels)
        x = self.linear(name + ".proj", self.relative_attention(name, x, side))
        x = x.reshape(count, count, side, side, channels).permute(0, 2, 1, 3, 4).reshape(1, padded, padded, channels)
        return x[:, :n, :n]

    def relative_attention(self, name, x, side):
        windows, heads, tokens = x.shape[0], self.c["num_heads"], side * side
        dim = x.shape[-1] // heads
        qkv = self.linear(name + ".qkv", x).reshape(windows, tokens, 3, heads, dim).permute(2, 0, 3, 1, 4)
        q, k, v = (self.sites.activation(name + "." + part, qkv[i]) for i, part in enumerate("qkv"))
        scores = (q / math.sqrt(dim)) @ k.transpose(-2, -1)
        at = torch.arange(side)
        distance = at[:, None] - at[None, :] + side - 1
        grid_q = q.reshape(windows, heads, side, side, dim)  # q without the factor
        rows = torch.einsum("bnhwc,hkc->bnhwk", grid_q, self.t[name + ".rel_pos_h"][distance])
        columns = torch.einsum("bnhwc,wkc->bnhwk", grid_q, self.t[name + ".rel_pos_w"][distance])
        scores = scores.reshape(windows, heads, side, side, side, side)
        scores = (scores + rows[..., :, None] + columns[..., None, :]).reshape(windows, heads, tokens, tokens)
        p = self.sites.softmax(name, scores.softmax(-1), v)
        return (p @ v).permute(0, 2, 1, 3).reshape(windows, side, side, -1)

    # ------------------------------------------------------------------------- prompt encoder
    def position(self, unit):  # coordinates in 0..1
        angle = 2 * math.pi * ((2 * unit - 1) @ self.t["prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"])
        return torch.cat([angle.sin(), angle.cos()], -1)

    def prompt_tokens(self, coords, labels):
        """coords [n, 2] in pixels of the resized photo; labels 1, 0, or 2 and 3 for a box's corners."""
        p = "prompt_encoder."
        x = self.position((coords + 0.5) / self.c["image_size"])
        labels = labels.tolist()
        if 2 not in labels:  # points alone are followed by a padding point
            x, labels = torch.cat([x, torch.zeros(1, x.shape[1])]), labels + [-1]
        rows = [self.t[p + "not_a_point_embed.weight"][0] if label < 0 else
                x[i] + self.t[p + "point_embeddings.%d.weight" % label][0] for i, label in enumerate(labels)]
        return torch.stack(rows)[None]

    def dense_prompt(self, mask):  # [4 grid, 4 grid] logits or None
        p = "prompt_encoder."
        if mask is None:
            return self.t[p + "no_mask_embed.weight"].reshape(1, -1, 1, 1)
        x, m = mask[None, None], p + "mask_downscaling."
        for i in (0, 3):
            x = F.conv2d(x, self.t[m + "%d.weight" % i], self.t[m + "%d.bias" % i], stride=2)
            x = F.gelu(self.norm2d(m + "%d" % (i + 1), x))
        return F.conv2d(x, self.t[m + "6.weight"], self.t[m + "6.bias"])

    def image_position(self):
        at = (torch.arange(self.grid).float() + 0.5) / self.grid
        return self.position(torch.stack([at.repeat(self.grid), at.repeat_interleave(self.grid)], -1))[None]

    # ------------------------------------------------------------------------- mask decoder
    def attention(self, name, q, k, v):
        q, k, v = (self.sites.activation(name + "." + part, self.linear(name + "." + part + "_proj", x))
                   for part, x in (("q", q), ("k", k), ("v", v)))
        q, k, v = (x.reshape(1, x.shape[1], self.heads, -1).transpose(1, 2) for x in (q, k, v))
        p = (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).softmax(-1)
        x = self.sites.softmax(name, p, v) @ v
        return self.linear(name + ".out_proj", x.transpose(1, 2).reshape(1, x.shape[2], -1))

    def mlp(self, name, x, depth):
        for i in range(depth):
            x = self.plain_linear(name + ".layers.%d" % i, x)
            x = F.relu(x) if i + 1 < depth else x
        return x

    def decode(self, embedding, coords, labels, mask):
        """Result: logits [masks, 4 grid, 4 grid] and predicted IoU [masks]."""
        d = "mask_decoder."
        start = torch.cat([self.t[d + "iou_token.weight"], self.t[d + "mask_tokens.weight"]])[None]
        tokens = token_pe = torch.cat([start, self.prompt_tokens(coords, labels)], 1)
        keys = (embedding + self.dense_prompt(mask)).flatten(2).transpose(1, 2)
        key_pe, t = self.image_position(), d + "transformer."
        for i in range(self.c["decoder_depth"]):
            layer = t + "layers.%d." % i
            if i == 0:  # replaces the tokens
                tokens = self.attention(layer + "self_attn", tokens, tokens, tokens)
            else:
                q = tokens + token_pe
                tokens = tokens + self.attention(layer + "self_attn", q, q, tokens)
            tokens = self.norm(layer + "norm1", tokens, 1e-5)
            x = self.attention(layer + "cross_attn_token_to_image", tokens + token_pe, keys + key_pe, keys)
            tokens = self.norm(layer + "norm2", tokens + x, 1e-5)
            x = self.linear(layer + "mlp.lin2", F.relu(self.linear(layer + "mlp.lin1", tokens)))
            tokens = self.norm(layer + "norm3", tokens + x, 1e-5)
            x = self.attention(layer + "cross_attn_image_to_token", keys + key_pe, tokens + token_pe, tokens)
            keys = self.norm(layer + "norm4", keys + x, 1e-5)
        x = self.attention(t + "final_attn_token_to_image", tokens + token_pe, keys + key_pe, keys)
        tokens = self.norm(t + "norm_final_attn", tokens + x, 1e-5)

        u = d + "output_upscaling."
        x = keys.transpose(1, 2).reshape(1, -1, self.grid, self.grid)
        x = F.conv_transpose2d(x, self.t[u + "0.weight"], self.t[u + "0.bias"], stride=2)
        x = F.gelu(self.norm2d(u + "1", x))
        x = F.gelu(F.conv_transpose2d(x, self.t[u + "3.weight"], self.t[u + "3.bias"], stride=2))[0]
        masks = self.c["num_multimask_outputs"] + 1
        hyper = torch.stack([self.mlp(d + "output_hypernetworks_mlps.%d" % i, tokens[0, 1 + i], 3)
                             for i in range(masks)])
        iou = self.mlp(d + "iou_prediction_head", tokens[0, 0], self.c["iou_head_depth"])
        return torch.einsum("mc,chw->mhw", hyper, x), iou
