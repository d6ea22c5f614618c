"""The nodes that copy a value and the node that sums copies up, each the other's derivative; it knows no product."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from plainnet.arrays import FloatArray, float_array, from_forward, upstream, whole_number
from plainnet.errors import InputError


class Branch:
    """One value that goes two ways."""

    def __init__(self) -> None:
        self.params: list[FloatArray] = []
        self.grads: list[FloatArray] = []
        self._x: FloatArray | None = None

    def forward(self, x: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """x: any shape -> two copies of it"""
        self._x = float_array(x, "Branch.forward: x")
        return self._x.copy(), self._x.copy()

    def backward(self, dout1: ArrayLike, dout2: ArrayLike) -> FloatArray:
        """dout1, dout2: x's shape -> dx: x's shape

        y1 = x,   y2 = x   gives   dx = dout1 + dout2
        """
        x = from_forward(self, self._x)
        dout1 = upstream(dout1, x.shape, x.dtype, "Branch.backward: dout1")
        dout2 = upstream(dout2, x.shape, x.dtype, "Branch.backward: dout2")
        return np.asarray(dout1 + dout2)


class Repeat:
    """Copies along an axis.

    With keepdims each slice along ``axis`` comes ``repeats`` times, one after the other (numpy.repeat); without, the
    copies stand along a new axis, which is ``axis`` of the output.
    """

    def __init__(self, repeats: int, axis: int = 0, keepdims: bool = True) -> None:
        self.params: list[FloatArray] = []
        self.grads: list[FloatArray] = []
        self.repeats = whole_number(repeats, "Repeat: repeats", least=1)
        self.axis = axis
        self.keepdims = keepdims
        self._x: FloatArray | None = None

    def forward(self, x: ArrayLike) -> FloatArray:
        """x: (..., m, ...) -> (..., m repeats, ...) with keepdims; (..., ...) -> (..., repeats, ...) without"""
        array = float_array(x, "Repeat.forward: x")
        axis = self._axis_of(array)
        self._x = array
        if not self.keepdims:
            array = np.expand_dims(array, axis)
        return np.repeat(array, self.repeats, axis)

    def backward(self, dout: ArrayLike) -> FloatArray:
        """dout: the shape of the output -> dx: the shape of x

        y_jk = x_j for each copy k   gives   dx_j = sum_k dout_jk
        """
        x = from_forward(self, self._x)
        axis = self._axis_of(x)
        shape, copies = list(x.shape), (self.repeats,)
        if self.keepdims:
            shape[axis] *= self.repeats
            apart, along = (*x.shape[: axis + 1], *copies, *x.shape[axis + 1 :]), axis + 1
        else:
            shape.insert(axis, self.repeats)
            apart, along = tuple(shape), axis
        dout = upstream(dout, tuple(shape), x.dtype, "Repeat.backward: dout")
        return np.asarray(dout.reshape(apart).sum(axis=along))

    def _axis_of(self, x: FloatArray) -> int:
        ndim = x.ndim if self.keepdims else x.ndim + 1
        return _normalized((self.axis,), ndim, f"Repeat: axis={self.axis!r} for x of shape {x.shape}")[0]


class Sum:
    """The sum over one axis, several (a tuple) or all (None), as numpy.sum."""

    def __init__(self, axis: int | tuple[int, ...] | None = 0, keepdims: bool = True) -> None:
        self.params: list[FloatArray] = []
        self.grads: list[FloatArray] = []
        self.axis = axis
        self.keepdims = keepdims
        self._x: FloatArray | None = None

    def forward(self, x: ArrayLike) -> FloatArray:
        """x: (..., m, ...) -> (..., 1, ...) with keepdims; (..., ...) without"""
        array = float_array(x, "Sum.forward: x")
        axes = self._axes_of(array)
        self._x = array
        return np.asarray(np.sum(array, axis=axes, keepdims=self.keepdims))

    def backward(self, dout: ArrayLike) -> FloatArray:
        """dout: the shape of the output -> dx: the shape of x

        y = sum_k x_k   gives   dx_k = dout for every k
        """
        x = from_forward(self, self._x)
        axes = self._axes_of(x)
        ones = tuple(1 if axis in axes else length for axis, length in enumerate(x.shape))
        shape = ones if self.keepdims else tuple(n for axis, n in enumerate(x.shape) if axis not in axes)
        dout = upstream(dout, shape, x.dtype, "Sum.backward: dout")
        dx: FloatArray = np.broadcast_to(dout.reshape(ones), x.shape).copy()
        return dx

    def _axes_of(self, x: FloatArray) -> tuple[int, ...]:
        if self.axis is None:
            return tuple(range(x.ndim))
        axes = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        return _normalized(axes, x.ndim, f"Sum: axis={self.axis!r} for x of shape {x.shape}")


def _normalized(axes: tuple[object, ...], ndim: int, what: str) -> tuple[int, ...]:
    """Axes counted from the front, each once."""
    counted: list[int] = []
    for axis in axes:
        if isinstance(axis, bool) or not isinstance(axis, int | np.integer) or not -ndim <= axis < ndim:
            known = f"whole numbers from {-ndim} to {ndim - 1}" if ndim else "no axis, as there is none"
            raise InputError(f"{what}: expected {known}")
        counted.append(int(axis) % ndim)
    if len(set(counted)) < len(counted):
        raise InputError(f"{what}: expected each axis once")
    return tuple(counted)
