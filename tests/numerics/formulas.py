"""The formulas of docs/numerics.md in Python's unbounded integers: a second spelling, independent of the C++ one.

make_vectors.py computes the expected outputs of every kernel with them.
"""

import math

R24 = 2**23 - 1


def clamp(x, lo, hi):
    return max(lo, min(hi, x))


def rsh(x, s):
    """Nearest integer to x / 2^s, ties upwards."""
    return (2 * x + 2**s) // 2 ** (s + 1)


def sat16(x):
    return clamp(x, -32768, 32767)


def mrs(a, b):
    return rsh(a * b, 15)


def fdr(n, d):
    return (2 * n + d) // (2 * d)


def code16(y, k, z, lo, hi):
    return clamp(sat16(y + z * 2**k + 2**k // 2) // 2**k, lo, hi)


def rq16w(acc, m, p):
    return mrs(sat16(rsh(acc, p)), m)


def rq16(acc, m, p, k, z, lo, hi):
    return code16(rq16w(acc, m, p), k, z, lo, hi)


def rq32(acc, m, s):
    return rsh(acc * m, s)


GELU = [
    (1, 8177, -1605),
    (6578, 4943, -1413),
    (10114, 2102, -1080),
    (11143, -61, -688),
    (10401, -1429, -320),
    (8657, -2055, -37),
    (6569, -2113, 138),
    (4595, -1825, 212),
    (2982, -1393, 214),
    (1802, -961, 177),
    (1017, -607, 128),
    (537, -353, 82),
    (265, -190, 48),
    (123, -95, 26),
    (53, -44, 13),
    (22, -19, 6),
]


def gelu(x, e):
    a, relu = abs(x), max(x, 0)
    if a >= 4 * 2**e:
        return relu
    segment, rest = divmod(a, 2 ** (e - 2))
    u = rest * 2 ** (17 - e)
    c0, c1, c2 = GELU[segment]
    return relu - max(0, rsh(mrs(mrs(c2, u) + c1, u) + c0, 16 - e))


def ln_statistics(x, epsilon, sqrt_c):
    mu = fdr(sum(x), len(x))
    d = [v - mu for v in x]
    w_sum = epsilon + sum(v * v for v in d)
    h = (w_sum.bit_length() - 23) // 2
    w = w_sum // 4**h if h >= 0 else w_sum * 4**-h
    return d, h, rsh(math.isqrt(2**62 // w) * sqrt_c, 16)


def ln_narrow(x, epsilon, sqrt_c, gain, bias, k, lo, hi):
    d, h, rc = ln_statistics(x, epsilon, sqrt_c)
    nb = rc.bit_length()
    r16 = rsh(rc, nb - 15)
    if r16 == 2**15:
        r16, nb = 2**14, nb + 1
    hh = 22 + h - nb
    t = [sat16(rsh(v, hh) if hh >= 0 else v * 2**-hh) for v in d]
    return [clamp((mrs(v, r16) * g + b) // 2**k, lo, hi) for v, g, b in zip(t, gain, bias)]


def ln_wide(x, epsilon, sqrt_c, gain, bias, shift):
    d, h, rc = ln_statistics(x, epsilon, sqrt_c)
    return [clamp(rsh(rsh(v * rc, 15 + h) * g + b, shift), -32767, 32767) for v, g, b in zip(d, gain, bias)]


def distance(u, p, mu16):
    if p >= 0:
        d, top = min(u // 2**p, 65535), 65535
    else:
        widest = 65535 // 2**-p
        d, top = min(u, widest) * 2**-p, widest * 2**-p
    return 65535 if d == top else d * mu16 // 65536


def exp2_negative(t):
    i, f = divmod(t, 2048)
    e0 = mrs(mrs(mrs(-1296, 16 * f) + 7566, 16 * f) - 22654, 16 * f) + 32767
    return rsh(e0, i) if i <= 15 else 0


def attention_output(n, s, mult, shift, lo, hi):
    bits = s.bit_length()
    rm = min(2**61 // (s * 2 ** (31 - bits)), 2**31 - 1)
    h = max(0, bits - 22)
    return clamp(rsh(rsh(n, h) * rsh(rm * mult, 31), shift + bits - 1 - h), lo, hi)


L2T = [round(2048 * math.log2(1 + j / 64)) for j in range(65)]
SINE = [round(32767 * math.sin(math.pi * i / 512)) for i in range(257)]


def log2_q11(s):
    n = s.bit_length() - 1
    j, r = divmod(s * 65536 // 2**n - 65536, 1024)
    return n * 2048 + L2T[j] + ((L2T[min(j + 1, 64)] - L2T[j]) * r + 512) // 1024


def sine(phase):
    quadrant, a = divmod(phase, 2**30)
    if quadrant % 2:
        a = 2**30 - a
    i, r = a // 2**22, a % 2**22 // 64
    v = SINE[i] + rsh((SINE[min(i + 1, 256)] - SINE[i]) * r, 16)
    return -v if quadrant >= 2 else v


def agq_codes(t, total, log2_scale, kt, bits):
    row = log2_q11(total) - 15 * 2048 + log2_scale
    return [clamp(rsh(v + row, 11 - kt), 0, 2**bits) for v in t]


def agq_decode(bits, kt):
    mantissas = [round(32767 * 2.0 ** (-r / 2**kt)) for r in range(2**kt)]
    return [rsh(mantissas[q % 2**kt], q >> kt) if q >> kt <= 20 else 0 for q in range(2**bits)] + [0]


def uniform_codes(e, total, mult, shift, bits):
    quotient = mult * 2**44 // total
    n = quotient.bit_length()
    sh = 45 + shift - n
    y = [2 * v * (quotient // 2 ** (n - 16)) // 65536 for v in e]
    return [min(2**bits - 1, rsh(v, sh) if sh >= 0 else min(v, 255) * 2 ** min(-sh, 8)) for v in y]


# ---------------------------------------------------------------- parameters, as a converter would choose them
def rq32_parameters(real):
    f, e = math.frexp(real)
    m, s = round(f * 2**31), 31 - e
    return (m // 2, s - 1) if m == 2**31 else (m, s)


def rq16_parameters(reals, k_max=6):
    exponents = [math.frexp(r)[1] - 1 for r in reals]
    mults = [round(r * 2.0 ** (14 - e)) for r, e in zip(reals, exponents)]
    exponents = [e + (m == 2**15) for e, m in zip(exponents, mults)]
    mults = [2**14 if m == 2**15 else m for m in mults]
    k = min(k_max, min(-e for e in exponents) - 1)
    return mults, [-e - 1 - k for e in exponents], k
