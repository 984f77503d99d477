#!/usr/bin/env python3
"""Makes a PTQ4SAM export without PTQ4SAM, and what the model in it computes.

    make_fake_ptq4sam.py --checkpoint SAM.safetensors --config SAM.json --golden PHOTO.safetensors ... --bits 6
                         [--softmax agq|uniform] [--fold SITE ...] [--float-encoder] [--move SHARE] --out NAME

Photos and prompts come from golden files of the original package (tests/reference/data). The forward pass is first held
against those goldens, unquantised. Then bimodal signs are folded where asked, activations are observed, and two files
are written: NAME.safetensors, the export (contract intsam-ptq4sam-1), and NAME_simulated.safetensors, the outputs of
the fake-quantised model: STEM.embedding [C, g, g], STEM.PROMPT.low_res [masks, 4g, 4g] and STEM.PROMPT.iou [masks], and
the same of the first prompt with softmax left alone, as STEM_exact_softmax. With --move it prints how far the masks of
the simulation agree with themselves: no other implementation can be held to more.
Needs PyTorch and NumPy.
"""
import argparse
import json
import pathlib
import sys
from collections import OrderedDict

import numpy as np
import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "converter" / "export_ptq4sam")]
from fake_quantisers import FakeQuantised, Moved, Observer, weight_codes  # noqa: E402
from ptq4sam_contract import FORMAT, check_complete, quantised_sites, write_safetensors  # noqa: E402
from torch_sam import Sites, TorchSam  # noqa: E402

DTYPES = {"F32": np.float32, "I32": np.int32, "U8": np.uint8}


def to_np(t, dtype):
    return np.ascontiguousarray(t.numpy().astype(dtype))


def scalar(value, dtype):
    return np.array([value], dtype)


