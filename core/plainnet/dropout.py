"""The layer that drops entries at random while a network is trained; it knows no other layer."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plainnet.arrays import FloatArray, float_array, from_forward, generator, number, upstream


class Dropout:
    """In training each entry is 0 with probability ``ratio`` and x / (1 - ratio) otherwise: the mean stays x.

    Srivastava et al. 2014, in the inverted form of its section 10: without training, y = x. ``rng`` draws; None is a
    Generator seeded with 0.
    """

    def __init__(self, ratio: float = 0.5, rng: np.random.Generator | None = None) -> None:
        self.params: list[FloatArray] = []
        self.grads: list[FloatArray] = []
        self.ratio = number(ratio, "Dropout: ratio", low=0, high=1, low_is_valid=True)
        self.rng = generator(rng, "Dropout: rng")
        self._kept: tuple[FloatArray, NDArray[np.bool_], float] | None = None

    def forward(self, x: ArrayLike, train: bool = True) -> FloatArray:
        """x: any shape -> the same shape"""
        x = float_array(x, "Dropout.forward: x")
        stays = np.asarray(self.rng.random(x.shape) >= self.ratio) if train else np.ones(x.shape, dtype=np.bool_)
        share = 1 - self.ratio if train else 1.0
        self._kept = x, stays, share
        return np.where(stays, x / share, np.zeros_like(x))

    def backward(self, dout: ArrayLike) -> FloatArray:
        """dout: x's shape -> dx: x's shape

        y = x / (1 - ratio) where the entry stays, else 0,   gives   dx = dout / (1 - ratio) there, else 0
        """
        x, stays, share = from_forward(self, self._kept)
        dout = upstream(dout, x.shape, x.dtype, "Dropout.backward: dout")
        return np.where(stays, dout / share, np.zeros_like(dout))
