"""Reads what a caller hands in as arrays, or says what was expected; it knows no layer and no formula."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plainnet.errors import BackwardBeforeForwardError, InputError

FloatArray: TypeAlias = NDArray[np.floating[Any]]
IntArray: TypeAlias = NDArray[np.integer[Any]]
Shape: TypeAlias = tuple[int, ...]
T = TypeVar("T")


def float_array(value: ArrayLike, what: str) -> FloatArray:
    """``value`` as a float array: floats keep their dtype and their memory, integers become float64.

    Raises InputError where it does not hold real numbers.
    """
    array = np.asarray(value)
    if np.issubdtype(array.dtype, np.floating):
        return array
    if np.issubdtype(array.dtype, np.integer) or array.dtype == np.bool_:
        return array.astype(np.float64)
    raise InputError(f"{what}: expected real numbers, got {type(value).__name__} of dtype {array.dtype}")


def parameter(value: object, what: str, ndim: int) -> FloatArray:
    """``value`` itself, if it is a float array with ``ndim`` axes, so that an optimizer can update it in place."""
    if not isinstance(value, np.ndarray):
        raise InputError(f"{what}: expected a NumPy array, got {value!r} ({type(value).__name__}); use np.array(...)")
    if not np.issubdtype(value.dtype, np.floating):
        raise InputError(f"{what}: expected floats, got dtype {value.dtype}; use .astype(np.float64)")
    if value.ndim != ndim:
        raise InputError(f"{what}: expected {ndim} axes, got shape {value.shape}")
    return value


def upstream(dout: ArrayLike, shape: Shape, dtype: np.dtype[Any], what: str) -> FloatArray:
    """``dout`` in the shape and dtype of the output that it belongs to; it may share the caller's memory."""
    array = float_array(dout, what)
    if array.shape != shape:
        raise InputError(f"{what}: expected the shape of the output, {shape}, got shape {array.shape}")
    return array.astype(dtype, copy=False)


def from_forward(node: object, kept: T | None) -> T:
    """What forward kept for backward; raises BackwardBeforeForwardError where there is nothing yet."""
    if kept is None:
        name = type(node).__name__
        raise BackwardBeforeForwardError(
            f"{name}.backward was called before forward: it needs what forward keeps; call {name}.forward first"
        )
    return kept


def with_last_axis(x: ArrayLike, length: int, what: str) -> FloatArray:
    """``x`` as floats of shape (..., length)."""
    array = float_array(x, what)
    if array.ndim == 0 or array.shape[-1] != length:
        raise InputError(f"{what}: expected shape (..., {length}), as W has {length} rows, got shape {array.shape}")
    return array


def as_rows(x: FloatArray) -> FloatArray:
    """x: (..., d) -> (n, d), all leading axes taken as one; n is 1 where there are none."""
    # not reshape(-1, d): with d = 0 NumPy cannot tell how many rows -1 stands for
    return x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


def whole_number(value: object, what: str, least: int) -> int:
    """``value`` as an int, if it is a whole number of at least ``least``."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, Integral) or int(value) < least:
        name = type(value).__name__
        raise InputError(f"{what}: expected a whole number of at least {least}, got {value!r} ({name})")
    return int(value)


def number(value: object, what: str, low: float, high: float = math.inf, *, low_is_valid: bool = False) -> float:
    """``value`` as a float, if it lies between ``low`` and ``high``; ``high`` itself never does."""
    x = float(value) if isinstance(value, Real) and not isinstance(value, bool | np.bool_) else math.nan
    if not (low < x < high or (low_is_valid and x == low)):
        interval = f"{'[' if low_is_valid else '('}{low:g}, {high:g})"
        raise InputError(f"{what}: expected a number in {interval}, got {value!r} ({type(value).__name__})")
    return x


def generator(rng: object, what: str) -> np.random.Generator:
    """``rng`` itself; None gives one seeded with 0, so that two runs agree."""
    if rng is None:
        return np.random.default_rng(0)
    if not isinstance(rng, np.random.Generator):
        raise InputError(
            f"{what}: expected a numpy.random.Generator, got {rng!r} ({type(rng).__name__}); "
            "use np.random.default_rng(seed)"
        )
    return rng
