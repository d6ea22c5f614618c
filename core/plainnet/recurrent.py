"""The simple recurrent layer, one step and a whole sequence; it knows no gates."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from plainnet.arrays import FloatArray, from_forward, parameter, upstream
from plainnet.errors import InputError
from plainnet.shaped import parameter_of, shaped, zeros_like_all


class RNNCell:
    """h' = tanh(x Wx + h Wh + b). Wx: (d, h), Wh: (h, h), b: (h,), float arrays that it holds without a copy."""

    def __init__(self, Wx: FloatArray, Wh: FloatArray, b: FloatArray) -> None:
        self.params: list[FloatArray] = recurrent_parameters(Wx, Wh, b, "RNNCell", gates=1)
        self.grads: list[FloatArray] = zeros_like_all(self.params)
        self._kept: tuple[FloatArray, FloatArray, FloatArray] | None = None

    def forward(self, x: ArrayLike, h: ArrayLike) -> FloatArray:
        """x: (n, d), h: (n, h), the state before -> the state after: (n, h)"""
        Wx, Wh, b = self.params
        x = shaped(x, "RNNCell.forward: x", "n", len(Wx))
        h = shaped(h, "RNNCell.forward: h", len(x), len(Wh))
        h_next: FloatArray = np.tanh(x @ Wx + h @ Wh + b)
        self._kept = x, h, h_next
        return h_next

    def backward(self, dout: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """dout: (n, h) -> dx: (n, d), dh: (n, h)

        h' = tanh(a)   gives   da = dout (1 - h'^2);   a = x Wx + h Wh + b   gives
        dWx = x^T da,   dWh = h^T da,   db = sum of da over the batch,   dx = da Wx^T,   dh = da Wh^T
        """
        Wx, Wh, _ = self.params
        x, h, h_next = from_forward(self, self._kept)
        dout = upstream(dout, h_next.shape, h_next.dtype, "RNNCell.backward: dout")
        da = dout * (1 - h_next * h_next)
        self.grads[0][...] = x.T @ da
        self.grads[1][...] = h.T @ da
        self.grads[2][...] = da.sum(axis=0)
        return (da @ Wx.T).astype(x.dtype, copy=False), (da @ Wh.T).astype(h.dtype, copy=False)


class TimeRNN:
    """An RNNCell along a sequence, the same parameters at every step.

    The state starts at zero. A ``stateful`` one goes on from where the last forward ended; no gradient flows back
    there (truncated backpropagation through time). ``h`` is the state after the last step, None before any.
    """

    def __init__(self, Wx: FloatArray, Wh: FloatArray, b: FloatArray, stateful: bool = False) -> None:
        self.params: list[FloatArray] = recurrent_parameters(Wx, Wh, b, "TimeRNN", gates=1)
        self.grads: list[FloatArray] = zeros_like_all(self.params)
        self.stateful = stateful
        self.h: FloatArray | None = None
        self._kept: tuple[FloatArray, list[RNNCell]] | None = None

    def forward(self, xs: ArrayLike) -> FloatArray:
        """xs: (n, t, d) -> the states after each of the t steps: (n, t, h)"""
        Wx, Wh, _ = self.params
        xs = shaped(xs, "TimeRNN.forward: xs", "n", "t", len(Wx))
        dtype = np.result_type(xs, *self.params)
        h = initial_state(self.h if self.stateful else None, (len(xs), len(Wh)), dtype, "TimeRNN.forward")
        cells: list[RNNCell] = []
        hs = np.empty((*xs.shape[:2], len(Wh)), dtype)
        for t in range(xs.shape[1]):
            cells.append(RNNCell(*self.params))
            h = cells[t].forward(xs[:, t], h)
            hs[:, t] = h
        self.h = h
        self._kept = xs, cells
        return hs

    def reset_state(self) -> None:
        """Lets the next forward start from zero."""
        self.h = None

    def backward(self, dout: ArrayLike) -> FloatArray:
        """dout: (n, t, h) -> dxs: (n, t, d)

        h_t goes out and on to step t + 1   gives   dh_t = dout_t + what step t + 1 sends back, the last step first;
        the parameters act at every step   gives   dWx, dWh, db = sums over the steps
        """
        Wh = self.params[1]
        xs, cells = from_forward(self, self._kept)
        dtype = np.result_type(xs, *self.params)
        dout = upstream(dout, (*xs.shape[:2], len(Wh)), dtype, "TimeRNN.backward: dout")
        dxs = np.empty_like(xs)
        dh: FloatArray = np.zeros((len(xs), len(Wh)), dtype)
        for grad in self.grads:
            grad[...] = 0
        for t in reversed(range(len(cells))):
            dxs[:, t], dh = cells[t].backward(dout[:, t] + dh)
            for grad, of_step in zip(self.grads, cells[t].grads, strict=True):
                grad += of_step
        return dxs


def recurrent_parameters(Wx: FloatArray, Wh: FloatArray, b: FloatArray, name: str, gates: int) -> list[FloatArray]:
    """Wx: (d, gates h), Wh: (h, gates h), b: (gates h,), if they fit each other; the size h is that of Wh."""
    Wh = parameter(Wh, f"{name}: Wh", ndim=2)
    h, d = len(Wh), len(parameter(Wx, f"{name}: Wx", ndim=2))
    reason = f"Wh has {h} rows"
    return [
        parameter_of(Wx, f"{name}: Wx", (d, gates * h), reason),
        parameter_of(Wh, f"{name}: Wh", (h, gates * h), reason),
        parameter_of(b, f"{name}: b", (gates * h,), reason),
    ]


def initial_state(
    state: FloatArray | None, shape: tuple[int, int], dtype: np.dtype[np.floating], what: str
) -> FloatArray:
    """The state to go on from, or zeros; raises InputError where the batch is not that of the state."""
    if state is None:
        return np.zeros(shape, dtype)
    if state.shape != shape:
        raise InputError(
            f"{what}: expected {len(state)} samples, as in the state of the last forward, got {shape[0]}; "
            "call reset_state() before another batch"
        )
    return state.astype(dtype, copy=False)
