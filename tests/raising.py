"""Layers whose backward, or whose second call, raises, each with what it must not be taken for."""

import numpy as np


class Dense:
    def __init__(self, W, b):
        self.W, self.b = W, b
        self.dW = self.db = None

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = dout.sum(axis=0)
        return dout @ self.W.T


class DenseWithoutTranspose(Dense):
    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = dout.sum(axis=0)
        return dout @ self.W


class Pooled:
    """Means over pairs of rows: its forward takes an odd number as well, and drops the last; its author never did."""

    def forward(self, x):
        self.shape = x.shape
        half = len(x) // 2
        return x[: 2 * half].reshape(half, 2, -1).mean(axis=1)

    def backward(self, dout):
        return np.repeat(dout / 2, 2, axis=0).reshape(self.shape)


class Tanh:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, dout):
        return dout * (1 - self.out**2)


class TanhOfAnotherName(Tanh):
    def backward(self, dout):
        return dout * (1 - self.output**2)


class Prepared(Tanh):
    def prepare(self, scale):
        self.scale = scale

    def backward(self, dout):
        return super().backward(dout) * self.scale


class Refuses(Tanh):
    def backward(self, dout):
        raise ValueError("call fit first")


class Once(Tanh):
    def __init__(self):
        self.seen = np.zeros(0)

    def forward(self, x):
        self.seen = np.concatenate([self.seen, x.ravel()])
        return self.seen.reshape(x.shape) * 1.0

    def backward(self, dout):
        return dout


def scale_forward(x, scale):
    return x * scale["by"], (x, scale)


def scale_backward(dout, cache):
    _, scale = cache
    return dout * scale["times"]


def cube_forward(x):
    return x**3, None


def cube_backward(dout, cache):
    (x,) = cache
    return 3 * x**2 * dout


def root_forward(x):
    return x**2, x


def root_backward(dout, cache):
    return numpy.multiply(2 * cache, dout)  # noqa: F821 (the slip: its name is np here)


def outer_forward(x, w):
    return x @ w, (x, w)


def outer_backward(dout, cache):
    x, w = cache
    return dout * w, x.T @ dout
