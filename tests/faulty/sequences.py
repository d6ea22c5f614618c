"""Layers of plainnet made wrong on purpose, each named after its bug: recurrence and attention."""

import numpy as np

from faulty.base import fault
from plainnet import AttentionWeight, LSTMCell, RNNCell, TimeLSTM, TimeRNN, WeightSum


class RNNCellSlopeOfPreActivation(RNNCell):
    def backward(self, dout):
        x, h, _ = self._kept
        Wx, Wh, b = self.params
        a = x @ Wx + h @ Wh + b
        da = dout * (1 - a**2)
        self.grads[0][...] = x.T @ da
        self.grads[1][...] = h.T @ da
        self.grads[2][...] = da.sum(axis=0)
        return da @ Wx.T, da @ Wh.T


class RNNCellStateWeightsNotTransposed(RNNCell):
    def backward(self, dout):
        dx, _ = super().backward(dout)
        da = dout * (1 - self._kept[2] ** 2)
        return dx, da @ self.params[1]


class TimeRNNNothingFlowsBack(TimeRNN):
    def backward(self, dout):
        steps = [cell.backward(dout[:, t]) for t, cell in enumerate(self._kept[1])]
        for i, grad in enumerate(self.grads):
            grad[...] = sum(cell.grads[i] for cell in self._kept[1])
        return np.stack([dx for dx, _ in steps], axis=1)


class TimeRNNStepsOverwriteEachOther(TimeRNN):
    def backward(self, dout):
        dxs = super().backward(dout)
        for grad, of_step in zip(self.grads, self._kept[1][0].grads, strict=True):
            grad[...] = of_step
        return dxs


class LSTMCellOutputGateLeftOut(LSTMCell):
    def backward(self, dh, dc):
        _, _, _, o = self._gates
        slope = 1 - np.tanh(self._memory) ** 2
        return super().backward(dh, dc + dh * slope * (1 - o))


class LSTMCellForgetAndInputSwapped(LSTMCell):
    def backward(self, dh, dc):
        gradients = super().backward(dh, dc)
        for grad in self.grads:
            f, g, i, o = np.split(grad.copy(), 4, axis=-1)
            grad[...] = np.concatenate([i, g, f, o], axis=-1)
        return gradients


class LSTMCellMemoryNotForgotten(LSTMCell):
    def backward(self, dh, dc):
        dx, dh_before, _ = super().backward(dh, dc)
        slope = 1 - np.tanh(self._memory) ** 2
        return dx, dh_before, dc + dh * self._gates[3] * slope


class TimeLSTMMemoryDoesNotFlowBack(TimeLSTM):
    def backward(self, dout):
        xs, cells = self._kept
        dxs, dh = np.empty_like(xs), np.zeros_like(dout[:, 0])
        for t in reversed(range(len(cells))):
            dxs[:, t], dh, _ = cells[t].backward(dout[:, t] + dh, np.zeros_like(dh))
        for i, grad in enumerate(self.grads):
            grad[...] = sum(cell.grads[i] for cell in cells)
        return dxs


class TimeLSTMStepsOverwriteEachOther(TimeLSTM):
    def backward(self, dout):
        dxs = super().backward(dout)
        for grad, of_step in zip(self.grads, self._kept[1][0].grads, strict=True):
            grad[...] = of_step
        return dxs


class AttentionWeightWithoutCoupling(AttentionWeight):
    def backward(self, dout):
        hs, h, a = self._kept
        ds = (a * (1 - a) * dout)[..., None]
        return ds * h[:, None], (ds * hs).sum(axis=1)


class AttentionWeightStateOfLastStepOnly(AttentionWeight):
    def backward(self, dout):
        hs, _, a = self._kept
        dhs, _ = super().backward(dout)
        ds = a * (dout - (dout * a).sum(axis=1, keepdims=True))
        return dhs, ds[:, -1:] * hs[:, -1]


class WeightSumAveragedOverTheFeatures(WeightSum):
    def backward(self, dout):
        dhs, da = super().backward(dout)
        return dhs, da / dout.shape[1]


class WeightSumAllStepsWeighEqually(WeightSum):
    def backward(self, dout):
        dhs, da = super().backward(dout)
        return np.broadcast_to(dout[:, None] / dhs.shape[1], dhs.shape).copy(), da


RNN = {"Wx": "d h", "Wh": "h h", "b": "h"}
LSTM = {"Wx": "d 4*h", "Wh": "h 4*h", "b": "4*h"}
STEP, MEMORY = {"x": "n d", "h": "n h"}, {"c": "n h"}
SEQUENCE = {"xs": "n t d", "dims": {"n": (1, 2), "t": (1, 3), "d": (1, 2), "h": (1, 2)}}
LOOK = {"hs": "n t d", "h": "n d"}
WEIGHTED = {"hs": "n t d", "a": "n t"}
FAULTS = (
    fault(
        RNNCellSlopeOfPreActivation,
        RNNCell,
        "x h Wx Wh b",
        "pre-activation used for post-activation",
        **RNN,
        **STEP,
    ),
    fault(RNNCellStateWeightsNotTransposed, RNNCell, "h", "transpose", **RNN, **STEP),
    fault(TimeRNNNothingFlowsBack, TimeRNN, "xs Wx Wh b", "not carried through time", **RNN, **SEQUENCE),
    fault(
        TimeRNNStepsOverwriteEachOther, TimeRNN, "Wx Wh b", "overwritten, not added", "not summed", **RNN, **SEQUENCE
    ),
    fault(
        LSTMCellOutputGateLeftOut,
        LSTMCell,
        "x h c Wx Wh b",
        "a factor left out",
        "a term too many",
        **LSTM,
        **STEP,
        **MEMORY,
    ),
    fault(
        LSTMCellForgetAndInputSwapped,
        LSTMCell,
        "Wx Wh b",
        "gradients swapped",
        "entries permuted",
        **LSTM,
        **STEP,
        **MEMORY,
    ),
    fault(LSTMCellMemoryNotForgotten, LSTMCell, "c", "a factor left out", **LSTM, **STEP, **MEMORY),
    fault(
        TimeLSTMMemoryDoesNotFlowBack,
        TimeLSTM,
        "xs Wx Wh b",
        "not carried through time",
        "a term missing",
        **LSTM,
        **SEQUENCE,
    ),
    fault(
        TimeLSTMStepsOverwriteEachOther, TimeLSTM, "Wx Wh b", "overwritten, not added", "not summed", **LSTM, **SEQUENCE
    ),
    fault(AttentionWeightWithoutCoupling, AttentionWeight, "hs h", "a term missing", **LOOK),
    fault(AttentionWeightStateOfLastStepOnly, AttentionWeight, "h", "not summed", **LOOK),
    fault(WeightSumAveragedOverTheFeatures, WeightSum, "a", "a dim as factor", **WEIGHTED),
    fault(WeightSumAllStepsWeighEqually, WeightSum, "hs", "the wrong operand", "a factor left out", **WEIGHTED),
)
