#!/usr/bin/env python3
"""Writes vectors.txt: inputs and expected outputs for every kernel of kernels/kernels.h.

The expected outputs come from formulas.py.
With --prototype FILE every expected value is also computed by that numpy prototype module and must be equal.

Usage: make_vectors.py [--prototype numerics_proto.py] [--output vectors.txt]

Format: `case <kernel>`, then one `<field> <integer>...` line per field, then an empty line. Rows are concatenated.
"""

import argparse
import importlib.util
import math
import os
import random

# fmt: off
from formulas import (
    R24, agq_codes, agq_decode, attention_output, clamp, code16, distance, exp2_negative, gelu, ln_narrow,
    ln_wide, log2_q11, mrs, rq16, rq16_parameters, rq16w, rq32, rq32_parameters, rsh, sine, uniform_codes)
# fmt: on

RNG = random.Random(20240229)
PROTO = None  # the prototype module, when given
LINES = []


def normal(sd, limit):
    return clamp(round(RNG.gauss(0, sd)), -limit, limit)


def case(kernel, **fields):
    LINES.append(f"case {kernel}")
    for name, value in fields.items():
        values = [value] if isinstance(value, int) else list(value)
        LINES.append(f"{name} " + " ".join(str(int(v)) for v in values))
    LINES.append("")


def check(mine, compute):
    """compute(prototype, int64 array maker) must give the same integers."""
    if PROTO is not None:
        theirs = [int(v) for v in compute(PROTO, lambda v: PROTO.np.array(v, PROTO.I)).ravel()]
        assert theirs == list(mine), "the prototype disagrees"


# ---------------------------------------------------------------- cases
def gemm_cases():
    for m, n, k, style in ((5, 19, 12, 0), (1, 16, 64, 0), (3, 33, 8, 1), (2, 5, 132, 2)):
        a = [[RNG.randrange(256) if style == 0 else 255 * ((i + c + style) % 2) for c in range(k)] for i in range(m)]
        w = [[RNG.randint(-127, 127) if style == 0 else (-127, 127)[(j + c) % 2] for c in range(k)] for j in range(n)]
        bias, zero = [RNG.randint(-(10**6), 10**6) for _ in range(n)], (0, 128, 255, 77)[style + (m == 1)]
        acc = [bias[j] + sum((x - zero) * y for x, y in zip(a[i], w[j])) for i in range(m) for j in range(n)]
        case("gemm_a8w8", m=m, n=n, k=k, zero=zero, a=sum(a, []), w=sum(w, []), bias=bias, acc=acc)
        a = [
            [RNG.randint(-32767, 32767) if style == 0 else (-32767, 32767)[(c + i) % 2] for c in range(k)]
            for i in range(m)
        ]
        acc = [bias[j] + sum(x * y for x, y in zip(a[i], w[j])) for i in range(m) for j in range(n)]
        case("gemm_a16w8", m=m, n=n, k=k, a=sum(a, []), w=sum(w, []), bias=bias, acc=acc)


