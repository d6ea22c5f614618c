"""The layers of a network: an affine map and the activations; it knows no loss and no optimizer.

Every layer has forward, backward, params and grads; forward keeps what backward needs by reference, so nobody
writes into an input or an output between the two.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from plainnet.arrays import FloatArray, as_rows, float_array, from_forward, parameter, upstream, with_last_axis
from plainnet.errors import InputError
from plainnet.functions import sigmoid, softmax


class Affine:
    """y = x W + b. W: (d, h), b: (h,), float arrays that the layer holds without a copy."""

    def __init__(self, W: FloatArray, b: FloatArray) -> None:
        self.params: list[FloatArray] = [parameter(W, "Affine: W", ndim=2), parameter(b, "Affine: b", ndim=1)]
        if b.shape != W.shape[1:]:
            raise InputError(f"Affine: b: expected shape {W.shape[1:]}, as W has shape {W.shape}, got shape {b.shape}")
        self.grads: list[FloatArray] = [np.zeros_like(W), np.zeros_like(b)]
        self._x: FloatArray | None = None

    def forward(self, x: ArrayLike) -> FloatArray:
        """x: (..., d) -> (..., h)"""
        W, b = self.params
        self._x = with_last_axis(x, W.shape[0], "Affine.forward: x")
        y: FloatArray = np.matmul(self._x, W) + b
        return y

    def backward(self, dout: ArrayLike) -> FloatArray:
        """dout: (..., h) -> dx: (..., d)

        y = x W + b   gives   dW = x^T dout over all rows,   db = sum of dout over all rows,   dx = dout W^T
        """
        W, b = self.params
        x = from_forward(self, self._x)
        shape = (*x.shape[:-1], *b.shape)
        dout = upstream(dout, shape, np.result_type(x, W, b), "Affine.backward: dout")
        self.grads[0][...] = as_rows(x).T @ as_rows(dout)
        self.grads[1][...] = as_rows(dout).sum(axis=0)
        dx: FloatArray = np.matmul(dout, W.T).astype(x.dtype, copy=False)
        return dx


class Sigmoid:
    """y = 1 / (1 + exp(-x)), entry by entry."""

    def __init__(self) -> None:
        self.params: list[FloatArray] = []
        self.grads: list[FloatArray] = []
        self._y: FloatArray | None = None

    def forward(self, x: ArrayLike) -> FloatArray:
        """x: any shape -> the same shape"""
        self._y = sigmoid(x)
        return self._y

    def backward(self, dout: ArrayLike) -> FloatArray:
        """dout: x's shape -> dx: x's shape

        y = 1 / (1 + exp(-x))   gives   dx = dout y (1 - y)
        """
        y = from_forward(self, self._y)
        dout = upstream(dout, y.shape, y.dtype, "Sigmoid.backward: dout")
        return np.asarray(dout * y * (1 - y))


class ReLU:
    """y = max(x, 0), entry by entry."""

    def __init__(self) -> None:
        self.params: list[FloatArray] = []
        self.grads: list[FloatArray] = []
        self._y: FloatArray | None = None

    def forward(self, x: ArrayLike) -> FloatArray:
        """x: any shape -> the same shape"""
        self._y = np.asarray(np.maximum(float_array(x, "ReLU.forward: x"), 0))
        return self._y

    def backward(self, dout: ArrayLike) -> FloatArray:
        """dout: x's shape -> dx: x's shape

        y = max(x, 0)   gives   dx = dout where y > 0, else 0: at x = 0 the subgradient 0
        """
        y = from_forward(self, self._y)
        dout = upstream(dout, y.shape, y.dtype, "ReLU.backward: dout")
        return np.where(y > 0, dout, np.zeros_like(dout))


class Tanh:
    """y = tanh(x), entry by entry."""

    def __init__(self) -> None:
        self.params: list[FloatArray] = []
        self.grads: list[FloatArray] = []
        self._y: FloatArray | None = None

    def forward(self, x: ArrayLike) -> FloatArray:
        """x: any shape -> the same shape"""
        self._y = np.asarray(np.tanh(float_array(x, "Tanh.forward: x")))
        return self._y

    def backward(self, dout: ArrayLike) -> FloatArray:
        """dout: x's shape -> dx: x's shape

        y = tanh(x)   gives   dx = dout (1 - y^2)
        """
        y = from_forward(self, self._y)
        dout = upstream(dout, y.shape, y.dtype, "Tanh.backward: dout")
        return np.asarray(dout * (1 - y * y))


class Softmax:
    """y = exp(x) / sum of exp(x) over the last axis."""

    def __init__(self) -> None:
        self.params: list[FloatArray] = []
        self.grads: list[FloatArray] = []
        self._y: FloatArray | None = None

    def forward(self, x: ArrayLike) -> FloatArray:
        """x: (..., c) -> (..., c)"""
        self._y = softmax(x)
        return self._y

    def backward(self, dout: ArrayLike) -> FloatArray:
        """dout: (..., c) -> dx: (..., c)

        dy_i / dx_j = y_i (1[i = j] - y_j)   gives   dx_j = y_j (dout_j - sum_i dout_i y_i)
        """
        y = from_forward(self, self._y)
        dout = upstream(dout, y.shape, y.dtype, "Softmax.backward: dout")
        dx: FloatArray = y * (dout - (dout * y).sum(axis=-1, keepdims=True))
        return dx
