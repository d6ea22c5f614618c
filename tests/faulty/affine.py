"""Affine layers that are wrong on purpose, each named after its bug."""

import numpy as np

from faulty.base import fault


class Affine:
    """The right neighbour: each fault below replaces one of its three gradients."""

    def __init__(self, W, b):
        self.params = [W, b]
        self.grads = [np.zeros_like(W), np.zeros_like(b)]

    def forward(self, x):
        W, b = self.params
        self.x = x
        return np.matmul(x, W) + b

    def backward(self, dout):
        self.grads[0][...] = self.weight_gradient(dout)
        self.grads[1][...] = self.bias_gradient(dout)
        return self.input_gradient(dout)

    def input_gradient(self, dout):
        return np.matmul(dout, self.params[0].T)

    def weight_gradient(self, dout):
        return np.matmul(self.x.T, dout)

    def bias_gradient(self, dout):
        return dout.sum(axis=0)


class BiasGradientNotSummed(Affine):
    def bias_gradient(self, dout):
        return dout[0]


class BiasGradientAveraged(Affine):
    def bias_gradient(self, dout):
        return dout.mean(axis=0)


class BiasGradientOverWrongAxis(Affine):
    def bias_gradient(self, dout):
        return dout.sum(axis=1)


class BiasGradientNeverWritten(Affine):
    def backward(self, dout):
        self.grads[0][...] = self.weight_gradient(dout)
        return self.input_gradient(dout)


class BiasGradientLastEntryForgotten(Affine):
    def bias_gradient(self, dout):
        db = np.zeros(dout.shape[1])
        for j in range(dout.shape[1] - 1):
            db[j] = dout[:, j].sum()
        return db


class WeightGradientOverBatch(Affine):
    def weight_gradient(self, dout):
        return np.matmul(self.x.T, dout) / len(self.x)


class WeightGradientTransposed(Affine):
    def weight_gradient(self, dout):
        return np.matmul(dout.T, self.x)


class WeightGradientNeverWritten(Affine):
    def backward(self, dout):
        dW = self.weight_gradient(dout)  # noqa: F841  the slip: computed and dropped
        self.grads[1][...] = self.bias_gradient(dout)
        return self.input_gradient(dout)


class WeightGradientInHalfPrecision(Affine):
    def weight_gradient(self, dout):
        return np.matmul(self.x.T, dout).astype(np.float16)


class WeightGradientOffByAMillionth(Affine):
    def weight_gradient(self, dout):
        return np.matmul(self.x.T, dout) * (1 + 1e-6)


class FirstWeightOffByAThousandth(Affine):
    def weight_gradient(self, dout):
        dW = np.matmul(self.x.T, dout)
        dW[0, 0] *= 1.001
        return dW


class LastColumnWrong(Affine):
    def weight_gradient(self, dout):
        dW = np.zeros_like(self.params[0])
        for j in range(dW.shape[1] - 1):
            dW[:, j] = np.matmul(self.x.T, dout[:, j])
        return dW


class LastRowWrong(Affine):
    def input_gradient(self, dout):
        dx = np.zeros_like(self.x)
        for i in range(len(dx) - 1):
            dx[i] = np.matmul(self.params[0], dout[i])
        return dx


class FirstSampleOnly(Affine):
    def weight_gradient(self, dout):
        return np.outer(self.x[0], dout[0])


class TransposedSquareW(Affine):
    def input_gradient(self, dout):
        return np.matmul(dout, self.params[0])


class InputGradientSignFlipped(Affine):
    def input_gradient(self, dout):
        return -np.matmul(dout, self.params[0].T)


class InputGradientDoubled(Affine):
    def input_gradient(self, dout):
        return 2 * np.matmul(dout, self.params[0].T)


class InputGradientTimesWidth(Affine):
    def input_gradient(self, dout):
        return np.matmul(dout, self.params[0].T) * dout.shape[1]


class BiasLeaksIntoInputGradient(Affine):
    def input_gradient(self, dout):
        W, b = self.params
        return np.matmul(dout + b, W.T)


class IgnoresDout(Affine):
    def input_gradient(self, dout):
        return np.matmul(np.ones_like(dout), self.params[0].T)


class UsesAbsoluteDout(Affine):
    def input_gradient(self, dout):
        return np.matmul(np.abs(dout), self.params[0].T)


class SquaresDout(Affine):
    def input_gradient(self, dout):
        return np.matmul(dout * dout, self.params[0].T)


