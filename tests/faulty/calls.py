"""Layers whose second call is wrong, or whose lists are, each named after its bug."""

import numpy as np

from faulty.activations import Sigmoid
from faulty.affine import AFFINE, Affine
from faulty.base import Node, fault, softmax
from faulty.norms import LayerNorm
from faulty.structures import Embedding
from gradproof import labels


class AffineGradientsAdded(Affine):
    def backward(self, dout):
        self.grads[0] += self.weight_gradient(dout)
        self.grads[1] += self.bias_gradient(dout)
        return self.input_gradient(dout)


class EmbeddingNeverReset(Embedding):
    def backward(self, dout):
        np.add.at(self.grads[0], self.ids, dout)


class NormGradientsAdded(LayerNorm):
    def backward(self, dout):
        self.grads[0] += (dout * self.xhat).sum(axis=0)
        self.grads[1] += dout.sum(axis=0)
        return self.input_gradient(dout * self.params[0])


class AffineListRebound(Affine):
    def backward(self, dout):
        self.grads = [self.weight_gradient(dout), self.bias_gradient(dout)]
        return self.input_gradient(dout)


class AffineSlotRebound(Affine):
    def backward(self, dout):
        self.grads[0] = self.weight_gradient(dout)
        self.grads[1][...] = self.bias_gradient(dout)
        return self.input_gradient(dout)


class EmbeddingSlotRebound(Embedding):
    def backward(self, dout):
        dW = np.zeros_like(self.params[0])
        np.add.at(dW, self.ids, dout)
        self.grads[0] = dW


class AffineKeepsTheFirstInput(Affine):
    x = None

    def forward(self, x):
        if self.x is None:
            self.x = x
        W, b = self.params
        return np.matmul(x, W) + b


class SigmoidAppendsItsOutputs(Sigmoid):
    outs = ()

    def forward(self, x):
        self.outs = [*self.outs, super().forward(x)]
        return self.outs[-1]

    def backward(self, dout):
        return dout * self.outs[0] * (1 - self.outs[0])


class EmbeddingOfTheFirstIds(Embedding):
    ids = None

    def forward(self, ids):
        if self.ids is None:
            self.ids = ids
        return self.params[0][ids]


class NormalizedWeights(Affine):
    """Each column of W is divided by its length, in forward only: W itself is a constant of training here."""

    def forward(self, x):
        W, b = self.params
        self.x, self.length = x, np.sqrt((W**2).sum(axis=0) + 1e-6)
        return np.matmul(x, W / self.length) + b

    def input_gradient(self, dout):
        return np.matmul(dout / self.length, self.params[0].T)

    def weight_gradient(self, dout):
        unit, d = self.params[0] / self.length, np.matmul(self.x.T, dout)
        return (d - unit * (unit * d).sum(axis=0)) / self.length


class NormalizedWeightsInPlace(NormalizedWeights):
    def forward(self, x):
        W, b = self.params
        self.x, self.length = x, np.sqrt((W**2).sum(axis=0) + 1e-6)
        W /= self.length
        return np.matmul(x, W) + b


class RowSoftmax(Node):
    def forward(self, x):
        self.y = softmax(x)
        return self.y

    def backward(self, dout):
        return self.y * (dout - (dout * self.y).sum(axis=1, keepdims=True))


class RowSoftmaxShiftsItsInput(RowSoftmax):
    def forward(self, x):
        x -= x.max(axis=1, keepdims=True)
        return super().forward(x)


class AffineStepsInsideBackward(Affine):
    def backward(self, dout):
        dx = super().backward(dout)
        for param, grad in zip(self.params, self.grads, strict=True):
            param -= 0.1 * grad
        return dx


class AffineWeightsCopiedForTheList(Affine):
    def __init__(self, W, b):
        super().__init__(W, b)
        self.W = W.copy()

    def forward(self, x):
        self.x = x
        return np.matmul(x, self.W) + self.params[1]

    def input_gradient(self, dout):
        return np.matmul(dout, self.W.T)


class AffineListsInOtherOrder(Affine):
    def __init__(self, W, b):
        super().__init__(W, b)
        self.grads = self.grads[::-1]

    def backward(self, dout):
        self.grads[1][...] = self.weight_gradient(dout)
        self.grads[0][...] = self.bias_gradient(dout)
        return self.input_gradient(dout)


LOOK_UP = {"W": "v d", "ids": labels("n", "v")}
NORM = {"gamma": "d", "beta": "d", "x": "n d"}
FAULTS = (
    fault(AffineGradientsAdded, Affine, "", "accumulates", **AFFINE),
    fault(EmbeddingNeverReset, Embedding, "", "accumulates", **LOOK_UP),
    fault(NormGradientsAdded, LayerNorm, "", "accumulates", **NORM),
    fault(AffineListRebound, Affine, "", "list rebound", **AFFINE),
    fault(AffineSlotRebound, Affine, "", "list rebound", **AFFINE),
    fault(EmbeddingSlotRebound, Embedding, "", "list rebound", **LOOK_UP),
    fault(AffineKeepsTheFirstInput, Affine, "", "stale cache", **AFFINE),
    fault(SigmoidAppendsItsOutputs, Sigmoid, "", "stale cache", x="n d"),
    fault(EmbeddingOfTheFirstIds, Embedding, "", "stale cache", **LOOK_UP),
    fault(NormalizedWeightsInPlace, NormalizedWeights, "W x", "mutates", **AFFINE),
    fault(RowSoftmaxShiftsItsInput, RowSoftmax, "", "mutates", x="n d"),
    fault(AffineStepsInsideBackward, Affine, "", "mutates", **AFFINE),
    fault(AffineWeightsCopiedForTheList, Affine, "W", "lists out of step", **AFFINE),
    fault(AffineListsInOtherOrder, Affine, "W b", "lists out of step", "wrong form", "gradients swapped", **AFFINE),
)
