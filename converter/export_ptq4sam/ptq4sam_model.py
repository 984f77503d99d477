"""Reads a SAM that PTQ4SAM quantised into the tensors and the metadata of the import contract. Needs torch and NumPy."""
import json
from collections import OrderedDict

import numpy as np
import torch

from ptq4sam_contract import FORMAT, ROLES, TOKEN_TO_IMAGE, ExportError, check_complete, need


def kind(m):
    return type(m).__name__


def to_np(t, dtype):
    return np.ascontiguousarray(t.detach().cpu().numpy().astype(dtype))


# ----------------------------------------------------------------------------- quantiser readers
def act_qparams(q, site, report):
    """(scale, zp, bits) of a per-tensor activation quantiser, zp shifted to unsigned codes."""
    need(kind(q) in ("LSQFakeQuantize", "LSQSignFakeQuantize", "LSQPlusFakeQuantize", "FixedFakeQuantize"),
         "%s: unsupported activation quantiser %s" % (site, kind(q)))
    need(q.ch_axis == -1 and q.scale.numel() == 1, "%s: activation quantiser is not per-tensor" % site)
    obs = q.observer
    need(bool(torch.isfinite(obs.max_val).all()), "%s: observer never ran, the site is not calibrated" % site)
    eps = float(np.finfo(np.float32).eps)
    # The module itself takes |scale| and floors it on the next quantised call; a pickle written
    # right after an optimiser step still holds the raw value.
    scale = max(abs(float(q.scale.detach().float().reshape(-1)[0])), eps)
    zp = float(q.zero_point.detach().float().reshape(-1)[0])
    need(np.isfinite(scale) and np.isfinite(zp), "%s: scale or zero point is not finite" % site)
    zp = int(min(max(round(zp), q.quant_min), q.quant_max)) - int(q.quant_min)
    need(2 <= q.bit <= 16, "%s: %d bits unsupported" % (site, q.bit))
    if getattr(q, "drop_prob", 1.0) < 1.0:
        report["drop_active"].append(site)
    return scale, zp, int(q.bit)


def agq_params(q, site, report):
    need(2 <= q.bit <= 8 and not q.symmetric, "%s: AGQ needs 2..8 bits, asymmetric" % site)
    if q.inited:
        scale, tau = float(q.scale.detach().reshape(-1)[0]), int(q.tau)
    else:  # calibrated, but no quantised forward has run yet: take the choice it would make
        err = q.observer.tau_errors
        need(err.numel() == len(q.observer.taus) and bool(torch.isfinite(err).all()),
             "%s: AGQ observer never ran" % site)
        i = int(torch.argmin(err))
        scale, tau = float(q.observer.best_tau_scales[i]), int(q.observer.taus[i])
        report["agq_late_init"].append(site)
    need(tau in (1, 2, 4), "%s: tau=%r" % (site, tau))
    need(np.isfinite(scale) and 0.0 < scale <= 4.0, "%s: AGQ scale %r" % (site, scale))
    if getattr(q, "drop_prob", 1.0) < 1.0:
        report["drop_active"].append(site)
    return scale, tau, int(q.bit)


def weight_codes(lin, site, report):
    """(codes, scale[Cout], zp[Cout], bits); hardens AdaRound layers that are still soft."""
    q, w = lin.weight_fake_quant, lin.weight.detach().float()
    need(kind(q) in ("AdaRoundFakeQuantize", "FixedFakeQuantize"), "%s: weight quantiser %s" % (site, kind(q)))
    need(q.ch_axis in (0, -1), "%s: weight ch_axis %d" % (site, q.ch_axis))
    need(2 <= q.bit <= 8, "%s: %d weight bits" % (site, q.bit))
    cout = w.shape[0]
    s, z = q.scale.detach().float().reshape(-1), q.zero_point.detach().float().reshape(-1)
    need(bool(torch.isfinite(q.observer.max_val).all()), "%s: weight observer never ran" % site)
    if q.ch_axis == -1:
        s, z = s.expand(cout), z.expand(cout)
    need(s.numel() == cout and z.numel() == cout, "%s: qparams do not match Cout" % site)
    need(bool((s > 0).all()) and bool(torch.isfinite(s).all()), "%s: bad weight scale" % site)
    need(bool((z == z.round()).all()), "%s: fractional zero point" % site)
    shape = [cout] + [1] * (w.dim() - 1)
    x = w / s.reshape(shape)
    # The flag decides, not the presence of alpha: a hardened layer keeps alpha, but its stored
    # weights sit on the grid, where floor() is not safe in float arithmetic.
    if getattr(q, "adaround", False):
        need(hasattr(q, "alpha"), "%s: AdaRound is on but has no alpha" % site)
        a = q.alpha.detach().float()
        h = (1.2 * torch.sigmoid(a) - 0.1).clamp(0, 1)
        report["soft"].append((site, float(((h > 0.01) & (h < 0.99)).float().mean())))
        c = torch.floor(x) + (a >= 0).float()
    else:
        c = torch.round(x)
        if hasattr(q, "alpha"):
            report["hard"].append(site)
            inside = (c + z.reshape(shape) >= q.quant_min) & (c + z.reshape(shape) <= q.quant_max)
            off = float(((x - c).abs() * inside.float()).max())
            need(off < 0.05, "%s: flagged hardened but weights are off-grid by %.3f steps" % (site, off))
        else:
            report["nearest"].append(site)
    c = torch.clamp(c + z.reshape(shape), q.quant_min, q.quant_max) - q.quant_min
    z = z - q.quant_min
    top = 2 ** q.bit - 1
    need(bool((z >= 0).all()) and bool((z <= top).all()), "%s: zero point out of range" % site)
    return to_np(c, np.uint8), to_np(s, np.float32), to_np(z, np.int32), int(q.bit)


