"""The file of the import contract intsam-ptq4sam-1: which keys it has, and how it is written. Needs NumPy."""
import json
import os
import struct
from collections import OrderedDict

import numpy as np

FORMAT = "intsam-ptq4sam-1"
TOKEN_TO_IMAGE = ("cross_attn_token_to_image", "final_attn_token_to_image")
ROLES = ("q", "k", "v")
DTYPES = {"float32": "F32", "int32": "I32", "uint8": "U8", "int8": "I8"}


class ExportError(RuntimeError):
    """Its text is the one line that the user sees."""


def need(condition, message):
    if not condition:
        raise ExportError(message)


def sam_layout(depth):
    """Original SAM state-dict names: (modules with weight+bias, weight only, bare tensors)."""
    wb, w, bare = [], [], ["image_encoder.pos_embed"]
    wb.append("image_encoder.patch_embed.proj")
    for i in range(depth):
        b = "image_encoder.blocks.%d." % i
        wb += [b + s for s in ("norm1", "attn.qkv", "attn.proj", "norm2", "mlp.lin1", "mlp.lin2")]
        bare += [b + "attn.rel_pos_h", b + "attn.rel_pos_w"]
    w += ["image_encoder.neck.0", "image_encoder.neck.2"]
    wb += ["image_encoder.neck.1", "image_encoder.neck.3"]
    p = "prompt_encoder."
    bare.append(p + "pe_layer.positional_encoding_gaussian_matrix")
    w += [p + "point_embeddings.%d" % i for i in range(4)] + [p + "not_a_point_embed", p + "no_mask_embed"]
    wb += [p + "mask_downscaling.%d" % i for i in (0, 1, 3, 4, 6)]
    d = "mask_decoder."
    w += [d + "iou_token", d + "mask_tokens"]
    for a in decoder_attn():
        wb += [a + "." + s for s in ("q_proj", "k_proj", "v_proj", "out_proj")]
    for i in range(2):
        t = d + "transformer.layers.%d." % i
        wb += [t + s for s in ("norm1", "norm2", "norm3", "norm4", "mlp.lin1", "mlp.lin2")]
    wb.append(d + "transformer.norm_final_attn")
    wb += [d + "output_upscaling.%d" % i for i in (0, 1, 3)]
    for j in range(4):
        wb += [d + "output_hypernetworks_mlps.%d.layers.%d" % (j, i) for i in range(3)]
    wb += [d + "iou_prediction_head.layers.%d" % i for i in range(3)]
    return wb, w, bare


def decoder_attn():
    t = "mask_decoder.transformer."
    out = [t + "layers.%d.%s" % (i, s) for i in range(2)
           for s in ("self_attn", "cross_attn_token_to_image", "cross_attn_image_to_token")]
    return out + [t + "final_attn_token_to_image"]


def quantised_sites(depth, encoder):
    """(layers, attentions) that PTQ4SAM quantises."""
    mods, attn = [], []
    if encoder:
        for i in range(depth):
            b = "image_encoder.blocks.%d." % i
            mods += [b + s for s in ("attn.qkv", "attn.proj", "mlp.lin1", "mlp.lin2")]
            attn.append(b + "attn")
        mods += ["image_encoder.neck.0", "image_encoder.neck.2"]
    for a in decoder_attn():
        attn.append(a)
        mods += [a + "." + s for s in ("q_proj", "k_proj", "v_proj", "out_proj")]
    for i in range(2):
        mods += ["mask_decoder.transformer.layers.%d.mlp.%s" % (i, s) for s in ("lin1", "lin2")]
    return mods, attn


def check_complete(t, depth, enc_q):
    """Exactly the keys of the contract, all numbers finite."""
    mods, attn = quantised_sites(depth, enc_q)
    wb, w, bare = sam_layout(depth)
    want, qs = set(bare), set(mods)
    for p in wb + w:
        if p in qs:
            want |= {p + s for s in (".weight_q", ".weight_scale", ".weight_zp", ".in.scale", ".in.zp")}
        else:
            want.add(p + ".weight")
        if p in wb:
            want.add(p + ".bias")
    for a in attn:
        want |= {"%s.%s.%s" % (a, r, f) for r in ROLES for f in ("scale", "zp")} | {a + ".attn.scale"}
        tau, zp, sign = a + ".attn.tau", a + ".attn.zp", a + ".big_sign"
        need((tau in t) != (zp in t), "%s: expected either of %s and %s" % (a, tau, zp))
        want.add(tau if tau in t else zp)
        if sign in t and a.endswith(TOKEN_TO_IMAGE):
            want.add(sign)
    missing, extra = sorted(want - set(t)), sorted(set(t) - want)
    need(not missing, "missing tensors: %s" % missing[:8])
    need(not extra, "unexpected tensors: %s" % extra[:8])
    for k, a in t.items():
        need(a.dtype != np.float32 or bool(np.isfinite(a).all()), "%s: not all numbers are finite" % k)


def write_safetensors(path, tensors, meta):
    """Whole or not at all: a file that is there was written to its end."""
    head, pos = OrderedDict(__metadata__=meta), 0
    order = sorted(tensors, key=lambda k: (-tensors[k].dtype.itemsize, k))  # keeps offsets aligned
    for k in order:
        a = tensors[k]
        head[k] = dict(dtype=DTYPES[str(a.dtype)], shape=list(a.shape), data_offsets=[pos, pos + a.nbytes])
        pos += a.nbytes
    raw = json.dumps(head, separators=(",", ":")).encode("utf-8")
    raw += b" " * (-len(raw) % 8)
    part = path + ".part"
    try:
        with open(part, "wb") as f:
            f.write(struct.pack("<Q", len(raw)))
            f.write(raw)
            for k in order:
                f.write(tensors[k].tobytes())
        os.replace(part, path)
    finally:
        if os.path.exists(part):
            os.remove(part)
