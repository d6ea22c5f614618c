"""The loss layer of a classifier; it knows no network and no optimizer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from plainnet.arrays import FloatArray, IntArray, from_forward, upstream
from plainnet.functions import log_softmax
from plainnet.targets import class_labels


class SoftmaxWithLoss:
    """Softmax and cross entropy in one layer, by the log of the sum of exponentials: no log of a rounded 0."""

    def __init__(self) -> None:
        self.params: list[FloatArray] = []
        self.grads: list[FloatArray] = []
        self._kept: tuple[FloatArray, IntArray] | None = None

    def forward(self, x: ArrayLike, t: ArrayLike) -> np.floating[Any]:
        """x: (..., c) scores, t: (...) integer labels or (..., c) one-hot -> the mean loss over all samples

        L = -1/n sum_n log y[n, t_n]   with   log y = x - log sum_c exp(x)

        Raises InputError where t does not fit x, and for an empty batch, whose mean does not exist.
        """
        log_y = log_softmax(x)
        labels = class_labels(t, log_y.shape, "SoftmaxWithLoss.forward")
        self._kept = log_y, labels
        return -np.mean(np.take_along_axis(log_y, labels[..., np.newaxis], axis=-1))

    def backward(self, dout: ArrayLike = 1) -> FloatArray:
        """dout: () -> dx: (..., c)

        dL / dx[n, c] = (y[n, c] - 1[c = t_n]) / n   gives   dx = dout (y - one-hot t) / n
        """
        log_y, labels = from_forward(self, self._kept)
        dout = upstream(dout, (), log_y.dtype, "SoftmaxWithLoss.backward: dout")
        is_true = np.arange(log_y.shape[-1]) == labels[..., np.newaxis]
        with np.errstate(under="ignore"):
            dx: FloatArray = (np.exp(log_y) - is_true) * (dout / labels.size)
        return dx
