"""The nodes of a computational graph that multiply or add; it knows no activation and no loss.

Every node has forward, backward, params and grads; forward keeps what backward needs by reference, so nobody
writes into an input between the two.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from plainnet.arrays import (
    FloatArray,
    as_rows,
    float_array,
    from_forward,
    parameter,
    upstream,
    with_last_axis,
)
from plainnet.errors import InputError


class MatMul:
    """y = x W. W: (d, h), a float array that the node holds without a copy."""

    def __init__(self, W: FloatArray) -> None:
        self.params: list[FloatArray] = [parameter(W, "MatMul: W", ndim=2)]
        self.grads: list[FloatArray] = [np.zeros_like(W)]
        self._x: FloatArray | None = None

    def forward(self, x: ArrayLike) -> FloatArray:
        """x: (..., d) -> (..., h)"""
        (W,) = self.params
        self._x = with_last_axis(x, W.shape[0], "MatMul.forward: x")
        y: FloatArray = np.matmul(self._x, W)
        return y

    def backward(self, dout: ArrayLike) -> FloatArray:
        """dout: (..., h) -> dx: (..., d)

        y = x W   gives   dW = x^T dout over all rows,   dx = dout W^T
        """
        (W,) = self.params
        x = from_forward(self, self._x)
        shape = (*x.shape[:-1], W.shape[1])
        dout = upstream(dout, shape, np.result_type(x, W), "MatMul.backward: dout")
        self.grads[0][...] = as_rows(x).T @ as_rows(dout)
        dx: FloatArray = np.matmul(dout, W.T).astype(x.dtype, copy=False)
        return dx


class Dot:
    """The inner product of two vectors."""

    def __init__(self) -> None:
        self.params: list[FloatArray] = []
        self.grads: list[FloatArray] = []
        self._inputs: tuple[FloatArray, FloatArray] | None = None

    def forward(self, a: ArrayLike, b: ArrayLike) -> np.floating[Any]:
        """a: (d,), b: (d,) -> a scalar"""
        a, b = float_array(a, "Dot.forward: a"), float_array(b, "Dot.forward: b")
        if a.ndim != 1 or a.shape != b.shape:
            raise InputError(f"Dot.forward: expected two vectors of one length, got shapes {a.shape} and {b.shape}")
        self._inputs = a, b
        y: np.floating[Any] = np.dot(a, b)
        return y

    def backward(self, dout: ArrayLike = 1.0) -> tuple[FloatArray, FloatArray]:
        """dout: () -> da: (d,), db: (d,)

        y = sum_i a_i b_i   gives   da = dout b,   db = dout a
        """
        a, b = from_forward(self, self._inputs)
        dout = upstream(dout, (), np.result_type(a, b), "Dot.backward: dout")
        return (dout * b).astype(a.dtype, copy=False), (dout * a).astype(b.dtype, copy=False)


class Add:
    """y = a + b, broadcast as NumPy does."""

    def __init__(self) -> None:
        self.params: list[FloatArray] = []
        self.grads: list[FloatArray] = []
        self._inputs: tuple[FloatArray, FloatArray] | None = None

    def forward(self, a: ArrayLike, b: ArrayLike) -> FloatArray:
        """a, b: two shapes that broadcast -> the broadcast shape"""
        self._inputs = _broadcastable(a, b, "Add.forward")
        a, b = self._inputs
        return np.asarray(a + b)

    def backward(self, dout: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """dout: the broadcast shape -> da and db in the shapes of a and b

        y = a + b   gives   da = dout,   db = dout,   each summed over the axes along which it was broadcast
        """
        a, b = from_forward(self, self._inputs)
        dout = _upstream_of_pair(dout, a, b, "Add.backward: dout")
        return _sum_to(dout, a), _sum_to(dout, b)


class Multiply:
    """y = a b, entry by entry, broadcast as NumPy does."""

    def __init__(self) -> None:
        self.params: list[FloatArray] = []
        self.grads: list[FloatArray] = []
        self._inputs: tuple[FloatArray, FloatArray] | None = None

    def forward(self, a: ArrayLike, b: ArrayLike) -> FloatArray:
        """a, b: two shapes that broadcast -> the broadcast shape"""
        self._inputs = _broadcastable(a, b, "Multiply.forward")
        a, b = self._inputs
        return np.asarray(a * b)

    def backward(self, dout: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """dout: the broadcast shape -> da and db in the shapes of a and b

        y = a b   gives   da = dout b,   db = dout a,   each summed over the axes along which it was broadcast
        """
        a, b = from_forward(self, self._inputs)
        dout = _upstream_of_pair(dout, a, b, "Multiply.backward: dout")
        return _sum_to(dout * b, a), _sum_to(dout * a, b)


def _broadcastable(a: ArrayLike, b: ArrayLike, what: str) -> tuple[FloatArray, FloatArray]:
    a, b = float_array(a, f"{what}: a"), float_array(b, f"{what}: b")
    try:
        np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise InputError(f"{what}: expected two shapes that broadcast, got {a.shape} and {b.shape}") from None
    return a, b


def _upstream_of_pair(dout: ArrayLike, a: FloatArray, b: FloatArray, what: str) -> FloatArray:
    return upstream(dout, np.broadcast_shapes(a.shape, b.shape), np.result_type(a, b), what)


def _sum_to(gradient: FloatArray, operand: FloatArray) -> FloatArray:
    """The gradient of an operand that was broadcast: a new array in the operand's shape and dtype."""
    added = gradient.ndim - operand.ndim
    stretched = (added + axis for axis, length in enumerate(operand.shape) if length == 1)
    total = gradient.sum(axis=(*range(added), *stretched))
    return np.reshape(total, operand.shape).astype(operand.dtype, copy=False)
