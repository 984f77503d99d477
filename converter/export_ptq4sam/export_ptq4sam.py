#!/usr/bin/env python3
"""Export a PTQ4SAM-calibrated SAM to one safetensors file (format intsam-ptq4sam-1).

Run it inside a working PTQ4SAM environment, on the object that PTQ4SAM saved whole with
its --save_sam_path option (a pickled predictor; a state dict cannot be used because the AGQ
quantiser has no zero point and its state-dict hook raises):

    python export_ptq4sam.py --repo PTQ4SAM/ --pickle sam_b_w6a6.pth --out sam_b_w6a6.safetensors

Useful extras
    --check-against sam_vit_b_01ec64.pth   compare with the FP32 checkpoint (wrong variant, double fold)
    --save-fixed fixed.pth                 also save the model hardened and with dropping off, so that
                                           the AP of exactly what is exported can be measured
    --self-test                            run on small fake modules, no PTQ4SAM needed

Only torch and numpy are needed; the file is written by hand.  Python 3.7 or later.  The four .py files of
this folder belong together.
"""
import argparse
import os
import sys

import numpy as np
import torch

from ptq4sam_contract import ExportError, need, write_safetensors
from ptq4sam_model import check_against, convert, harden_in_place, kind


def load_pickle(path):
    try:
        try:
            return torch.load(path, map_location="cpu", weights_only=False)
        except TypeError:  # older torch has no such argument
            return torch.load(path, map_location="cpu")
    except (ImportError, AttributeError) as e:
        raise ExportError("%s: cannot be unpickled here: %s (is --repo the PTQ4SAM checkout?)" % (path, e))
    except Exception as e:  # unpickling can raise anything
        raise ExportError("%s: %s: %s" % (path, kind(e), str(e).split("\n")[0] or "no reason given"))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--repo", default=".", help="root of the PTQ4SAM checkout (its classes are needed to unpickle)")
    ap.add_argument("--pickle", help="object saved by PTQ4SAM --save_sam_path")
    ap.add_argument("--out")
    ap.add_argument("--check-against", metavar="SAM.pth")
    ap.add_argument("--save-fixed", metavar="FIXED.pth")
    ap.add_argument("--self-test", action="store_true")
    a = ap.parse_args()
    if a.self_test:
        from export_self_test import self_test
        return self_test()
    need(a.pickle and a.out, "--pickle and --out are required")
    sys.path[:0] = [a.repo, os.path.join(a.repo, "ptq4sam", "solver")]
    obj = load_pickle(a.pickle)
    need(not isinstance(obj, dict), "this is a state dict; save the whole object instead")
    tensors, meta, rep = convert(obj)
    if a.check_against:
        check_against(tensors, load_pickle(a.check_against))
    write_safetensors(a.out, tensors, meta)
    soft = [f for _, f in rep["soft"]]
    print("layers: %d still soft (hardened here, mean undecided share %.4f), %d already hard, %d nearest"
          % (len(soft), float(np.mean(soft)) if soft else 0.0, len(rep["hard"]), len(rep["nearest"])))
    print("BIG folded at: %s" % (rep["big"] or "none"))
    if rep["drop_active"]:
        print("note: %d activation quantisers still had dropping on; accuracy measured with this object was "
              "not that of a fully quantised model (see --save-fixed)" % len(rep["drop_active"]))
    if rep["agq_late_init"]:
        print("note: AGQ chosen from observer data at %d sites" % len(rep["agq_late_init"]))
    if a.save_fixed:
        harden_in_place(obj)
        torch.save(obj, a.save_fixed)
    print("wrote %s (%d tensors)" % (a.out, len(tensors)))


if __name__ == "__main__":
    try:
        main()
    except (ExportError, OSError) as e:
        sys.exit("export failed: %s" % e)
