"""Embeddings, images, sequences and dropout that are wrong on purpose, each named after its bug."""

import numpy as np

from faulty.base import Node, fault, softmax
from gradproof import labels


class Embedding:
    def __init__(self, W):
        self.params, self.grads = [W], [np.zeros_like(W)]

    def forward(self, ids):
        self.ids = ids
        return self.params[0][ids]

    def backward(self, dout):
        self.grads[0][...] = 0
        np.add.at(self.grads[0], self.ids, dout)


class DuplicateIdsOverwritten(Embedding):
    def backward(self, dout):
        self.grads[0][...] = 0
        self.grads[0][self.ids] = dout


class DuplicateIdsAddedOnce(Embedding):
    def backward(self, dout):
        self.grads[0][...] = 0
        self.grads[0][self.ids] += dout


class MaxPool(Node):
    """x (n, 2 l): the larger of each pair."""

    def forward(self, x):
        self.pairs = x.reshape(len(x), -1, 2)
        return self.pairs.max(axis=2)

    def backward(self, dout):
        d = np.zeros_like(self.pairs)
        np.put_along_axis(d, self.pairs.argmax(axis=2)[..., None], dout[..., None], axis=2)
        return d.reshape(len(d), -1)


class MaxPoolNearTiesAllReceiveDout(MaxPool):
    def backward(self, dout):
        largest = np.isclose(self.pairs, self.pairs.max(axis=2, keepdims=True), rtol=0.1)
        return (largest * dout[..., None]).reshape(len(dout), -1)


class MaxPoolSplitsDout(MaxPool):
    def backward(self, dout):
        return np.repeat(dout, 2, axis=1) / 2


class MaxPoolSmallestReceivesDout(MaxPool):
    def backward(self, dout):
        d = np.zeros_like(self.pairs)
        np.put_along_axis(d, self.pairs.argmin(axis=2)[..., None], dout[..., None], axis=2)
        return d.reshape(len(d), -1)


class AveragePool(Node):
    def forward(self, x):
        return x.reshape(len(x), -1, 2).mean(axis=2)

    def backward(self, dout):
        return np.repeat(dout, 2, axis=1) / 2


class AveragePoolWithoutDivision(AveragePool):
    def backward(self, dout):
        return np.repeat(dout, 2, axis=1)


class Conv:
    """Cross-correlation of x (n, l + k - 1) with one kernel w (k,)."""

    def __init__(self, w):
        self.params, self.grads = [w], [np.zeros_like(w)]

    def forward(self, x):
        self.x, k = x, len(self.params[0])
        self.length = x.shape[1] - k + 1
        return sum(self.params[0][j] * x[:, j : j + self.length] for j in range(k))

    def backward(self, dout):
        for j in range(len(self.grads[0])):
            self.grads[0][j] = (dout * self.x[:, j : j + self.length]).sum()
        return self.spread(dout, self.params[0])

    def spread(self, dout, kernel):
        dx = np.zeros_like(self.x)
        for j in range(len(kernel)):
            dx[:, j : j + self.length] += kernel[j] * dout
        return dx


class KernelFlipped(Conv):
    def spread(self, dout, kernel):
        return super().spread(dout, kernel[::-1])


class OverlapsOverwritten(Conv):
    def spread(self, dout, kernel):
        dx = np.zeros_like(self.x)
        for j in range(len(kernel)):
            dx[:, j : j + self.length] = kernel[j] * dout
        return dx


class LastTapForgotten(Conv):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads[0][-1] = 0
        return dx


class ChannelScale:
    """x (n, c, l) times one gamma a channel."""

    def __init__(self, gamma):
        self.params, self.grads = [gamma], [np.zeros_like(gamma)]

    def forward(self, x):
        self.x = x
        return self.params[0][:, None] * x

    def backward(self, dout):
        self.grads[0][...] = (dout * self.x).sum(axis=(0, 2))
        return self.params[0][:, None] * dout


class FirstChannelWrong(ChannelScale):
    def backward(self, dout):
        dx = super().backward(dout)
        dx[:, 0] = dout[:, 0]
        return dx


class ChannelScaleOfLastPosition(ChannelScale):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads[0][...] = (dout * self.x)[:, :, -1].sum(axis=0)
        return dx