# ----------------------------------------------------------------------------- model walk
def unwrap(obj):
    for _ in range(6):
        if hasattr(obj, "image_encoder") and hasattr(obj, "mask_decoder"):
            return obj
        for name in ("module", "predictor", "model"):
            if hasattr(obj, name):
                obj = getattr(obj, name)
                break
        else:
            break
    raise ExportError("no SAM found inside the pickled %s" % kind(obj))


def is_qlayer(m):
    return hasattr(m, "module") and hasattr(m.module, "weight_fake_quant")


def is_qattn(m):
    return hasattr(m, "softmax_post_act_fake_quantize")


def walk(m, path, out):
    """Collect ('layer'|'attn'|'tensor', original path, object)."""
    if is_qlayer(m):
        need(hasattr(m, "layer_pre_act_fake_quantize") and m.activation is None,
             "%s: unexpected quantised layer form %s" % (path, kind(m)))
        out.append(("layer", path, m))
        return
    if is_qattn(m):
        out.append(("attn", path, m))
    skip = set(getattr(m, "_non_persistent_buffers_set", ()))
    for n, p in list(m._parameters.items()) + list(m._buffers.items()):
        # 'pe' is a stale cached projection that the wrapper registers on cross attentions
        if p is None or n in skip or (is_qattn(m) and n == "pe"):
            continue
        out.append(("tensor", path + "." + n if path else n, p))
    for n, c in m.named_children():
        if n.endswith("act_fake_quantize"):
            continue
        if n == "model" and path == "image_encoder.neck":   # the quantised neck wraps the Sequential
            walk(c, path, out)
        else:
            walk(c, path + "." + n if path else n, out)


def scalar(v, dtype):
    return np.array([v], dtype=dtype)