def read_safetensors(path):
    raw = pathlib.Path(path).read_bytes()
    start = 8 + int.from_bytes(raw[:8], "little")
    tensors = {}
    for name, entry in json.loads(raw[8:start]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            values = np.frombuffer(raw[start + begin:start + end], DTYPES[entry["dtype"]])
            tensors[name] = torch.from_numpy(values.reshape(entry["shape"]).copy())
    return tensors


def prompts_of(golden):
    """{name: (coords, labels, mask logits or None)} of a golden file."""
    best = 1 + int(golden["point.iou"][1:].argmax())
    return {name: (golden[name + ".coords"], golden[name + ".labels"],
                   golden["point.low_res"][best] if name == "refine" else None) for name in ("point", "box", "refine")}


def run(sam, goldens):
    """Everything that a golden file holds, of each."""
    results = {}
    for stem, golden in goldens.items():
        embedding = sam.encode(golden["resized"])
        results[stem + ".embedding"] = embedding[0]
        for name, prompt in prompts_of(golden).items():
            low_res, iou = sam.decode(embedding, *prompt)
            results[stem + "." + name + ".low_res"], results[stem + "." + name + ".iou"] = low_res, iou
    return results


def mask_iou(a, b):
    x, y = a > 0, b > 0
    return float((x & y).sum()) / max(1.0, float((x | y).sum()))


def relative_error(a, b):
    return float((a - b).norm() / b.norm())


def fold(tensors, config, goldens, sites):
    """The signs per site, folded into q_proj and k_proj in place. PTQ4SAM takes them from calibration image 0."""
    signs = {}

    class Signs(Sites):
        def activation(self, site, x):
            if site.endswith(".k") and site[:-2] in sites and site[:-2] not in signs:
                mean = x.mean((0, 1))
                signs[site[:-2]] = torch.where(mean < 0, -torch.ones_like(mean), torch.ones_like(mean))
            return x

    run(TorchSam(tensors, config, Signs()), dict(list(goldens.items())[:1]))
    for site, sign in signs.items():
        for layer in (site + ".q_proj", site + ".k_proj"):
            tensors[layer + ".weight"] = tensors[layer + ".weight"] * sign[:, None]
            tensors[layer + ".bias"] = tensors[layer + ".bias"] * sign
    missing = set(sites) - set(signs)
    if missing:
        sys.exit("no such attention: %s" % sorted(missing))
    return signs


def contract(tensors, config, quantised, signs, bits, with_encoder):
    """The export's tensors and metadata."""
    out, site_bits = OrderedDict(tensors), OrderedDict()
    layers, attentions = quantised_sites(config["depth"], with_encoder)

    def put(site, params):
        out[site + ".scale"] = scalar(float(params[0]), np.float32)
        out[site + ".zp"] = scalar(int(params[1]), np.int32)
        site_bits[site] = bits

    for layer in layers:
        codes, scale, zero = quantised.weights[layer]
        del out[layer + ".weight"]
        out[layer + ".weight_q"] = to_np(codes, np.uint8)
        out[layer + ".weight_scale"], out[layer + ".weight_zp"] = to_np(scale, np.float32), to_np(zero, np.int32)
        site_bits[layer + ".weight"] = bits
        put(layer + ".in", quantised.activations[layer + ".in"])
    for attention in attentions:
        for part in "qkv":
            put(attention + "." + part, quantised.activations[attention + "." + part])
        tau, scale = quantised.softmaxes[attention]
        put(attention + ".attn", (scale, 0))
        if tau is not None:
            del out[attention + ".attn.zp"]
            out[attention + ".attn.tau"] = scalar(tau, np.int32)
        if attention in signs:
            out[attention + ".big_sign"] = to_np(signs[attention], np.int8)
    out = OrderedDict((k, to_np(v, np.float32) if isinstance(v, torch.Tensor) else v) for k, v in out.items())
    check_complete(out, config["depth"], with_encoder)
    meta = OrderedDict(format=FORMAT, encoder_quantised=json.dumps(with_encoder), method="calibrated",
                       big_sites=json.dumps(sorted(signs)), site_bits=json.dumps(site_bits, separators=(",", ":")),
                       soft_layers_hardened="0", drop_active_sites="0")
    for key in ("image_size", "embed_dim", "depth", "num_heads", "window_size", "decoder_num_heads",
                "global_attn_indexes"):
        meta[key] = json.dumps(config[key])
    return out, meta


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--config", required=True)
    parser.add_argument("--golden", nargs="+", required=True)
    parser.add_argument("--bits", type=int, default=6)
    parser.add_argument("--softmax", choices=("agq", "uniform"), default="agq")
    parser.add_argument("--fold", nargs="*", default=[], help="token-to-image attentions, by module path")
    parser.add_argument("--float-encoder", action="store_true")
    parser.add_argument("--move", type=float, default=0, help="simulate again with values moved by this share of a code")
    parser.add_argument("--save", nargs="+", default=["box", "point"], help="prompts whose outputs are written")
    parser.add_argument("--out", required=True)
    a = parser.parse_args()
    torch.manual_seed(0)
    torch.set_grad_enabled(False)

    config = json.loads(pathlib.Path(a.config).read_text())
    tensors = read_safetensors(a.checkpoint)
    goldens = {pathlib.Path(path).stem: read_safetensors(path) for path in a.golden}
    exact = run(TorchSam(tensors, config), goldens)
    worst = max(relative_error(value, goldens[name.split(".")[0]][name.split(".", 1)[1]])
                for name, value in exact.items())
    print("against the goldens, unquantised: %.1e" % worst)
    if worst > 1e-5:
        sys.exit("the forward pass is not the original package's")

    signs = fold(tensors, config, goldens, a.fold)
    layers, attentions = quantised_sites(config["depth"], not a.float_encoder)
    observer = Observer(a.bits, a.softmax == "agq")
    folded = run(TorchSam(tensors, config, observer), goldens)
    print("folding moved outputs by %.1e" % max(relative_error(folded[name], exact[name]) for name in exact))
    wanted = {layer + ".in" for layer in layers} | {b + "." + part for b in attentions for part in "qkv"}
    quantised = FakeQuantised(
        {site: params for site, params in observer.activation_params(a.bits).items() if site in wanted},
        {layer: weight_codes(tensors[layer + ".weight"], a.bits) for layer in layers},
        {attention: observer.softmax_params(attention) for attention in attentions}, a.bits)
    simulated = run(TorchSam(tensors, config, quantised), goldens)
    for name, value in simulated.items():
        agree = ""
        if name.endswith("low_res"):
            agree = ", mask IoU %.3f" % mask_iou(value, exact[name])
        print("%s: %.3f from unquantised%s" % (name, relative_error(value, exact[name]), agree))

    if a.move > 0:
        moved = run(TorchSam(tensors, config, Moved(quantised, a.move)), goldens)
        ious = [mask_iou(x, y) for name in moved if name.endswith("low_res") and name.split(".")[1] in a.save
                for x, y in zip(moved[name], simulated[name])]
        print("moved: %d masks, mean IoU %.3f, least %.3f" % (len(ious), sum(ious) / len(ious), min(ious)))

    out = pathlib.Path(a.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_safetensors(str(out) + ".safetensors", *contract(tensors, config, quantised, signs, a.bits,
                                                           not a.float_encoder))
    kept = {name: to_np(value, np.float32) for name, value in simulated.items()
            if name.endswith(".embedding") or name.split(".")[1] in a.save}
    quantised.softmaxes = {}
    for name, value in run(TorchSam(tensors, config, quantised), goldens).items():
        stem, rest = name.split(".", 1)
        if rest == "embedding" or rest.startswith(a.save[0] + "."):
            kept[stem + "_exact_softmax." + rest] = to_np(value, np.float32)
    write_safetensors(str(out) + "_simulated.safetensors", kept, {"bits": str(a.bits), "softmax": a.softmax})


if __name__ == "__main__":
    main()
