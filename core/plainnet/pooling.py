"""The layers that make images smaller, by the largest or the mean of each window; it knows no kernel."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from plainnet.arrays import FloatArray, IntArray, Shape, from_forward, upstream, whole_number
from plainnet.shaped import shaped
from plainnet.windows import spread, windows


class MaxPool2D:
    """The largest pixel of each ``size`` x ``size`` window, windows ``stride`` apart; None: side by side."""

    def __init__(self, size: int, stride: int | None = None) -> None:
        self.params: list[FloatArray] = []
        self.grads: list[FloatArray] = []
        self.size = whole_number(size, "MaxPool2D: size", least=1)
        self.stride = self.size if stride is None else whole_number(stride, "MaxPool2D: stride", least=1)
        self._kept: tuple[FloatArray, IntArray] | None = None

    def forward(self, x: ArrayLike) -> FloatArray:
        """x: (n, c, h, w) -> (n, c, p, q) with p = (h - size) // stride + 1 and q in the same way from w"""
        x = shaped(x, "MaxPool2D.forward: x", "n", "c", "h", "w")
        seen = windows(x, (self.size, self.size), self.stride, "MaxPool2D.forward: x")
        flat = seen.reshape(*seen.shape[:4], self.size * self.size)
        self._kept = x, flat.argmax(axis=-1)
        y: FloatArray = flat.max(axis=-1)
        return y

    def backward(self, dout: ArrayLike) -> FloatArray:
        """dout: (n, c, p, q) -> dx: (n, c, h, w)

        y = max of the window   gives   dout to the pixel that was the largest, the first one in a tie, and 0 to the
        others;   pixels that windows share add up what they get
        """
        x, largest = from_forward(self, self._kept)
        dout = upstream(dout, largest.shape, x.dtype, "MaxPool2D.backward: dout")
        flat = np.where(np.arange(self.size * self.size) == largest[..., np.newaxis], dout[..., np.newaxis], 0)
        d = flat.astype(x.dtype, copy=False).reshape(*largest.shape, self.size, self.size)
        return spread(d, x.shape, self.stride)


class AveragePool2D:
    """The mean of each ``size`` x ``size`` window, windows ``stride`` apart; None: side by side."""

    def __init__(self, size: int, stride: int | None = None) -> None:
        self.params: list[FloatArray] = []
        self.grads: list[FloatArray] = []
        self.size = whole_number(size, "AveragePool2D: size", least=1)
        self.stride = self.size if stride is None else whole_number(stride, "AveragePool2D: stride", least=1)
        self._kept: tuple[FloatArray, Shape] | None = None

    def forward(self, x: ArrayLike) -> FloatArray:
        """x: (n, c, h, w) -> (n, c, p, q) with p = (h - size) // stride + 1 and q in the same way from w"""
        x = shaped(x, "AveragePool2D.forward: x", "n", "c", "h", "w")
        seen = windows(x, (self.size, self.size), self.stride, "AveragePool2D.forward: x")
        self._kept = x, seen.shape
        y: FloatArray = seen.mean(axis=(4, 5))
        return y

    def backward(self, dout: ArrayLike) -> FloatArray:
        """dout: (n, c, p, q) -> dx: (n, c, h, w)

        y = mean of the window   gives   dout / size^2 to each of its pixels;   pixels that windows share add up
        """
        x, shape = from_forward(self, self._kept)
        dout = upstream(dout, shape[:4], x.dtype, "AveragePool2D.backward: dout")
        share = np.asarray(dout / self.size**2)
        return spread(np.broadcast_to(share[..., np.newaxis, np.newaxis], shape), x.shape, self.stride)
