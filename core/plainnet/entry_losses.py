"""The losses that compare scores and targets entry by entry; it knows no classes beyond yes and no."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from plainnet.arrays import FloatArray, float_array, from_forward, upstream
from plainnet.errors import InputError
from plainnet.functions import sigmoid


class MeanSquaredError:
    """The mean over all entries of (x - t)^2."""

    def __init__(self) -> None:
        self.params: list[FloatArray] = []
        self.grads: list[FloatArray] = []
        self._kept: tuple[FloatArray, FloatArray] | None = None

    def forward(self, x: ArrayLike, t: ArrayLike) -> np.floating[Any]:
        """x, t: two arrays of one shape -> the loss, L = 1/n sum (x - t)^2 over all n entries

        t is the target, a constant. Raises InputError where t does not fit x, and where there is no entry.
        """
        x, t = _pair(x, t, "MeanSquaredError.forward")
        difference = np.asarray(x - t)
        self._kept = x, difference
        loss: np.floating[Any] = np.mean(difference * difference)
        return loss

    def backward(self, dout: ArrayLike = 1) -> FloatArray:
        """dout: () -> dx: x's shape

        L = 1/n sum (x - t)^2   gives   dx = dout 2 (x - t) / n
        """
        x, difference = from_forward(self, self._kept)
        dout = upstream(dout, (), difference.dtype, "MeanSquaredError.backward: dout")
        return np.asarray(difference * (2 * dout / x.size)).astype(x.dtype, copy=False)


class SigmoidWithLoss:
    """Sigmoid and binary cross entropy in one layer, by log(1 + exp(x)): no log of a rounded 0."""

    def __init__(self) -> None:
        self.params: list[FloatArray] = []
        self.grads: list[FloatArray] = []
        self._kept: tuple[FloatArray, FloatArray] | None = None

    def forward(self, x: ArrayLike, t: ArrayLike) -> np.floating[Any]:
        """x: scores of any shape, t: the same shape, 1 for yes and 0 for no -> the mean loss over all entries

        L = -1/n sum (t log y + (1 - t) log(1 - y)) with y = 1 / (1 + exp(-x)),   that is   1/n sum (log(1 + e^x) - x t)

        Raises InputError where t does not fit x, and where there is no entry.
        """
        x, t = _pair(x, t, "SigmoidWithLoss.forward")
        yes = t == 1
        if not (yes | (t == 0)).all():
            other = t[~yes & (t != 0)][0]
            raise InputError(f"SigmoidWithLoss.forward: t: expected 0 or 1 in each entry, got {other:g}")
        self._kept = x, yes.astype(x.dtype)
        with np.errstate(under="ignore"):
            # max(x, 0) + log(1 + e^-|x|) is log(1 + e^x) without overflow; the loss of a yes is that of -x
            s = np.where(yes, -x, x)
            loss: np.floating[Any] = np.mean(np.maximum(s, 0) + np.log1p(np.exp(-np.abs(s))))
        return loss

    def backward(self, dout: ArrayLike = 1) -> FloatArray:
        """dout: () -> dx: x's shape

        d/dx log(1 + e^x) = y   gives   dx = dout (y - t) / n
        """
        x, t = from_forward(self, self._kept)
        dout = upstream(dout, (), x.dtype, "SigmoidWithLoss.backward: dout")
        return np.asarray((sigmoid(x) - t) * (dout / x.size))


def _pair(x: ArrayLike, t: ArrayLike, what: str) -> tuple[FloatArray, FloatArray]:
    x, t = float_array(x, f"{what}: x"), float_array(t, f"{what}: t")
    if x.shape != t.shape or x.size == 0:
        raise InputError(f"{what}: expected x and t of one shape, not empty, got shapes {x.shape} and {t.shape}")
    return x, t
