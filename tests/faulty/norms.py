"""Softmax and normalisations that are wrong on purpose, each named after its bug."""

import numpy as np

from faulty.base import Node, fault, softmax


class Softmax(Node):
    def forward(self, x):
        self.y = softmax(x)
        return self.y

    def backward(self, dout):
        return self.y * (dout - (dout * self.y).sum(axis=-1, keepdims=True))


class SoftmaxWithoutCoupling(Softmax):
    def backward(self, dout):
        return self.y * (1 - self.y) * dout


class SoftmaxCoupledOverTheBatch(Softmax):
    def backward(self, dout):
        return self.y * (dout - (dout * self.y).sum(axis=0, keepdims=True))


class Centre(Node):
    """Each row minus its mean."""

    def forward(self, x):
        return x - x.mean(axis=1, keepdims=True)

    def backward(self, dout):
        return dout - dout.mean(axis=1, keepdims=True)


class CentreOverWrongAxis(Centre):
    def backward(self, dout):
        return dout - dout.mean(axis=0)


class CentreWithoutMean(Centre):
    def backward(self, dout):
        return dout.copy()


class Norm:
    """Standardise along ``axis``, then scale and shift each column."""

    axis = 0
    epsilon = 1e-6

    def __init__(self, gamma, beta):
        self.params = [gamma, beta]
        self.grads = [np.zeros_like(gamma), np.zeros_like(beta)]

    def forward(self, x):
        gamma, beta = self.params
        self.x = x
        self.centred = x - self.mean(x)
        self.sd = np.sqrt(self.mean(self.centred**2) + 1e-6)
        self.xhat = self.centred / self.sd
        return gamma * self.xhat + beta

    def mean(self, values):
        return values.mean(axis=self.axis, keepdims=True)

    def backward(self, dout):
        self.grads[0][...] = (dout * self.xhat).sum(axis=0)
        self.grads[1][...] = dout.sum(axis=0)
        return self.input_gradient(dout * self.params[0])

    def input_gradient(self, d):
        xhat = self.centred / np.sqrt(self.mean(self.centred**2) + self.epsilon)
        return (d - self.mean(d) - xhat * self.mean(d * xhat)) / self.sd


class BatchNorm(Norm):
    axis = 0


class BatchNormWithoutMeanTerm(BatchNorm):
    def input_gradient(self, d):
        return (d - self.xhat * self.mean(d * self.xhat)) / self.sd


class BatchNormStatisticsTakenAsConstants(BatchNorm):
    def input_gradient(self, d):
        return d / self.sd


class BatchNormEpsilonMistyped(BatchNorm):
    epsilon = 1e-7


class BatchNormScaleOfRawInput(BatchNorm):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads[0][...] = (dout * self.x).sum(axis=0)
        return dx


class BatchNormScaleLeftOut(BatchNorm):
    def backward(self, dout):
        super().backward(dout)
        return self.input_gradient(dout)


class LayerNorm(Norm):
    axis = 1


class LayerNormWithoutVarianceTerm(LayerNorm):
    def input_gradient(self, d):
        return (d - self.mean(d)) / self.sd


class LayerNormScaleInAnIntegerBuffer(LayerNorm):
    def backward(self, dout):
        dx = super().backward(dout)
        collected = np.array([0] * dout.shape[1])  # the slip: integers, which cut off what is written into them
        collected[...] = (dout * self.xhat).sum(axis=0)
        self.grads[0][...] = collected
        return dx


class LayerNormMeansOverTheBatch(LayerNorm):
    def input_gradient(self, d):
        return (d - d.mean(axis=0) - self.xhat * (d * self.xhat).mean(axis=0)) / self.sd


class LayerNormScaleAppliedLast(LayerNorm):
    def backward(self, dout):
        super().backward(dout)
        return self.params[0] * self.input_gradient(dout)


class RmsNorm(Node):
    def forward(self, x):
        self.rms = np.sqrt((x**2).mean(axis=1, keepdims=True) + 1e-6)
        self.xhat = x / self.rms
        return self.xhat

    def backward(self, dout):
        return (dout - self.xhat * (dout * self.xhat).mean(axis=1, keepdims=True)) / self.rms


class RmsTakenAsConstant(RmsNorm):
    def backward(self, dout):
        return dout / self.rms


class RmsProjectionSummed(RmsNorm):
    def backward(self, dout):
        return (dout - self.xhat * (dout * self.xhat).sum(axis=1, keepdims=True)) / self.rms


ROWS = {"x": "n d"}
NORM = {"gamma": "d", "beta": "d", "x": "n d"}
FAULTS = (
    fault(SoftmaxWithoutCoupling, Softmax, "x", "a term missing", x="n c"),
    fault(SoftmaxCoupledOverTheBatch, Softmax, "x", "sum over the wrong axis", x="n c"),
    fault(CentreOverWrongAxis, Centre, "x", "sum over the wrong axis", **ROWS),
    fault(CentreWithoutMean, Centre, "x", "a term missing", **ROWS),
    fault(BatchNormWithoutMeanTerm, BatchNorm, "x", "a term missing", **NORM),
    fault(BatchNormStatisticsTakenAsConstants, BatchNorm, "x", "a term missing", **NORM),
    fault(BatchNormEpsilonMistyped, BatchNorm, "x", "epsilon left out", "constant mistyped", **NORM),
    fault(
        BatchNormScaleOfRawInput,
        BatchNorm,
        "gamma",
        "pre-activation used for post-activation",
        "the wrong operand",
        **NORM,
    ),
    fault(BatchNormScaleLeftOut, BatchNorm, "x", "a factor left out", **NORM),
    fault(LayerNormWithoutVarianceTerm, LayerNorm, "x", "a term missing", **NORM),
    fault(LayerNormScaleInAnIntegerBuffer, LayerNorm, "gamma", "down-casts", **NORM),
    fault(LayerNormMeansOverTheBatch, LayerNorm, "x", "sum over the wrong axis", **NORM),
    fault(LayerNormScaleAppliedLast, LayerNorm, "x", "layers in the wrong order", "the wrong operand", **NORM),
    fault(RmsTakenAsConstant, RmsNorm, "x", "a term missing", **ROWS),
    fault(RmsProjectionSummed, RmsNorm, "x", "a dim as factor", **ROWS),
)
