"""Self-test of the exporter on small fake modules of every kind that PTQ4SAM saves: `export_ptq4sam.py --self-test`."""
import json
import os
import struct
import tempfile

import numpy as np
import torch

from ptq4sam_contract import (DTYPES, FORMAT, ROLES, TOKEN_TO_IMAGE, ExportError, check_complete, quantised_sites,
                              sam_layout, write_safetensors)
from ptq4sam_model import check_against, convert, harden_in_place, walk

nn = torch.nn


def self_test():
    torch.manual_seed(0)

    class Obs:
        def __init__(self, ok=True):
            self.max_val = torch.tensor(1.0 if ok else float("-inf"))
            self.taus = [1, 2, 4]
            self.best_tau_scales = torch.tensor([0.5, 0.75, 0.9])
            self.tau_errors = torch.tensor([3.0, 1.0, 2.0])

    def q(name, bit, **kw):
        m = type(name, (nn.Module,), {})()
        d = dict(bit=bit, symmetric=False, ch_axis=-1, quant_min=0, quant_max=2 ** bit - 1, observer=Obs(),
                 drop_prob=1.0, scale=torch.tensor([-0.02]), zero_point=torch.tensor([7], dtype=torch.int32))
        d.update(kw)
        for k, v in d.items():
            object.__setattr__(m, k, v) if isinstance(v, torch.Tensor) else setattr(m, k, v)
        return m

    def qlayer(lin, mode="soft"):
        m, w = nn.Module(), lin.weight.data
        flat = w.reshape(w.shape[0], -1)
        lo, hi = flat.min(1)[0].clamp(max=0), flat.max(1)[0].clamp(min=0)
        s = (hi - lo) / 63
        z = (-lo / s).round().clamp(0, 63)
        fq = q("AdaRoundFakeQuantize", 6, ch_axis=0, scale=s, zero_point=z.int())
        if mode != "nearest":
            fq.alpha = torch.randn_like(w)
            fq.adaround = mode == "soft"
        sh = [-1] + [1] * (w.dim() - 1)
        fq.get_hard_value = lambda x: ((torch.floor(x / s.reshape(sh)) + (fq.alpha >= 0).float() + z.reshape(sh))
                                       .clamp(0, 63) - z.reshape(sh)) * s.reshape(sh)
        hard = torch.floor(w / s.reshape(sh)) + (fq.alpha >= 0).float() if mode != "nearest" \
            else (w / s.reshape(sh)).round()
        code = (hard + z.reshape(sh)).clamp(0, 63)
        if mode == "hard":
            lin.weight.data = (code - z.reshape(sh)) * s.reshape(sh)
        lin.weight_fake_quant, m.module, m.activation = fq, lin, None
        m.layer_pre_act_fake_quantize = q("LSQFakeQuantize", 6, drop_prob=0.5)
        m.expect = code.to(torch.uint8)
        return m

    def qattn(m, agq_ready, bimodal):
        for r in ROLES:
            setattr(m, r + "_post_act_fake_quantize", q("LSQFakeQuantize", 6))
        m.k_post_act_fake_quantize = q("LSQSignFakeQuantize", 6, is_bimodal=False, sign=None)
        if bimodal:
            object.__setattr__(m.k_post_act_fake_quantize, "sign",
                               torch.sign(torch.randn(m.k_proj.module.weight.shape[0])))
        m.softmax_post_act_fake_quantize = q("AdaptiveGranularityQuantize", 6, inited=agq_ready, tau=4,
                                             scale=torch.tensor(0.8))
        return m

    def put(root, path, mod):
        parts = path.split(".")
        for n in parts[:-1]:
            if n not in root._modules:
                root.add_module(n, nn.Module())
            root = root._modules[n]
        root.add_module(parts[-1], mod)

    depth, dim = 2, 8
    sam = nn.Module()
    mods, attn = quantised_sites(depth, True)
    wb, w, bare = sam_layout(depth)
    modes, n = ("hard", "soft", "nearest"), 0
    for p in wb + w:
        lin = nn.Conv2d(dim, dim, 3, bias=p in wb) if ".neck." in p else nn.Linear(dim, dim, bias=p in wb)
        if p in mods:
            lin, n = qlayer(lin, modes[n % 3]), n + 1
        put(sam, p.replace("image_encoder.neck.", "image_encoder.neck.model."), lin)
    for i, a in enumerate(attn):
        m = sam
        for s in a.split("."):
            m = m._modules[s]
        qattn(m, i % 2 == 0, a.endswith(TOKEN_TO_IMAGE) and i % 2 == 0)
        if a.startswith("mask"):
            m.register_buffer("pe", torch.zeros(3))
        else:
            m.num_heads = 2
    for p in bare:
        m = sam
        for s in p.split(".")[:-1]:
            if s not in m._modules:
                m.add_module(s, nn.Module())
            m = m._modules[s]
        m.register_parameter(p.split(".")[-1], nn.Parameter(torch.zeros(1, 2, 2, dim)))
    sam.register_buffer("pixel_mean", torch.zeros(3), False)
    blocks = nn.ModuleList(sam.image_encoder.blocks._modules.values())
    sam.image_encoder.blocks = blocks
    sam.image_encoder.img_size = 1024
    for i, b in enumerate(blocks):
        b.window_size = 0 if i else 14
    holder = type("SamPredictor", (nn.Module,), {})()
    holder.model = sam

    t, meta, rep = convert(holder)
    items = []
    walk(sam, "", items)
    layers = [(p, m) for what, p, m in items if what == "layer"]
    assert len(layers) == len(mods)
    for p, m in layers:
        assert np.array_equal(t[p + ".weight_q"], m.expect.numpy()), p
        assert abs(float(t[p + ".in.scale"][0]) - 0.02) < 1e-7          # sign of an LSQ scale is dropped
    assert not any(k.endswith(".pe") or k == "pixel_mean" for k in t)
    late = rep["agq_late_init"]
    assert late and all(int(t[k[:-5] + ".attn.tau"][0]) == 2 for k in late)
    assert len(rep["drop_active"]) == len(mods) and rep["soft"] and rep["hard"] and rep["nearest"]
    assert rep["big"] and all(set(np.unique(t[k + ".big_sign"])) <= {-1, 1} for k in rep["big"])

    check_file(t, meta)
    check_refusals(sam, holder, layers[0][1])
    check_comparison(t)

    harden_in_place(holder)
    again = convert(holder)[0]
    assert all(np.array_equal(t[k], again[k]) for k in t if k.endswith((".weight_q", ".weight_zp")))
    print("self-test passed: %d tensors, %d layers" % (len(t), len(layers)))


