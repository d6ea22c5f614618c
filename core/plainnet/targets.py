"""Reads the targets of a classification, integer labels or one-hot; it knows no loss."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plainnet.arrays import IntArray, Shape
from plainnet.errors import InputError


def class_labels(t: ArrayLike, shape: Shape, what: str) -> IntArray:
    """The true class of each sample, as integers.

    t: (...) integer labels or (..., c) one-hot, where ``shape`` is (..., c), that of the scores -> (...).
    Raises InputError where t does not fit, and for an empty batch, whose mean loss does not exist.
    """
    targets = np.asarray(t)
    if 0 in shape[:-1]:
        raise InputError(f"{what}: expected at least one sample, got scores of shape {shape}")
    if targets.shape == shape and shape:
        return _from_one_hot(targets, what)
    if targets.shape == shape[:-1] and shape:
        return _from_labels(targets, shape[-1], what)
    raise InputError(
        f"{what}: expected t of shape {shape[:-1]} (integer labels) or {shape} (one-hot) "
        f"for scores of shape {shape}, got shape {targets.shape}"
    )


def _from_labels(targets: NDArray[np.generic], classes: int, what: str) -> IntArray:
    if not np.issubdtype(targets.dtype, np.integer):
        raise InputError(f"{what}: expected integer labels, got t of dtype {targets.dtype}; use t.astype(int)")
    labels: IntArray = targets.astype(np.intp)
    outside = labels[(labels < 0) | (labels >= classes)]
    if outside.size:
        raise InputError(f"{what}: expected labels from 0 to {classes - 1}, got t with {int(outside[0])}")
    return labels


def _from_one_hot(targets: NDArray[np.generic], what: str) -> IntArray:
    ones, zeros = targets == 1, targets == 0
    if not (ones | zeros).all() or not (ones.sum(axis=-1) == 1).all():
        raise InputError(f"{what}: expected one-hot t, one 1 and otherwise 0 in each row, got another row in t")
    labels: IntArray = ones.argmax(axis=-1)
    return labels
