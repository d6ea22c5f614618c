"""The nodes of attention: weights for each step of a sequence, and the mean that they weight; it knows no network."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from plainnet.arrays import FloatArray, from_forward, upstream
from plainnet.functions import softmax
from plainnet.shaped import shaped


class AttentionWeight:
    """a = softmax over the steps t of the inner products hs_t . h (Luong et al. 2015, section 3.1, score "dot")."""

    def __init__(self) -> None:
        self.params: list[FloatArray] = []
        self.grads: list[FloatArray] = []
        self._kept: tuple[FloatArray, FloatArray, FloatArray] | None = None

    def forward(self, hs: ArrayLike, h: ArrayLike) -> FloatArray:
        """hs: (n, t, d), at least one step, h: (n, d) -> the weights: (n, t), each row with sum 1"""
        hs = shaped(hs, "AttentionWeight.forward: hs", "n", "t", "d")
        h = shaped(h, "AttentionWeight.forward: h", len(hs), hs.shape[2])
        a = softmax((hs * h[:, np.newaxis]).sum(axis=2))
        self._kept = hs, h, a
        return a

    def backward(self, dout: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """dout: (n, t) -> dhs: (n, t, d), dh: (n, d)

        a = softmax(s)   gives   ds_t = a_t (dout_t - sum_u dout_u a_u);   s_t = hs_t . h   gives
        dhs_t = ds_t h,   dh = sum_t ds_t hs_t
        """
        hs, h, a = from_forward(self, self._kept)
        dout = upstream(dout, a.shape, a.dtype, "AttentionWeight.backward: dout")
        ds = (a * (dout - (dout * a).sum(axis=1, keepdims=True)))[..., np.newaxis]
        dhs, dh = ds * h[:, np.newaxis], (ds * hs).sum(axis=1)
        return dhs.astype(hs.dtype, copy=False), dh.astype(h.dtype, copy=False)


class WeightSum:
    """c = the sum over the steps t of a_t hs_t."""

    def __init__(self) -> None:
        self.params: list[FloatArray] = []
        self.grads: list[FloatArray] = []
        self._kept: tuple[FloatArray, FloatArray] | None = None

    def forward(self, hs: ArrayLike, a: ArrayLike) -> FloatArray:
        """hs: (n, t, d), a: (n, t) -> (n, d)"""
        hs = shaped(hs, "WeightSum.forward: hs", "n", "t", "d")
        a = shaped(a, "WeightSum.forward: a", *hs.shape[:2])
        self._kept = hs, a
        c: FloatArray = (hs * a[..., np.newaxis]).sum(axis=1)
        return c

    def backward(self, dout: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """dout: (n, d) -> dhs: (n, t, d), da: (n, t)

        c = sum_t a_t hs_t   gives   dhs_t = a_t dout,   da_t = dout . hs_t
        """
        hs, a = from_forward(self, self._kept)
        shape = (len(hs), hs.shape[2])
        dout = upstream(dout, shape, np.result_type(hs, a), "WeightSum.backward: dout")[:, np.newaxis]
        dhs, da = dout * a[..., np.newaxis], (dout * hs).sum(axis=2)
        return dhs.astype(hs.dtype, copy=False), da.astype(a.dtype, copy=False)
