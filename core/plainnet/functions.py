"""Sigmoid, softmax and cross entropy as functions of arrays; it knows no layer and no gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from plainnet.arrays import FloatArray, float_array
from plainnet.errors import InputError
from plainnet.targets import class_labels


def sigmoid(x: ArrayLike) -> FloatArray:
    """1 / (1 + exp(-x)), entry by entry, for every float; NaN gives NaN.

    x: any shape -> the same shape and, for floats, the same dtype.
    """
    x = float_array(x, "sigmoid: x")
    # exp(-|x|) never overflows, and the two branches are the same function: 1 / (1 + e^-x) = e^x / (e^x + 1)
    with np.errstate(under="ignore"):
        e = np.exp(-np.abs(x))
        return np.asarray(np.where(np.signbit(x), e, np.ones_like(e)) / (1 + e))


def softmax(x: ArrayLike) -> FloatArray:
    """exp(x) / sum of exp(x) over the last axis.

    x: (..., c) -> (..., c), each row positive with sum 1. Raises InputError where there is no class.
    """
    with np.errstate(under="ignore"):
        e = np.exp(_shifted(x, "softmax: x"))
        y: FloatArray = e / e.sum(axis=-1, keepdims=True)
    return y


def log_softmax(x: ArrayLike) -> FloatArray:
    """The log of softmax, x - log sum exp(x) over the last axis: finite where softmax itself rounds to 0.

    x: (..., c) -> (..., c). Raises InputError where there is no class.
    """
    shifted = _shifted(x, "log_softmax: x")
    with np.errstate(under="ignore", over="ignore"):
        log_y: FloatArray = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return log_y


def _shifted(x: ArrayLike, what: str) -> FloatArray:
    """Each x less the largest of its row: softmax stays the same, and exp cannot overflow."""
    x = float_array(x, what)
    if x.ndim == 0 or x.shape[-1] == 0:
        raise InputError(f"{what}: expected shape (..., c) with at least one class, got shape {x.shape}")
    with np.errstate(over="ignore"):  # a range wider than the dtype's gives -inf, and exp(-inf) = 0 is right
        shifted: FloatArray = x - x.max(axis=-1, keepdims=True)
    return shifted


def cross_entropy_error(y: ArrayLike, t: ArrayLike) -> np.floating[Any]:
    """The mean over the batch of -log(probability of the true class); infinite where that probability is 0.

    y: (..., c) probabilities; t: (...) integer labels or (..., c) one-hot -> a scalar in y's dtype.
    Raises InputError for a negative y, for t that does not fit y, and for an empty batch.
    """
    y = float_array(y, "cross_entropy_error: y")
    labels = class_labels(t, y.shape, "cross_entropy_error")
    if (y < 0).any():
        raise InputError(f"cross_entropy_error: y: expected probabilities, got {y.min():g}; apply softmax first")
    with np.errstate(divide="ignore"):
        return -np.mean(np.log(np.take_along_axis(y, labels[..., np.newaxis], axis=-1)))