def narrow_accumulators(rows, reals, shifts, spread):
    acc = []
    for i in range(rows):
        for real, p in zip(reals, shifts):
            limit = 2**31 - 1 - 2**p // 2
            edge = {0: limit, 1: -limit, 2: 2**p // 2, 3: -(2**p // 2), 4: 0}
            acc.append(edge.get(i) if i in edge else normal(spread / real, limit))
    return acc


def requantize_narrow_cases():
    for low, high, zero, lo, hi, spread, k_max in (
        (-14, -7, 128, 0, 255, 70, 6),
        (-7, -4, 7, 0, 15, 5, 6),
        (-12, -9, 40, 40, 255, 90, 6),
        (-30, -20, 0, 0, 127, 50, 6),
        (-9, -3, 200, 3, 250, 60, 0),
        (-20, -2, 255, 0, 255, 99, 3),
    ):
        n, rows = 21, 9
        reals = [2.0 ** RNG.uniform(low, high) for _ in range(n)]
        mult, shift, k = rq16_parameters(reals, k_max)
        shift = [min(p, 24) for p in shift]
        acc = narrow_accumulators(rows, reals, shift, spread)
        out = [rq16(a, mult[j % n], shift[j % n], k, zero, lo, hi) for j, a in enumerate(acc)]
        check(out, lambda p, v: p.rq16(v(acc).reshape(rows, n), v(shift), v(mult), k, p.I(zero), lo, hi))
        case(
            "requantize_narrow", rows=rows, n=n, k=k, zero=zero, lo=lo, hi=hi, mult=mult, shift=shift, acc=acc, out=out
        )


def requantize_gelu_cases():
    for e in (9, 10, 11, 12):
        n, rows, zero, lo, hi = 18, 12, 3 + 2 * e, 0, 255
        reals = [2.0 ** RNG.uniform(-6, -2) for _ in range(n)]
        mult, shift, _ = rq16_parameters(reals, 0)
        out_mult, _, k = rq16_parameters([2.0**-e / 0.026])
        acc = narrow_accumulators(rows, reals, shift, 2.0**e)
        values = [rq16w(a, mult[j % n], shift[j % n]) for j, a in enumerate(acc)]
        after = [gelu(v, e) for v in values]
        check(after, lambda p, v: p.gelu_w(v(values), e))
        out = [code16(mrs(v, out_mult[0]), k, zero, lo, hi) for v in after]
        check(out, lambda p, v: p.rq16(v(after), 0, v(out_mult)[0], k, p.I(zero), lo, hi))
        case(
            "requantize_gelu",
            rows=rows,
            n=n,
            unit_bits=e,
            out_mult=out_mult,
            k=k,
            zero=zero,
            lo=lo,
            hi=hi,
            mult=mult,
            shift=shift,
            acc=acc,
            out=out,
        )
        x = [RNG.randint(-32768, 32767) for _ in range(200)] + [-32768, -32767, 32767, 0, 1, -1]
        x += [
            s * (i * 2 ** (e - 2) + o) for i in range(17) for s in (-1, 1) for o in (-1, 0) if i * 2 ** (e - 2) < 32768
        ]
        y = [gelu(v, e) for v in x]
        check(y, lambda p, v: p.gelu_w(v(x), e))
        case("gelu_s16", unit_bits=e, x=x, out=y)


def requantize_32_cases():
    for variant in ("none", "add", "add16"):
        n, rows = 19, 7
        reals = [2.0 ** RNG.uniform(-28, 2) for _ in range(n)]
        mult, shift = zip(*map(rq32_parameters, reals))
        acc = [
            clamp(
                normal(2**22 / r, 2**31 - 1), -math.floor((2**31 - 2) / max(r, 1)), math.floor((2**31 - 2) / max(r, 1))
            )
            for _ in range(rows)
            for r in reals
        ]
        raw = [rq32(a, mult[j % n], shift[j % n]) for j, a in enumerate(acc)]
        check(raw, lambda p, v: p.rq32(v(acc).reshape(rows, n), v(mult), v(shift)))
        fields = dict(rows=rows, n=n, mult=mult, shift=shift, acc=acc)
        base = [0] * len(acc)
        if variant == "add":
            base = [RNG.choice((R24, -R24, RNG.randint(-R24, R24))) for _ in acc]
            fields["add"] = base
        if variant == "add16":
            fields["add16"] = [RNG.choice((32767, -32767, RNG.randint(-32767, 32767))) for _ in acc]
            base = [256 * v for v in fields["add16"]]
        case("requantize_r24", **fields, out=[clamp(b + clamp(r, -R24, R24), -R24, R24) for b, r in zip(base, raw)])
        for lo, hi in ((-32767, 32767), (0, 32767), (-2047, 2047))[: 3 if variant == "none" else 0]:
            case(
                "requantize_s16",
                rows=rows,
                n=n,
                mult=mult,
                shift=shift,
                acc=acc,
                lo=lo,
                hi=hi,
                out=[clamp(r, lo, hi) for r in raw],
            )


def quantize_cases():
    for variant, real in (("x", 0.004), ("xy", 0.0031), ("wide", 2.3e-5), ("x", 3.7), ("wide", 1.1e-9)):
        zero, lo, hi = RNG.choice(((128, 0, 255), (0, 0, 255), (9, 0, 15), (255, 3, 255)))
        mult, shift = rq32_parameters(real)
        limit = R24 if variant == "wide" else 32767
        x = [RNG.randint(-limit, limit) for _ in range(60)] + [limit, -limit, 0, 1, -1]
        y = [RNG.randint(-limit, limit) for _ in x] if variant == "xy" else []
        total = [a + b for a, b in zip(x, y)] if y else x
        raw = [rq32(v, mult, shift) for v in total]
        check(raw, lambda p, v: p.rq32(v(total), mult, shift))
        fields = {"wide" if variant == "wide" else "x": x}
        if y:
            fields["y"] = y
        case(
            "quantize_codes",
            **fields,
            mult=mult,
            shift=shift,
            zero=zero,
            lo=lo,
            hi=hi,
            out=[clamp(r + zero, lo, hi) for r in raw],
        )


def layer_norm_rows(channels, unit_rows):
    for style in unit_rows:
        if style == "plain":
            yield [normal(2**17, R24) for _ in range(channels)]
        elif style == "outlier":
            row = [normal(2**14, R24) for _ in range(channels)]
            row[3 % channels], row[channels // 2] = R24, -R24 // 2
            yield row
        elif style == "tiny":
            yield [RNG.randint(-3, 3) for _ in range(channels)]
        elif style == "constant":
            yield [-77777] * channels
        elif style == "full":
            yield [R24 if c % 2 else -R24 for c in range(channels)]
        elif style == "one":
            yield [0] * (channels - 1) + [1]


def layer_norm_cases():
    styles = ("plain", "outlier", "tiny", "constant", "full", "one")
    for channels, epsilon in ((1, 1), (21, 1), (48, 7), (192, 1920000), (67, 10**9), (130, 1)):
        rows = list(layer_norm_rows(channels, styles))
        sqrt_c = round(math.sqrt(channels) * 65536)
        gamma = [math.exp(RNG.gauss(0, 0.7)) * RNG.choice((1, -1)) for _ in range(channels)]
        beta = [RNG.gauss(0, 0.3) for _ in range(channels)]
        scale, zero, k = 0.03, 131, 20
        while True:
            gain = [round(g / (512 * scale) * 2**k) for g in gamma]
            bias = [round((b / scale + zero) * 2**k) + 2**k // 2 for b in beta]
            if all(abs(g) <= 32767 and 32768 * abs(g) + abs(b) < 2**31 for g, b in zip(gain, bias)):
                break
            k -= 1
        out = [ln_narrow(x, epsilon, sqrt_c, gain, bias, k, 0, 255) for x in rows]
        check(sum(out, []), lambda p, v: p.ln_narrow(v(rows), epsilon, sqrt_c, v(gain), v(bias), k, 0, 255))
        flat = sum(rows, [])
        case(
            "layer_norm_narrow",
            rows=len(rows),
            channels=channels,
            epsilon=epsilon,
            sqrt_c=sqrt_c,
            gain=gain,
            bias=bias,
            k=k,
            lo=0,
            hi=255,
            x=flat,
            out=sum(out, []),
        )
        scale = 6 / 32767
        sh = 22 - math.floor(math.log2(max(abs(g / scale) for g in gamma)))
        gain = [round(g / scale * 2.0**sh) for g in gamma]
        bias = [round(b / scale * 2.0 ** (sh + 16)) for b in beta]
        out = [ln_wide(x, epsilon, sqrt_c, gain, bias, sh + 16) for x in rows]
        check(sum(out, []), lambda p, v: p.ln_wide(v(rows), epsilon, sqrt_c, v(gain), v(bias), sh + 16, -32767, 32767))
        case(
            "layer_norm_wide",
            rows=len(rows),
            channels=channels,
            epsilon=epsilon,
            sqrt_c=sqrt_c,
            gain=gain,
            bias=bias,
            shift=sh + 16,
            x=flat,
            out=sum(out, []),
        )


def attention_cases():
    for side_h, side_w, biased, p, spread in (
        (7, 7, True, -1, 4000),
        (1, 37, False, 3, 10**6),
        (4, 9, True, 0, 9000),
        (1, 1, False, -15, 5),
        (5, 8, True, 15, 2**29),
        (1, 96, False, -15, 3),
        (14, 14, True, -2, 3000),
        (3, 11, True, -7, 300),
    ):
        count, d = side_h * side_w, RNG.choice((4, 8, 20))
        mu16 = RNG.choice((2**15, 2**16 - 1, RNG.randint(2**15, 2**16 - 1)))
        logits = [normal(spread, 2**30) for _ in range(count)]
        if count > 8:
            logits[5] = logits[2]
            logits[7] = -(2**30)
        rh = [normal(spread / 4, 2**28) for _ in range(side_h if biased else 0)]
        rw = [normal(spread / 4, 2**28) for _ in range(side_w if biased else 0)]
        total = [v + (rh[j // side_w] + rw[j % side_w] if biased else 0) for j, v in enumerate(logits)]
        t = [distance(max(total) - v, p, mu16) for v in total]
        check(t, lambda proto, v: proto.log2_units(v([total]), p, mu16))
        prob = [exp2_negative(v) for v in t]
        check(prob, lambda proto, v: proto.exp2_neg(v(t)))
        case(
            "softmax_row",
            side_h=side_h,
            side_w=side_w,
            shift=p,
            mult=mu16,
            logits=logits,
            rh=rh,
            rw=rw,
            prob=prob,
            sum=sum(prob),
        )

        values = [[RNG.randint(-128, 127) for _ in range(d)] for _ in range(count)]
        mix = [sum(e * v[c] for e, v in zip(prob, values)) for c in range(d)]
        case("attention_mix", count=count, d=d, prob=prob, v=sum(values, []), out=mix)
        mult, shift = rq32_parameters(2.0 ** RNG.uniform(-2, 2))
        s = sum(prob)
        out = [attention_output(n, s, mult, shift, -127, 127) for n in mix]
        check(out, lambda proto, v: proto.attn_out(v([mix]), v([s]), mult, shift, -127, 127))
        case("attention_output", d=d, mult=mult, shift=shift, lo=-127, hi=127, n=mix, sum=s, out=out)
    sums = [255, 32767, 2**22 - 1, 2**22, 2**31 - 65536, 2**31 - 1, 2**30, 1]
    for real in (1.3, 2.0**-31, 0.51):
        mult, shift = rq32_parameters(real)
        n = [[RNG.randint(-128 * s, 128 * s) for _ in range(3)] + [128 * s, -128 * s, 0] for s in sums]
        out = [attention_output(v, s, mult, shift, -127, 127) for row, s in zip(n, sums) for v in row]
        check(out, lambda proto, v: proto.attn_out(v(n), v(sums), mult, shift, -127, 127))
        case("attention_output", d=6, mult=mult, shift=shift, lo=-127, hi=127, n=sum(n, []), sum=sums, out=out)
    for d, limit, first in ((4, 127, 0), (24, 127, 3), (80, 32767, 5), (516, 32767, 0)):
        rows, count = (3, 7) if d < 500 else (2, 2)
        q = [RNG.choice((127, -127, RNG.randint(-127, 127))) for _ in range(rows * d)]
        table = [RNG.choice((limit, -limit, RNG.randint(-limit, limit))) for _ in range((first + count) * d)]
        mult, shift = rq32_parameters(2.0 ** RNG.uniform(-6, -1))
        sums = [
            sum(q[i * d + c] * table[(first + t) * d + c] for c in range(d)) for i in range(rows) for t in range(count)
        ]
        out = [rq32(s, mult, shift) for s in sums]
        check(out, lambda proto, v: proto.rq32(v(sums), mult, shift))
        case(
            "relative_position",
            rows=rows,
            d=d,
            first=first,
            count=count,
            mult=mult,
            shift=shift,
            q=q,
            table=table,
            out=out,
        )


def function_cases():
    s = [1, 2, 3, 255, 32767, 65535, 65536, 65537, 2**31 - 1] + [round(2 ** RNG.uniform(0, 31)) for _ in range(200)]
    out = [log2_q11(v) for v in s]
    check(out, lambda p, v: p.ilog2_q11(v(s)))
    case("log2", s=s, out=out)
    phase = [0, 2**30, 2**31, 3 * 2**30, 2**32 - 1] + [RNG.randrange(2**32) for _ in range(200)]
    out = [sine(v) for v in phase]
    check(out, lambda p, v: p.sin_turn(v(phase)))
    case("sine", phase=phase, out=out)
    for bits, kt in ((2, 0), (4, 0), (4, 1), (4, 2), (6, 1), (8, 0), (8, 2)):
        log2_scale, total = -RNG.randint(0, 4000), RNG.randint(32767, 2**27)
        t = [0, 65535] + [RNG.randrange(45000) for _ in range(60)]
        out = agq_codes(t, total, log2_scale, kt, bits)
        check(out, lambda p, v: p.agq_codes(v([t]), v([total]), log2_scale, kt, bits))
        decode = agq_decode(bits, kt)
        check(decode, lambda p, v: p.agq_dec(bits, kt))
        case("agq", bits=bits, kt=kt, log2_scale=log2_scale, sum=total, t=t, out=out, decode=decode)
    for bits, real in ((8, 255.0), (8, 2000.0), (4, 15.0), (6, 70.0), (8, 2.0**26), (2, 0.3)):
        f, e = math.frexp(real)
        mult, shift, total = min(round(f * 65536), 65535), 16 - e, RNG.randint(32767, 2**24)
        values = [0, 1, 32767] + [RNG.randrange(32768) for _ in range(60)]
        out = uniform_codes(values, total, mult, shift, bits)
        check(out, lambda p, v: p.sm_u8_codes(v([values]), v([total]), mult, shift, 2**bits - 1))
        case("uniform", bits=bits, mult=mult, shift=shift, sum=total, e=values, out=out)


# U8 and AGQ through the kernels: rows that end in codes, and sums that are scaled instead of divided.
def variant_cases():
    for side_h, side_w, biased, p, spread, bits, kt, log2_scale, step in (
        (5, 7, True, -2, 3000, 6, 2, -3000, None),
        (1, 50, False, 1, 20000, 8, 4, 1500, None),
        (1, 33, False, -5, 300, 4, 3, -12000, None),
        (3, 3, True, 0, 9000, 2, 0, 0, None),
        (1, 20, False, -2, 3000, 5, 1, -32767, None),
        (14, 14, True, -2, 3000, 8, None, None, 2.0**-10),
        (1, 50, False, 1, 20000, 4, None, None, 0.06),
        (2, 9, False, -3, 500, 6, None, None, 2.0**-28),
        (1, 5, False, -3, 500, 2, None, None, 1.9),
    ):
        count, d = side_h * side_w, 4
        mu16 = RNG.randint(2**15, 2**16 - 1)
        logits = [normal(spread, 2**30) for _ in range(count)]
        logits[count // 2] = -(2**30)
        rh = [normal(spread / 4, 2**28) for _ in range(side_h if biased else 0)]
        rw = [normal(spread / 4, 2**28) for _ in range(side_w if biased else 0)]
        row = [v + (rh[j // side_w] + rw[j % side_w] if biased else 0) for j, v in enumerate(logits)]
        t = [distance(max(row) - v, p, mu16) for v in row]
        e = [exp2_negative(v) for v in t]
        total = sum(e)
        fields = dict(bits=bits)
        if step is None:
            decode = agq_decode(bits, kt)
            prob = [decode[code] for code in agq_codes(t, total, log2_scale, kt, bits)]
            check(prob, lambda proto, v: proto.agq_dec(bits, kt)[proto.agq_codes(v(t), v(total), log2_scale, kt, bits)])
            fields |= dict(variant=2, tau_shift=kt, log2_scale=log2_scale)
            most = 32767
        else:
            fraction, exponent = math.frexp(1 / step)
            mult, shift = min(round(fraction * 65536), 65535), 16 - exponent
            prob = uniform_codes(e, total, mult, shift, bits)
            check(prob, lambda proto, v: proto.sm_u8_codes(v([e]), v([total]), mult, shift, 2**bits - 1))
            fields |= dict(variant=1, step_mult=mult, step_shift=shift)
            most = 2**bits - 1
        case(
            "softmax_row",
            side_h=side_h,
            side_w=side_w,
            shift=p,
            mult=mu16,
            **fields,
            logits=logits,
            rh=rh,
            rw=rw,
            prob=prob,
            sum=total,
        )
        n = [sum(v * RNG.randint(-127, 127) for v in prob) for _ in range(d)] + [127 * sum(prob), -128 * sum(prob)]
        pre_shift = max(0, (128 * most * 65536).bit_length() - 31)
        mult, shift = rq32_parameters(2.0**pre_shift / max(sum(prob), 1) * 2.0 ** RNG.uniform(-1, 1))
        out = [clamp(rq32(rsh(v, pre_shift), mult, shift), -127, 127) for v in n]
        check(out, lambda p, v: p.np.clip(p.rq32(p.rsh(v(n), pre_shift), mult, shift), -127, 127))
        fields = dict(d=len(n), mult=mult, shift=shift, pre_shift=pre_shift, lo=-127, hi=127)
        case("attention_output", **fields, n=n, sum=[], out=out)
    for bits, kt in ((2, 3), (6, 3), (8, 3), (5, 4), (8, 4)):
        log2_scale, total = RNG.randint(-8000, 4096), RNG.randint(32767, 2**27)
        t = [0, 65535] + [RNG.randrange(45000) for _ in range(60)]
        out = agq_codes(t, total, log2_scale, kt, bits)
        check(out, lambda p, v: p.agq_codes(v([t]), v([total]), log2_scale, kt, bits))
        decode = agq_decode(bits, kt)
        check(decode, lambda p, v: p.agq_dec(bits, kt))
        case("agq", bits=bits, kt=kt, log2_scale=log2_scale, sum=total, t=t, out=out, decode=decode)


def depthwise_cases():
    for kernel, least, most, w_max in (("depthwise_codes", 0, 255, 127), ("depthwise_s16", -32767, 32767, 2047)):
        for stride, count, channels, style in ((1, 5, 16, 0), (2, 4, 48, 0), (1, 3, 32, 1), (2, 1, 16, 1)):
            pixels = (count - 1) * stride + 3
            limits = (least, most)
            rows = [
                [
                    RNG.randint(least, most) if style == 0 else limits[(i + y) % 2]
                    for i in range(pixels * channels)
                ]
                for y in range(3)
            ]
            weight = [
                RNG.randint(-w_max, w_max) if style == 0 else (-w_max, w_max)[i % 2] for i in range(9 * channels)
            ]
            bias = [RNG.randint(-(10**6), 10**6) for _ in range(channels)]
            zero = RNG.choice((0, 128, 255, 77)) if least == 0 else 0
            acc = [
                bias[c]
                + sum(
                    (rows[ky][(x * stride + kx) * channels + c] - zero) * weight[(3 * ky + kx) * channels + c]
                    for ky in range(3)
                    for kx in range(3)
                )
                for x in range(count)
                for c in range(channels)
            ]
            case(
                kernel,
                stride=stride,
                count=count,
                channels=channels,
                zero=zero,
                rows=sum(rows, []),
                weight=weight,
                bias=bias,
                acc=acc,
            )


def s16_stream_cases():
    x = [R24, -R24, R24 - 127, 128 - R24] + [256 * v + d for v in (-32767, -2, -1, 0, 1, 32767) for d in (-128, -1, 127)]
    x = [clamp(v, -R24, R24) for v in x] + [RNG.randint(-R24, R24) for _ in range(11)]
    case("narrow_r24", x=x, out=[clamp(rsh(v, 8), -32767, 32767) for v in x])
    n, rows = 21, 3
    mult, shift = zip(*(rq32_parameters(2.0 ** RNG.uniform(-12, -4)) for _ in range(n)))
    acc = [RNG.randint(-(2**23), 2**23) for _ in range(rows * n)]
    add = [RNG.choice((32767, -32767, RNG.randint(-32767, 32767))) for _ in acc]
    for lo, hi in ((-32767, 32767), (0, 32767)):
        out = [clamp(b + rq32(a, mult[j % n], shift[j % n]), lo, hi) for j, (a, b) in enumerate(zip(acc, add))]
        case("requantize_s16", rows=rows, n=n, mult=mult, shift=shift, acc=acc, add=add, lo=lo, hi=hi, out=out)


def main():
    global PROTO
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prototype", help="numpy prototype module to compare every value with")
    parser.add_argument("--output", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "vectors.txt"))
    arguments = parser.parse_args()
    if arguments.prototype:
        spec = importlib.util.spec_from_file_location("prototype", arguments.prototype)
        PROTO = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(PROTO)
    for cases in (
        gemm_cases,
        requantize_narrow_cases,
        requantize_gelu_cases,
        requantize_32_cases,
        quantize_cases,
        layer_norm_cases,
        attention_cases,
        function_cases,
        variant_cases,
        depthwise_cases,
        s16_stream_cases,
    ):
        cases()
    with open(arguments.output, "w", encoding="ascii") as file:
        file.write("\n".join(LINES))
    print(f"{arguments.output}: {sum(1 for line in LINES if line.startswith('case '))} cases")


if __name__ == "__main__":
    main()
