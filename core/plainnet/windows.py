"""Looks at images through sliding windows, and spreads gradients back; it knows no kernel and no pooling."""

from __future__ import annotations

import numpy as np

from plainnet.arrays import FloatArray, Shape
from plainnet.errors import InputError


def windows(x: FloatArray, size: tuple[int, int], stride: int, what: str) -> FloatArray:
    """Every window of ``size`` (i, j) that lies in the image, ``stride`` pixels apart: a read-only view of x.

    x: (n, c, h, w) -> (n, c, p, q, i, j) with p = (h - i) // stride + 1 and q = (w - j) // stride + 1.
    Raises InputError where the image is smaller than a window.
    """
    if x.shape[2] < size[0] or x.shape[3] < size[1]:
        raise InputError(f"{what}: expected an image of at least {size[0]} x {size[1]}, got shape {x.shape}")
    every: FloatArray = np.lib.stride_tricks.sliding_window_view(x, size, axis=(2, 3))
    return every[:, :, ::stride, ::stride]


def spread(d: FloatArray, shape: Shape, stride: int) -> FloatArray:
    """The transpose of ``windows``: what each window holds goes back to its pixels, and overlaps add up.

    d: (n, c, p, q, i, j) -> (n, c, h, w), which is ``shape``.
    """
    dx = np.zeros(shape, d.dtype)
    p, q, height, width = d.shape[2:]
    for i in range(height):
        for j in range(width):
            dx[:, :, i : i + stride * p : stride, j : j + stride * q : stride] += d[..., i, j]
    return dx
