"""The recurrent layer with gates (LSTM), one step and a whole sequence; it knows no simpler one."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from plainnet.arrays import FloatArray, from_forward, upstream
from plainnet.functions import sigmoid
from plainnet.recurrent import initial_state, recurrent_parameters
from plainnet.shaped import shaped, zeros_like_all


class LSTMCell:
    """c' = f c + g i and h' = o tanh(c'), with the gates f, i, o and the news g made from x and h.

    Hochreiter and Schmidhuber 1997, with the forget gate f of Gers et al. 2000. Wx: (d, 4h), Wh: (h, 4h), b: (4h,),
    float arrays that the cell holds without a copy; their columns belong to f, g, i, o in this order.
    """

    def __init__(self, Wx: FloatArray, Wh: FloatArray, b: FloatArray) -> None:
        self.params: list[FloatArray] = recurrent_parameters(Wx, Wh, b, "LSTMCell", gates=4)
        self.grads: list[FloatArray] = zeros_like_all(self.params)
        self._inputs: tuple[FloatArray, FloatArray, FloatArray] | None = None
        self._gates: list[FloatArray] = []
        self._memory: FloatArray = np.zeros(0)

    def forward(self, x: ArrayLike, h: ArrayLike, c: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """x: (n, d), h, c: (n, h), the state and the memory before -> those after: (n, h), (n, h)"""
        Wx, Wh, b = self.params
        x = shaped(x, "LSTMCell.forward: x", "n", len(Wx))
        h = shaped(h, "LSTMCell.forward: h", len(x), len(Wh))
        c = shaped(c, "LSTMCell.forward: c", len(x), len(Wh))
        a_f, a_g, a_i, a_o = np.split(x @ Wx + h @ Wh + b, 4, axis=1)
        f, g, i, o = sigmoid(a_f), np.asarray(np.tanh(a_g)), sigmoid(a_i), sigmoid(a_o)
        c_next: FloatArray = f * c + g * i
        h_next: FloatArray = o * np.tanh(c_next)
        self._inputs, self._gates, self._memory = (x, h, c), [f, g, i, o], c_next
        return h_next, c_next

    def backward(self, dh: ArrayLike, dc: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
        """dh, dc: (n, h), of the state and the memory after -> dx: (n, d), dh, dc: (n, h), of those before

        h' = o tanh(c')     gives   do = dh tanh(c'),   and to dc is added   dh o (1 - tanh(c')^2)
        c' = f c + g i      gives   df = dc c,   dg = dc i,   di = dc g,   and of the memory before   dc f
        sigmoid and tanh    give    da = df f (1 - f),  dg (1 - g^2),  di i (1 - i),  do o (1 - o),   side by side
        a = x Wx + h Wh + b gives   dWx = x^T da,  dWh = h^T da,  db = sum of da over the batch,
                                    dx = da Wx^T,  dh = da Wh^T
        """
        Wx, Wh, _ = self.params
        x, h, c = from_forward(self, self._inputs)
        f, g, i, o = self._gates
        memory = self._memory
        dh_next = upstream(dh, memory.shape, memory.dtype, "LSTMCell.backward: dh")
        dc_next = upstream(dc, memory.shape, memory.dtype, "LSTMCell.backward: dc")
        tanh_c = np.tanh(memory)
        do = dh_next * tanh_c
        dm = dc_next + dh_next * o * (1 - tanh_c * tanh_c)
        da = np.concatenate(
            [dm * c * f * (1 - f), dm * i * (1 - g * g), dm * g * i * (1 - i), do * o * (1 - o)], axis=1
        )
        self.grads[0][...] = x.T @ da
        self.grads[1][...] = h.T @ da
        self.grads[2][...] = da.sum(axis=0)
        dx, dh_before, dc_before = da @ Wx.T, da @ Wh.T, dm * f
        kinds = x.dtype, h.dtype, c.dtype
        return (
            dx.astype(kinds[0], copy=False),
            dh_before.astype(kinds[1], copy=False),
            dc_before.astype(kinds[2], copy=False),
        )


class TimeLSTM:
    """An LSTMCell along a sequence, the same parameters at every step.

    State and memory start at zero. A ``stateful`` one goes on from where the last forward ended; no gradient flows
    back there (truncated backpropagation through time). ``state`` is (h, c) after the last step, None before any.
    """

    def __init__(self, Wx: FloatArray, Wh: FloatArray, b: FloatArray, stateful: bool = False) -> None:
        self.params: list[FloatArray] = recurrent_parameters(Wx, Wh, b, "TimeLSTM", gates=4)
        self.grads: list[FloatArray] = zeros_like_all(self.params)
        self.stateful = stateful
        self.state: tuple[FloatArray, FloatArray] | None = None
        self._kept: tuple[FloatArray, list[LSTMCell]] | None = None

    def forward(self, xs: ArrayLike) -> FloatArray:
        """xs: (n, t, d) -> the states after each of the t steps: (n, t, h)"""
        Wx, Wh, _ = self.params
        xs = shaped(xs, "TimeLSTM.forward: xs", "n", "t", len(Wx))
        dtype = np.result_type(xs, *self.params)
        last = self.state if self.stateful and self.state is not None else (None, None)
        h, c = (initial_state(s, (len(xs), len(Wh)), dtype, "TimeLSTM.forward") for s in last)
        cells: list[LSTMCell] = []
        hs = np.empty((*xs.shape[:2], len(Wh)), dtype)
        for t in range(xs.shape[1]):
            cells.append(LSTMCell(*self.params))
            h, c = cells[t].forward(xs[:, t], h, c)
            hs[:, t] = h
        self.state = h, c
        self._kept = xs, cells
        return hs

    def reset_state(self) -> None:
        """Lets the next forward start from zero."""
        self.state = None

    def backward(self, dout: ArrayLike) -> FloatArray:
        """dout: (n, t, h) -> dxs: (n, t, d)

        h_t goes out and on to step t + 1, c_t only on,   gives   dh_t = dout_t + what step t + 1 sends back, and
        dc_t = what it sends back, the last step first;   the parameters act at every step   gives
        dWx, dWh, db = sums over the steps
        """
        Wh = self.params[1]
        xs, cells = from_forward(self, self._kept)
        dtype = np.result_type(xs, *self.params)
        dout = upstream(dout, (*xs.shape[:2], len(Wh)), dtype, "TimeLSTM.backward: dout")
        dxs = np.empty_like(xs)
        dh: FloatArray = np.zeros((len(xs), len(Wh)), dtype)
        dc: FloatArray = np.zeros_like(dh)
        for grad in self.grads:
            grad[...] = 0
        for t in reversed(range(len(cells))):
            dxs[:, t], dh, dc = cells[t].backward(dout[:, t] + dh, dc)
            for grad, of_step in zip(self.grads, cells[t].grads, strict=True):
                grad += of_step
        return dxs