def check_file(t, meta):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.safetensors")
        write_safetensors(path, t, meta)
        assert os.listdir(folder) == ["x.safetensors"]
        with open(path, "rb") as f:
            raw = f.read()
    start = 8 + struct.unpack("<Q", raw[:8])[0]
    head = json.loads(raw[8:start].decode())
    assert head["__metadata__"]["format"] == FORMAT and all(isinstance(v, str) for v in head["__metadata__"].values())
    types = {v: k for k, v in DTYPES.items()}
    for k, a in t.items():
        lo, hi = head[k]["data_offsets"]
        b = np.frombuffer(raw[start + lo:start + hi], dtype=types[head[k]["dtype"]]).reshape(head[k]["shape"])
        assert np.array_equal(a, b), k


def refused(word, call, *arguments):
    try:
        call(*arguments)
    except ExportError as e:
        assert word in str(e), "expected %r in: %s" % (word, e)
        return
    raise AssertionError("accepted, though it should be refused for: " + word)


def check_refusals(sam, holder, layer):
    """Each change makes one thing wrong; afterwards the model is as before."""
    kq = sam.mask_decoder.transformer.final_attn_token_to_image.k_post_act_fake_quantize
    pre, norm = layer.layer_pre_act_fake_quantize, sam.mask_decoder.transformer.norm_final_attn
    bad_bias = nn.Parameter(torch.full_like(norm.bias, float("nan")))
    for word, owner, name, value in (
            ("erased a channel", kq, "sign", torch.zeros_like(kq.sign)),
            ("not folded", kq, "is_bimodal", True),
            ("never ran", pre, "observer", type("Observer", (), {"max_val": torch.tensor(float("-inf"))})()),
            ("not finite", pre, "zero_point", torch.tensor([float("nan")])),
            ("not finite", pre, "scale", torch.tensor([float("inf")])),
            ("not all numbers are finite", norm, "bias", bad_bias),
            ("17 bits", pre, "bit", 17)):
        old = getattr(owner, name)
        put_attribute(owner, name, value)
        refused(word, convert, holder)
        put_attribute(owner, name, old)
    convert(holder)


def put_attribute(owner, name, value):
    if isinstance(value, torch.Tensor) and not isinstance(value, nn.Parameter):
        object.__setattr__(owner, name, value)
    else:
        setattr(owner, name, value)


def check_comparison(t):
    depth = 2
    ref = {}
    for k, a in t.items():
        module = k.rsplit(".", 1)[0]
        sign = t.get(module.rsplit(".", 1)[0] + ".big_sign") if module.endswith(("q_proj", "k_proj")) else None
        if k.endswith(".weight_q"):
            shape = [-1] + [1] * (a.ndim - 1)
            a = (a.astype(np.float32) - t[module + ".weight_zp"].reshape(shape)) * \
                t[module + ".weight_scale"].reshape(shape)
            ref[module + ".weight"] = torch.from_numpy(a if sign is None else a * sign.reshape(shape))
        elif a.dtype == np.float32 and not k.endswith((".weight_scale", ".scale")):
            ref[k] = torch.from_numpy(a if sign is None else a * sign)
    check_against(t, ref)
    folded = "mask_decoder.transformer.final_attn_token_to_image"
    assert folded + ".big_sign" in t
    for k in (folded + ".k_proj.bias", folded + ".q_proj.weight", "image_encoder.blocks.0.attn.qkv.weight"):
        refused("differs from the checkpoint", check_against, t, dict(ref, **{k: -ref[k]}))
    refused("lacks", check_against, t, {k: v for k, v in ref.items() if k != "image_encoder.neck.0.weight"})

    refused("missing tensors", check_complete, {k: v for k, v in t.items() if k != folded + ".q.zp"}, depth, True)
    for stray in ("image_encoder.blocks.0.attn.big_sign", "mask_decoder.attn.tau"):
        refused("unexpected tensors", check_complete, dict(t, **{stray: np.ones(1, np.int8)}), depth, True)
    refused("expected either", check_complete, dict(t, **{folded + ".attn.zp": np.zeros(1, np.int32)}), depth, True)
