"""Scores, gates and images that are wrong on purpose, each named after its bug."""

import numpy as np

from faulty.activations import Sigmoid
from faulty.base import Node, fault, sigmoid, softmax
from gradproof import constant, labels


class SigmoidGradForGrads(Sigmoid):
    def __init__(self):
        self.params, self.grad = [], []


class ClassScores(Node):
    """Mean over the batch of -log softmax(x)_t; t holds labels (n,), or one-hot rows (n, c)."""

    def forward(self, x, t):
        self.y, self.t = softmax(x), t.argmax(axis=1) if t.ndim == 2 else t
        return -np.log(self.y[np.arange(len(x)), self.t]).sum() / len(x)

    def backward(self, dout=1):
        dx = self.y.copy()
        dx[np.arange(len(dx)), self.t] -= 1
        return dx * dout / len(dx)


class LabelsOfOneClassTakenForOneHot(ClassScores):
    def forward(self, x, t):
        return super().forward(x, t.argmax(axis=1) if t.size == x.size else t)


class SoftmaxNeverDefined(ClassScores):
    def forward(self, x, t):
        self.y = softmaks(x)  # noqa: F821  the slip
        return super().forward(x, t)


class UpdateGate(Node):
    """h' = z h + (1 - z) g with z = sigmoid(a)."""

    def forward(self, a, h, g):
        self.z, self.h, self.g = sigmoid(a), h, g
        return self.z * h + (1 - self.z) * g

    def backward(self, dout):
        da = dout * (self.h - self.g) * self.z * (1 - self.z)
        return da, dout * self.z, dout * (1 - self.z)


class UpdateGateOfTheOldStateAlone(UpdateGate):
    def backward(self, dout):
        da = dout * self.h * self.z * (1 - self.z)
        return da, dout * self.z, dout * (1 - self.z)


class UpdateGateComplementForgotten(UpdateGate):
    def backward(self, dout):
        da = dout * (self.h - self.g) * self.z * (1 - self.z)
        return da, dout * self.z, dout * self.z


class ColumnsOfImages:
    """x (n, c, h, w) with 1 x 1 kernels W (f, c)."""

    def __init__(self, W):
        self.params, self.grads = [W], [np.zeros_like(W)]

    def forward(self, x):
        self.x = x
        return np.einsum("fc,nchw->nfhw", self.params[0], x)

    def backward(self, dout):
        self.grads[0][...] = np.einsum("nfhw,nchw->fc", dout, self.x)
        return np.einsum("fc,nfhw->nchw", self.params[0], dout)


class ColumnsOfImagesFirstChannelOnly(ColumnsOfImages):
    def backward(self, dout):
        dx = super().backward(dout)
        dx[:, 1:] = 0
        return dx


class ColumnsOfImagesLastFilterForgotten(ColumnsOfImages):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads[0][-1] = 0
        return dx


class UnitRows(Node):
    """Each row divided by its length."""

    def forward(self, x):
        self.length = np.sqrt((x**2).sum(axis=1, keepdims=True)) + 1e-4
        self.x, self.bare = x, self.length - 1e-4
        return x / self.length

    def backward(self, dout):
        along = (dout * self.x).sum(axis=1, keepdims=True)
        return dout / self.length - self.x * along / (self.length**2 * np.maximum(self.bare, 1e-300))


class UnitRowsWithoutEpsilonBehind(UnitRows):
    def backward(self, dout):
        along = (dout * self.x).sum(axis=1, keepdims=True)
        return dout / self.length - self.x * along / self.length**3


class UnitRowsLengthTakenAsConstant(UnitRows):
    def backward(self, dout):
        return dout / self.length


class ColumnWeights:
    """x (n, d) times one weight a column, minus t, squared and summed."""

    def __init__(self, w):
        self.params, self.grads = [w], [np.zeros_like(w)]

    def forward(self, x, t):
        self.x, self.residual = x, self.params[0] * x - t
        return (self.residual**2).sum()

    def backward(self, dout=1):
        d = 2 * dout * self.residual
        self.grads[0][...] = (d * self.x).sum(axis=0)
        return d * self.params[0]


class ColumnWeightsFirstColumnForgotten(ColumnWeights):
    def backward(self, dout=1):
        dx = super().backward(dout)
        dx[:, 0] = 0
        return dx


class ColumnWeightsSquaredAgain(ColumnWeights):
    def backward(self, dout=1):
        super().backward(dout)
        return 2 * dout * self.residual * self.params[0] ** 2


FACTOR = "a factor left out"
SCORES = {"x": "n c", "t": labels("n", "c")}
GATE = {"a": "n d", "h": "n d", "g": "n d"}
IMAGES = {"W": "f c", "x": "n c h w"}
FIT = {"w": "d", "x": "n d", "t": constant("n d")}
FAULTS = (
    fault(SigmoidGradForGrads, Sigmoid, "", "wrong form", "lists out of step", x="n d"),
    fault(LabelsOfOneClassTakenForOneHot, ClassScores, "", "crash", **SCORES),
    fault(SoftmaxNeverDefined, ClassScores, "", "crash", **SCORES),
    fault(UpdateGateOfTheOldStateAlone, UpdateGate, "a", "a term missing", **GATE),
    fault(
        UpdateGateComplementForgotten,
        UpdateGate,
        "g",
        "gradients swapped",
        "the wrong operand",
        "a factor left out",
        **GATE,
    ),
    fault(ColumnsOfImagesFirstChannelOnly, ColumnsOfImages, "x", "one channel wrong", "not broadcast back", **IMAGES),
    fault(ColumnsOfImagesLastFilterForgotten, ColumnsOfImages, "W", "one row wrong", **IMAGES),
    fault(UnitRowsWithoutEpsilonBehind, UnitRows, "x", "epsilon left out", "constant mistyped", x="n d"),
    fault(UnitRowsLengthTakenAsConstant, UnitRows, "x", "a term missing", x="n d"),
    fault(ColumnWeightsFirstColumnForgotten, ColumnWeights, "x", "one column wrong", **FIT),
    fault(ColumnWeightsSquaredAgain, ColumnWeights, "x", "wrong power", "a factor too many", **FIT),
)