class Pad(Node):
    """One zero on either side of each row."""

    def forward(self, x):
        return np.pad(x, ((0, 0), (1, 1)))

    def backward(self, dout):
        return dout[:, 1:-1].copy()


class PaddingCutFromOneSide(Pad):
    def backward(self, dout):
        return dout[:, 2:].copy()


class Mask(Node):
    """Square images x (n, s, s), weighted by row."""

    def forward(self, x):
        self.weights = np.arange(1, x.shape[1] + 1, dtype=x.dtype)[:, None]
        return self.weights * x

    def backward(self, dout):
        return self.weights * dout


class HeightAndWidthSwapped(Mask):
    def backward(self, dout):
        return self.weights.T * dout


class Gate(Node):
    """x (n, 2 h): tanh of the first half, scaled by the second."""

    def forward(self, x):
        a, self.b = np.split(x, 2, axis=1)
        self.t = np.tanh(a)
        return self.t * self.b

    def backward(self, dout):
        return np.concatenate([dout * self.b * (1 - self.t**2), dout * self.t], axis=1)


class GateHalvesSwapped(Gate):
    def backward(self, dout):
        return np.concatenate([dout * self.t, dout * self.b * (1 - self.t**2)], axis=1)


class Attention(Node):
    def forward(self, q, k, v):
        self.q, self.k, self.v = q, k, v
        self.scale = float(np.sqrt(q.shape[1]))
        self.a = softmax(np.matmul(q, k.T) / self.scale)
        return np.matmul(self.a, v)

    def backward(self, dout):
        ds = self.score_gradient(np.matmul(dout, self.v.T)) / self.scale
        return np.matmul(ds, self.k), np.matmul(ds.T, self.q), np.matmul(self.a.T, dout)

    def score_gradient(self, da):
        return self.a * (da - (da * self.a).sum(axis=1, keepdims=True))


class AttentionScaleForgotten(Attention):
    def score_gradient(self, da):
        return super().score_gradient(da) * self.scale


class AttentionWithoutCoupling(Attention):
    def score_gradient(self, da):
        return self.a * (1 - self.a) * da


ATTENTION = {"q": "t d", "k": "s d", "v": "s e"}
PAIRS = {"x": "n 2*l"}
FAULTS = (
    fault(DuplicateIdsOverwritten, Embedding, "W", "overwritten, not added", W="v d", ids=labels("n", "v")),
    fault(DuplicateIdsAddedOnce, Embedding, "W", "overwritten, not added", W="v d", ids=labels("n", "v")),
    fault(MaxPoolNearTiesAllReceiveDout, MaxPool, "x", "one region of values wrong", **PAIRS),
    fault(MaxPoolSplitsDout, MaxPool, "x", "the forward is the wrong side", **PAIRS),
    fault(MaxPoolSmallestReceivesDout, MaxPool, "x", "entries permuted", "the forward is the wrong side", **PAIRS),
    fault(AveragePoolWithoutDivision, AveragePool, "x", "constant factor", **PAIRS),
    fault(KernelFlipped, Conv, "x", "entries permuted", "the wrong operand", w="k", x="n l+k-1"),
    fault(OverlapsOverwritten, Conv, "x", "not summed", "overwritten, not added", w="k", x="n l+k-1"),
    fault(LastTapForgotten, Conv, "w", "one entry wrong", "never written", w="k", x="n l+k-1"),
    fault(FirstChannelWrong, ChannelScale, "x", "one channel wrong", "a factor left out", gamma="c", x="n c l"),
    fault(ChannelScaleOfLastPosition, ChannelScale, "gamma", "not summed", gamma="c", x="n c l"),
    fault(PaddingCutFromOneSide, Pad, "x", "entries permuted", x="n l"),
    fault(HeightAndWidthSwapped, Mask, "x", "transpose", "the wrong operand", x="n s s"),
    fault(GateHalvesSwapped, Gate, "x", "entries permuted", "gradients swapped", x="n 2*h"),
    fault(AttentionScaleForgotten, Attention, "q k", "a dim as factor", "a factor left out", **ATTENTION),
    fault(AttentionWithoutCoupling, Attention, "q k", "a term missing", **ATTENTION),
)
