"""PTQ4SAM's quantisers and observers, written from its paper and code as docs/quantization.md describes them: running
means of extremes for activations, asymmetric codes per output channel for weights, adaptive granularity for softmax.
"""
import numpy as np
import torch

from torch_sam import Sites

TAUS = (1, 2, 4)
FLOOR = float(np.finfo(np.float32).eps)


def range_params(low, high, bits):
    """scale and zero point of a range that is made to hold 0."""
    top = 2 ** bits - 1
    low, high = torch.clamp(low, max=0.0), torch.clamp(high, min=0.0)
    scale = torch.clamp((high - low) / top, min=FLOOR).float()
    return scale, torch.clamp(-torch.round(low / scale), 0, top)


def fake_quantise(x, scale, zero, bits):
    return (torch.clamp(torch.round(x / scale) + zero, 0, 2 ** bits - 1) - zero) * scale


def agq(p, scale, tau, bits):
    t = torch.round(-tau * torch.log2(torch.clamp(p, min=1e-20) / scale))
    q = scale * torch.exp2(-torch.clamp(t, 0, 2 ** bits - 1) / tau)
    return torch.where(t >= 2 ** bits, torch.zeros_like(q), q)


class Observer(Sites):
    """Watches the unquantised model. One sample per call of a site, as in PTQ4SAM."""

    def __init__(self, softmax_bits, search_agq):
        self.extremes, self.errors = {}, {}
        self.softmax_bits, self.search_agq = softmax_bits, search_agq

    def activation(self, site, x):
        low, high, n = self.extremes.get(site, (0.0, 0.0, 0))
        self.extremes[site] = (low + float(x.min()), high + float(x.max()), n + 1)
        return x

    def softmax(self, attention, p, v):
        self.activation(attention + ".attn", p)
        if self.search_agq:
            self.errors.setdefault(attention, []).append([self.best_scale(p, v, tau) for tau in TAUS])
        return p

    def best_scale(self, p, v, tau):
        """(error, scale) of mean |p^ v - p v|^2.4: a grid, then a finer one around its best."""
        top = float(p.max())
        low, exact, best = min(0.1, 0.01 * top), p @ v, (float("inf"), top)
        for _ in range(2):
            grid = np.linspace(low, top, 17)
            for scale in grid[1:]:
                error = float(((agq(p, scale, tau, self.softmax_bits) @ v - exact).abs() ** 2.4).mean())
                best = min(best, (error, float(scale)))
            step = grid[1] - grid[0]
            low, top = max(low, best[1] - step), min(top, best[1] + step)
        return best

    def activation_params(self, bits):
        params = {}
        for site, (low, high, n) in self.extremes.items():
            if not site.endswith(".attn"):
                params[site] = range_params(torch.tensor(low / n), torch.tensor(high / n), bits)
        return params

    def softmax_params(self, attention):
        """(tau or None, scale): the smallest summed error, the mean of its scales; None: uniform."""
        if not self.search_agq:
            low, high, n = self.extremes[attention + ".attn"]
            return None, range_params(torch.tensor(0.0), torch.tensor(high / n), self.softmax_bits)[0]
        images = np.array(self.errors[attention])  # [image, tau, (error, scale)]
        i = int(images[:, :, 0].sum(0).argmin())
        return TAUS[i], torch.tensor(images[:, i, 1].mean()).float()


class FakeQuantised(Sites):
    """Quantises every site that it has parameters for; the others stay as they are."""

    def __init__(self, activations, weights, softmax, activation_bits):
        self.activations, self.weights, self.softmaxes = activations, weights, softmax
        self.bits = activation_bits

    def activation(self, site, x):
        if site not in self.activations:
            return x
        return fake_quantise(x, *self.activations[site], self.bits)

    def weight(self, layer, w):
        if layer not in self.weights:
            return w
        codes, scale, zero = self.weights[layer]
        shape = [-1] + [1] * (w.dim() - 1)
        return (codes - zero.reshape(shape)) * scale.reshape(shape)

    def softmax(self, attention, p, v):
        if attention not in self.softmaxes:
            return p
        tau, scale = self.softmaxes[attention]
        if tau is None:
            return fake_quantise(p, scale, 0.0, self.bits)
        return agq(p, scale, tau, self.bits)


class Moved(FakeQuantised):
    """The same with every value moved at random before it is rounded, by up to `share` of a code step."""

    def __init__(self, quantised, share):
        super().__init__(quantised.activations, quantised.weights, quantised.softmaxes, quantised.bits)
        self.share = share

    def activation(self, site, x):
        if site in self.activations:
            x = x + (2 * torch.rand_like(x) - 1) * self.share * float(self.activations[site][0])
        return super().activation(site, x)


def weight_codes(w, bits):
    """(codes as whole floats, scale[Cout], zero[Cout]): extremes of each output channel."""
    flat = w.reshape(w.shape[0], -1)
    scale, zero = range_params(flat.min(1)[0], flat.max(1)[0], bits)
    shape = [-1] + [1] * (w.dim() - 1)
    codes = torch.clamp(torch.round(w / scale.reshape(shape)) + zero.reshape(shape), 0, 2 ** bits - 1)
    return codes, scale, zero
