"""The layer that looks up a vector for each index; it knows no words and no loss."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from plainnet.arrays import FloatArray, IntArray, from_forward, parameter, upstream
from plainnet.errors import InputError
from plainnet.shaped import zeros_like_all


class Embedding:
    """y = the rows of W at the given indices. W: (v, d), a float array that the layer holds without a copy."""

    def __init__(self, W: FloatArray) -> None:
        self.params: list[FloatArray] = [parameter(W, "Embedding: W", ndim=2)]
        self.grads: list[FloatArray] = zeros_like_all(self.params)
        self._ids: IntArray | None = None

    def forward(self, ids: ArrayLike) -> FloatArray:
        """ids: (...) integers from 0 to v - 1 -> (..., d)"""
        (W,) = self.params
        self._ids = _indices(ids, len(W))
        y: FloatArray = np.take(W, self._ids, axis=0)
        return y

    def backward(self, dout: ArrayLike) -> None:
        """dout: (..., d) -> nothing, as indices have no gradient

        y_k = W[ids_k]   gives   dW[i] = sum of dout_k over every k with ids_k = i
        """
        (W,) = self.params
        ids = from_forward(self, self._ids)
        dout = upstream(dout, (*ids.shape, W.shape[1]), W.dtype, "Embedding.backward: dout")
        self.grads[0][...] = 0
        # not grads[0][ids] += dout: that adds only one of the rows that share an index
        np.add.at(self.grads[0], ids, dout)


def _indices(ids: ArrayLike, v: int) -> IntArray:
    what = "Embedding.forward: ids"
    array = np.asarray(ids)
    if not np.issubdtype(array.dtype, np.integer):
        raise InputError(f"{what}: expected integers, got dtype {array.dtype}; use ids.astype(int)")
    indices: IntArray = array.astype(np.intp)
    outside = indices[(indices < 0) | (indices >= v)]
    if outside.size:
        raise InputError(f"{what}: expected integers from 0 to {v - 1}, as W has {v} rows, got {int(outside[0])}")
    return indices
