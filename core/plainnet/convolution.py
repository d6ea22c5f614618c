"""The layer that slides kernels over images; it knows no pooling."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from plainnet.arrays import FloatArray, Shape, from_forward, parameter, upstream, whole_number
from plainnet.errors import InputError
from plainnet.shaped import parameter_of, shaped, zeros_like_all
from plainnet.windows import spread, windows


class Conv2D:
    """y[n, f, p, q] = b[f] + sum over c, i, j of W[f, c, i, j] x[n, c, s p + i, s q + j], s being the stride.

    No kernel is flipped: it is the cross-correlation that networks call convolution. W: (f, c, i, j), b: (f,), float
    arrays that the layer holds without a copy; ``pad`` zeros go around each image first.
    """

    def __init__(self, W: FloatArray, b: FloatArray, stride: int = 1, pad: int = 0) -> None:
        shape = parameter(W, "Conv2D: W", ndim=4).shape
        if 0 in shape:
            raise InputError(f"Conv2D: W: expected at least one kernel of one pixel, got shape {shape}")
        self.params: list[FloatArray] = [W, parameter_of(b, "Conv2D: b", shape[:1], f"W has shape {shape}")]
        self.grads: list[FloatArray] = zeros_like_all(self.params)
        self.stride = whole_number(stride, "Conv2D: stride", least=1)
        self.pad = whole_number(pad, "Conv2D: pad", least=0)
        self._kept: tuple[FloatArray, Shape, FloatArray] | None = None

    def forward(self, x: ArrayLike) -> FloatArray:
        """x: (n, c, h, w) -> (n, f, p, q) with p = (h + 2 pad - i) // stride + 1 and q in the same way from w and j"""
        W, b = self.params
        x = shaped(x, "Conv2D.forward: x", "n", W.shape[1], "h", "w")
        edge = (self.pad, self.pad)
        padded: FloatArray = np.pad(x, ((0, 0), (0, 0), edge, edge))
        seen = windows(padded, (W.shape[2], W.shape[3]), self.stride, "Conv2D.forward: x")
        self._kept = x, padded.shape, seen
        y: FloatArray = np.tensordot(seen, W, axes=((1, 4, 5), (1, 2, 3))) + b  # (n, p, q, f)
        return np.moveaxis(y, -1, 1)

    def backward(self, dout: ArrayLike) -> FloatArray:
        """dout: (n, f, p, q) -> dx: (n, c, h, w)

        y = b + sum of W times the window at (p, q)   gives   db[f] = sum of dout[:, f],   dW[f] = sum over n, p, q of
        dout[n, f, p, q] times that window;   and each window gets sum over f of dout[n, f, p, q] W[f], which adds up
        in the pixels that windows share;   the padding is cut off again
        """
        W, b = self.params
        x, padded, seen = from_forward(self, self._kept)
        shape = (len(x), len(b), *seen.shape[2:4])
        dout = upstream(dout, shape, np.result_type(x, W, b), "Conv2D.backward: dout")
        self.grads[0][...] = np.tensordot(dout, seen, axes=((0, 2, 3), (0, 2, 3)))
        self.grads[1][...] = dout.sum(axis=(0, 2, 3))
        per_window = np.moveaxis(np.tensordot(dout, W, axes=(1, 0)), 3, 1)  # (n, c, p, q, i, j)
        dx = spread(per_window, padded, self.stride)
        height, width = x.shape[2:]
        inner = dx[:, :, self.pad : self.pad + height, self.pad : self.pad + width]
        return inner.astype(x.dtype)
