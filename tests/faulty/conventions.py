"""Layers that keep their gradients elsewhere than in the book's lists, wrong on purpose, each named after its bug."""

import numpy as np

from faulty.base import fault


class AttributeDense:
    """W and b as attributes, dW and db beside them."""

    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, X):
        self.X = X
        return X @ self.W + self.b

    def backward(self, dZ):
        self.dW = self.X.T @ dZ
        self.db = dZ.sum(axis=0)
        return dZ @ self.W.T


class AttributeDenseBothDivided(AttributeDense):
    def backward(self, dZ):
        dX = super().backward(dZ)
        self.dW, self.db = self.dW / len(dZ), self.db / len(dZ)
        return dX


class AttributeDenseOfItsOutput(AttributeDense):
    def backward(self, dZ):
        dX = super().backward(dZ)
        self.dW = (self.X @ self.W + self.b).T @ dZ
        return dX


class AttributeDenseMinus(AttributeDense):
    def backward(self, dZ):
        dX = super().backward(dZ)
        self.db = -self.db
        return dX


class DictDense:
    """params["W"] and grads["W"]."""

    def __init__(self, W, b):
        self.params, self.grads = {"W": W, "b": b}, {"W": np.zeros_like(W), "b": np.zeros_like(b)}

    def forward(self, x):
        self.x = x
        return np.tanh(x @ self.params["W"] + self.params["b"])

    def backward(self, dout):
        da = dout * self.slope()
        self.grads["W"] = self.x.T @ da
        self.grads["b"] = da.sum(axis=0)
        return da @ self.params["W"].T

    def slope(self):
        return 1 - np.tanh(self.x @ self.params["W"] + self.params["b"]) ** 2


class DictDenseWithoutTanhInBackward(DictDense):
    def slope(self):
        return 1.0


class DictDenseSlopeOfTheScore(DictDense):
    def slope(self):
        return 1 - (self.x @ self.params["W"] + self.params["b"]) ** 2


class DictDenseKeyMistyped(DictDense):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads["B"] = self.grads["b"].copy()
        self.grads["b"] = np.zeros_like(self.params["b"])
        return dx


class ReturningNorm:
    """backward returns dx, dgamma, dbeta."""

    def __init__(self, gamma, beta):
        self.gamma, self.beta = gamma, beta

    def forward(self, x):
        centred = x - x.mean(axis=1, keepdims=True)
        self.sd = np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5)
        self.xhat = centred / self.sd
        return self.gamma * self.xhat + self.beta

    def backward(self, dout):
        return self.input_gradient(dout * self.gamma), (dout * self.xhat).sum(axis=0), dout.sum(axis=0)

    def input_gradient(self, d):
        spread = self.xhat * (d * self.xhat).mean(axis=1, keepdims=True)
        return (d - d.mean(axis=1, keepdims=True) - spread) / self.sd


class ReturningNormInOtherOrder(ReturningNorm):
    def backward(self, dout):
        return self.input_gradient(dout * self.gamma), dout.sum(axis=0), (dout * self.xhat).sum(axis=0)


class ReturningNormMeanNotDifferentiated(ReturningNorm):
    def input_gradient(self, d):
        return (d - self.xhat * (d * self.xhat).mean(axis=1, keepdims=True)) / self.sd


class ReturningNormSummedForMean(ReturningNorm):
    def input_gradient(self, d):
        spread = self.xhat * (d * self.xhat).mean(axis=1, keepdims=True)
        return (d - d.sum(axis=1, keepdims=True) - spread) / self.sd


class Parameter:
    """A value and its gradient."""

    def __init__(self, value):
        self.value, self.grad = value, np.zeros_like(value)


class ParameterScale:
    """Parameters are objects with value and grad; the methods have other names."""

    def __init__(self, w):
        self.w = Parameter(w)

    def forward_pass(self, x):
        self.x = x
        return x * self.w.value

    def backward_pass(self, dout):
        self.w.grad = (dout * self.x).sum(axis=0)
        return dout * self.w.value


class ParameterScaleNotScaled(ParameterScale):
    def backward_pass(self, dout):
        super().backward_pass(dout)
        return dout.copy()


class ParameterScaleOfTheLastRow(ParameterScale):
    def backward_pass(self, dout):
        dx = super().backward_pass(dout)
        self.w.grad = (dout * self.x)[-1]
        return dx


DENSE = {"W": "d h", "b": "h"}
NORM = {"gamma": "d", "beta": "d", "x": "n d"}
SCALE = {"w": "d", "x": "n d"}
FACTOR = "a factor left out"
FAULTS = (
    fault(AttributeDenseBothDivided, AttributeDense, "W b", "extra mean over the batch", **DENSE, X="n d"),
    fault(AttributeDenseOfItsOutput, AttributeDense, "W", "the wrong operand", W="d d", b="d", X="n d"),
    fault(AttributeDenseMinus, AttributeDense, "b", "sign", **DENSE, X="n d"),
    fault(DictDenseWithoutTanhInBackward, DictDense, "x W b", "derivative left out", FACTOR, **DENSE, x="n d"),
    fault(DictDenseSlopeOfTheScore, DictDense, "x W b", "pre-activation used for post-activation", **DENSE, x="n d"),
    fault(DictDenseKeyMistyped, DictDense, "b", "never written", **DENSE, x="n d"),
    fault(ReturningNormInOtherOrder, ReturningNorm, "gamma beta", "gradients swapped", **NORM),
    fault(ReturningNormMeanNotDifferentiated, ReturningNorm, "x", "a term missing", **NORM),
    fault(ReturningNormSummedForMean, ReturningNorm, "x", "a dim as factor", **NORM),
    fault(ParameterScaleNotScaled, ParameterScale, "x", "derivative left out", FACTOR, **SCALE),
    fault(ParameterScaleOfTheLastRow, ParameterScale, "w", "not summed", **SCALE),
)
