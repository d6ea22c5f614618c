"""Reads arrays and parameters of a known shape, or says which shape was expected; it knows no layer."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from plainnet.arrays import FloatArray, Shape, float_array, parameter
from plainnet.errors import InputError


def shaped(x: ArrayLike, what: str, *axes: int | str) -> FloatArray:
    """``x`` as floats with these axes: a number is the length that one must have, a name stands for any length.

    Raises InputError where x has other axes.
    """
    array = float_array(x, what)
    fits = array.ndim == len(axes)
    fits = fits and all(isinstance(a, str) or a == n for a, n in zip(axes, array.shape, strict=True))
    if not fits:
        expected = ", ".join(map(str, axes))
        raise InputError(f"{what}: expected shape ({expected}), got shape {array.shape}")
    return array


def parameter_of(value: object, what: str, shape: Shape, reason: str) -> FloatArray:
    """``value`` itself, if it is a float array of this shape; ``reason`` says in the error where the shape is from."""
    array = parameter(value, what, ndim=len(shape))
    if array.shape != shape:
        raise InputError(f"{what}: expected shape {shape}, as {reason}, got shape {array.shape}")
    return array


def zeros_like_all(params: list[FloatArray]) -> list[FloatArray]:
    """A gradient of zeros for each parameter, of its shape and dtype."""
    return [np.zeros_like(p) for p in params]