def convert(obj):
    sam = unwrap(obj)
    enc = sam.image_encoder
    depth = len(enc.blocks)
    enc_q = is_qattn(enc.blocks[0].attn)
    report = dict(soft=[], hard=[], nearest=[], drop_active=[], agq_late_init=[], big=[])
    items, t, bits = [], OrderedDict(), OrderedDict()
    walk(sam, "", items)

    for what, path, m in items:
        if what == "tensor":
            need(torch.is_floating_point(m), "%s: non-float tensor" % path)
            t[path] = to_np(m, np.float32)
        elif what == "layer":
            c, s, z, b = weight_codes(m.module, path, report)
            t[path + ".weight_q"], t[path + ".weight_scale"], t[path + ".weight_zp"] = c, s, z
            if m.module.bias is not None:
                t[path + ".bias"] = to_np(m.module.bias, np.float32)
            s, z, a = act_qparams(m.layer_pre_act_fake_quantize, path + ".in", report)
            t[path + ".in.scale"], t[path + ".in.zp"] = scalar(s, np.float32), scalar(z, np.int32)
            bits[path + ".weight"], bits[path + ".in"] = b, a
        else:
            for r in ROLES:
                q = getattr(m, r + "_post_act_fake_quantize")
                need(not getattr(q, "is_A_two_peak", False), "%s.%s: run-time sign quantiser" % (path, r))
                s, z, b = act_qparams(q, "%s.%s" % (path, r), report)
                t["%s.%s.scale" % (path, r)] = scalar(s, np.float32)
                t["%s.%s.zp" % (path, r)] = scalar(z, np.int32)
                bits["%s.%s" % (path, r)] = b
            q = m.softmax_post_act_fake_quantize
            if kind(q) == "AdaptiveGranularityQuantize":
                s, tau, b = agq_params(q, path + ".attn", report)
                t[path + ".attn.tau"] = scalar(tau, np.int32)
            else:
                s, z, b = act_qparams(q, path + ".attn", report)
                t[path + ".attn.zp"] = scalar(z, np.int32)
            t[path + ".attn.scale"] = scalar(s, np.float32)
            bits[path + ".attn"] = b
            kq = m.k_post_act_fake_quantize
            sign, pending = getattr(kq, "sign", None), getattr(kq, "is_bimodal", None)
            if sign is not None and path.endswith(TOKEN_TO_IMAGE):
                # detection sets sign and is_bimodal=True; folding then resets is_bimodal to False
                need(not pending, "%s: bimodal but not folded into the weights yet" % path)
                sg = sign.detach().cpu().float().reshape(-1)
                need(bool((sg.abs() == 1).all()), "%s: a sign is 0, the fold erased a channel" % path)
                need(sg.numel() == m.k_proj.module.weight.shape[0], "%s: sign length" % path)
                t[path + ".big_sign"] = to_np(sg, np.int8)
                report["big"].append(path)

    check_complete(t, depth, enc_q)
    glob = [i for i, b in enumerate(enc.blocks) if b.window_size == 0]
    grid = int(t["image_encoder.pos_embed"].shape[1])
    decoder_heads = int(getattr(sam.mask_decoder.transformer, "num_heads", 8))
    meta = OrderedDict(
        format=FORMAT, image_size=str(int(enc.img_size)), embed_dim=str(int(t["image_encoder.pos_embed"].shape[-1])),
        depth=str(depth), num_heads=str(int(enc.blocks[0].attn.num_heads)),
        window_size=str(max(int(b.window_size) for b in enc.blocks) or grid), global_attn_indexes=json.dumps(glob),
        decoder_num_heads=str(decoder_heads), encoder_quantised=json.dumps(bool(enc_q)),
        method="reconstructed" if (report["soft"] or report["hard"]) else "calibrated",
        big_sites=json.dumps(report["big"]), site_bits=json.dumps(bits, separators=(",", ":")),
        soft_layers_hardened=str(len(report["soft"])), drop_active_sites=str(len(report["drop_active"])))
    return t, meta, report


# ----------------------------------------------------------------------------- extras
def harden_in_place(obj):
    """Make the live model equal to what is exported: hard rounding everywhere, no dropping."""
    sam, items = unwrap(obj), []
    walk(sam, "", items)
    for what, _, m in items:
        if what == "layer":
            q = m.module.weight_fake_quant
            if getattr(q, "adaround", False):
                with torch.no_grad():
                    m.module.weight.data = q.get_hard_value(m.module.weight.data)
                q.adaround = False
    for m in sam.modules():
        if hasattr(m, "drop_prob"):
            m.drop_prob = 1.0


def check_against(tensors, ref):
    """Unquantised tensors must equal the FP32 checkpoint's, quantised ones must be near, both after BIG's signs."""
    bad = []
    for k, a in tensors.items():
        module = k.rsplit(".", 1)[0]
        sg = tensors.get(module.rsplit(".", 1)[0] + ".big_sign") if module.endswith(("q_proj", "k_proj")) else None
        if k.endswith((".weight", ".bias")) or k in ref:
            need(k in ref, "checkpoint lacks " + k)
            r = ref[k].detach().float().numpy()
            if not np.array_equal(a, r if sg is None else r * sg):
                bad.append(k)
        elif k.endswith(".weight_q"):
            p = module
            need(p + ".weight" in ref, "checkpoint lacks %s.weight" % p)
            r = ref[p + ".weight"].detach().float().numpy()
            need(r.shape == a.shape, "%s: shape differs from the checkpoint" % p)
            sh = [-1] + [1] * (a.ndim - 1)
            zp, scale = (tensors[p + s].reshape(sh) for s in (".weight_zp", ".weight_scale"))
            w = (a.astype(np.float32) - zp) * scale
            if sg is not None:
                r = r * sg.astype(np.float32).reshape(sh)
            c = float((w * r).sum() / np.sqrt(float((w * w).sum()) * float((r * r).sum()) + 1e-30))
            if c < 0.9:
                bad.append("%s (cosine %.3f)" % (p, c))
    need(not bad, "differs from the checkpoint: %s" % bad[:8])