class UsesTheSignOfDoutOnly(Affine):
    def input_gradient(self, dout):
        return np.matmul(np.sign(dout), self.params[0].T)


class WrongOnlyAtBatchTwo(Affine):
    def input_gradient(self, dout):
        scale = 2 if len(dout) == 2 else 1
        return scale * np.matmul(dout, self.params[0].T)


class WrongOnlyAtBatchOne(Affine):
    def weight_gradient(self, dout):
        return np.matmul(self.x.T, dout) if len(dout) > 1 else np.zeros_like(self.params[0])


class WrongAboveBatchFour(Affine):
    def weight_gradient(self, dout):
        return np.matmul(self.x[:4].T, dout[:4])


class WrongOnlyForOddWidth(Affine):
    def input_gradient(self, dout):
        pairs = 2 * (dout.shape[1] // 2)
        return np.matmul(dout[:, :pairs], self.params[0][:, :pairs].T)


class WrongOnlyForWideInput(Affine):
    def weight_gradient(self, dout):
        dW = np.zeros_like(self.params[0])
        for i in range(min(dW.shape)):
            dW[i] = np.matmul(self.x[:, i], dout)
        return dW


AFFINE = {"W": "d h", "b": "h", "x": "n d"}
SQUARE = {"W": "d d", "b": "d", "x": "n d"}
FAULTS = (
    fault(BiasGradientNotSummed, Affine, "b", "not summed", **AFFINE),
    fault(BiasGradientAveraged, Affine, "b", "extra mean over the batch", "constant factor", **AFFINE),
    fault(BiasGradientOverWrongAxis, Affine, "b", "sum over the wrong axis", "crash", **AFFINE),
    fault(BiasGradientNeverWritten, Affine, "b", "never written", **AFFINE),
    fault(BiasGradientLastEntryForgotten, Affine, "b", "one entry wrong", **AFFINE),
    fault(WeightGradientOverBatch, Affine, "W", "extra mean over the batch", "constant factor", **AFFINE),
    fault(WeightGradientTransposed, Affine, "W", "transpose", **SQUARE),
    fault(WeightGradientNeverWritten, Affine, "W", "never written", **AFFINE),
    fault(WeightGradientInHalfPrecision, Affine, "W", "down-casts", **AFFINE),
    fault(WeightGradientOffByAMillionth, Affine, "W", "constant mistyped", "constant factor", **AFFINE),
    fault(FirstWeightOffByAThousandth, Affine, "W", "one entry wrong", **AFFINE),
    fault(LastColumnWrong, Affine, "W", "one column wrong", **AFFINE),
    fault(LastRowWrong, Affine, "x", "one row wrong", **AFFINE),
    fault(FirstSampleOnly, Affine, "W", "not summed", **AFFINE),
    fault(TransposedSquareW, Affine, "x", "transpose", **SQUARE),
    fault(InputGradientSignFlipped, Affine, "x", "sign", **AFFINE),
    fault(InputGradientDoubled, Affine, "x", "constant factor", **AFFINE),
    fault(InputGradientTimesWidth, Affine, "x", "a dim as factor", **AFFINE),
    fault(BiasLeaksIntoInputGradient, Affine, "x", "a term too many", **AFFINE),
    fault(IgnoresDout, Affine, "x", "ignores dout", **AFFINE),
    fault(UsesAbsoluteDout, Affine, "x", "ignores the sign of dout", "not linear in dout", **AFFINE),
    fault(
        SquaresDout,
        Affine,
        "x",
        "ignores the sign of dout",
        "ignores the scale of dout",
        "wrong power",
        "not linear in dout",
        **AFFINE,
    ),
    fault(UsesTheSignOfDoutOnly, Affine, "x", "ignores the scale of dout", "not linear in dout", **AFFINE),
    fault(WrongOnlyAtBatchTwo, Affine, "x", "one shape wrong", "constant factor", **AFFINE),
    fault(WrongOnlyAtBatchOne, Affine, "W", "one shape wrong", "never written", **AFFINE),
    fault(WrongAboveBatchFour, Affine, "W", "one shape wrong", "not summed", **AFFINE),
    fault(WrongOnlyForOddWidth, Affine, "x", "one shape wrong", "not summed", "a term missing", **AFFINE),
    fault(WrongOnlyForWideInput, Affine, "W", "one shape wrong", "one row wrong", "never written", **AFFINE),
)
