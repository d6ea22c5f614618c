"""Layers of plainnet made wrong on purpose, each named after its bug: norms, losses, dropout, images."""

import numpy as np

from faulty.base import fault, sigmoid
from gradproof import constant, labels, positive
from plainnet import (
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Dropout,
    Embedding,
    LayerNorm,
    MaxPool2D,
    MeanSquaredError,
    SigmoidWithLoss,
)


class LayerNormGammaFromOutput(LayerNorm):
    def backward(self, dout):
        dx = super().backward(dout)
        gamma, beta = self.params
        _, x_hat, _ = self._kept
        y = gamma * x_hat + beta
        self.grads[0][...] = (dout * y).sum(axis=0)
        return dx


class LayerNormWithoutMeanTerm(LayerNorm):
    def backward(self, dout):
        super().backward(dout)
        _, x_hat, sd = self._kept
        d = dout * self.params[0]
        return (d - x_hat * (d * x_hat).mean(axis=1, keepdims=True)) / sd


class BatchNormInferenceDifferentiatedAsTraining(BatchNorm):
    def backward(self, dout):
        x, x_hat, sd, _ = self._kept
        self._kept = x, x_hat, sd, True
        return super().backward(dout)


class BatchNormBetaAveraged(BatchNorm):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads[1][...] = dout.mean(axis=0)
        return dx


class EmbeddingDuplicatesOverwritten(Embedding):
    def backward(self, dout):
        self.grads[0][...] = 0
        self.grads[0][self._ids] = dout


class EmbeddingAveragedOverTheBatch(Embedding):
    def backward(self, dout):
        super().backward(dout / max(len(dout), 1))


class MeanSquaredErrorFactorTwoForgotten(MeanSquaredError):
    def backward(self, dout=1):
        return super().backward(dout) / 2


class MeanSquaredErrorDividedByRowsOnly(MeanSquaredError):
    def backward(self, dout=1):
        x, difference = self._kept
        return dout * 2 * difference / len(x)


class SigmoidWithLossNotAveraged(SigmoidWithLoss):
    def backward(self, dout=1):
        x, t = self._kept
        return dout * (sigmoid(x) - t)


class SigmoidWithLossIgnoresDout(SigmoidWithLoss):
    def backward(self, dout):
        return super().backward(1)


class DropoutScaleForgottenInBackward(Dropout):
    def backward(self, dout):
        return super().backward(dout) * (1 - self.ratio)


class DropoutMaskForgottenInBackward(Dropout):
    def backward(self, dout):
        return dout / (1 - self.ratio)


class Conv2DKernelFlippedInBackward(Conv2D):
    def backward(self, dout):
        super().backward(dout)
        W, b = self.params
        flipped = Conv2D(W[:, :, ::-1, ::-1], b, self.stride, self.pad)
        flipped.forward(self._kept[0])
        return flipped.backward(dout)


class Conv2DOverlapsOverwritten(Conv2D):
    def backward(self, dout):
        dx = super().backward(dout)
        per_window = np.einsum("nfpq,fcij->ncpqij", dout, self.params[0])
        p, q, height, width = per_window.shape[2:]
        for i in range(height):
            for j in range(width):
                dx[:, :, i : i + p, j : j + q] = per_window[..., i, j]
        return dx


class Conv2DBiasOfOnePosition(Conv2D):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads[1][...] = dout[:, :, 0, 0].sum(axis=0)
        return dx


class MaxPool2DDerivativeOfTheMean(MaxPool2D):
    def backward(self, dout):
        return np.repeat(np.repeat(dout, 2, axis=2), 2, axis=3) / 4


class MaxPool2DSharedPixelsOverwritten(MaxPool2D):
    def backward(self, dout):
        dx = super().backward(dout)
        largest = self._kept[1]
        n, c, p, q = np.indices(largest.shape)
        i, j = np.divmod(largest, self.size)
        dx[n, c, p * self.stride + i, q * self.stride + j] = dout
        return dx


class AveragePool2DDividedByOneSide(AveragePool2D):
    def backward(self, dout):
        return super().backward(dout) * self.size


class AveragePool2DFirstPixelTakesAll(AveragePool2D):
    def backward(self, dout):
        dx = np.zeros_like(self._kept[0])
        dx[:, :, ::2, ::2] = dout
        return dx


NORM = {"gamma": "d", "beta": "d", "x": "n d"}
LOOK_UP = {"W": "v d", "ids": labels("n", "v")}
REGRESSION = {"x": "n d", "t": constant("n d")}
YES_OR_NO = {"x": "n", "t": labels("n", 2)}
# no zeros and enough entries: two masks that differ must show in the output
DROPPED = {
    "ratio": 0.3,
    "rng": np.random.default_rng(0),
    "x": positive("n d"),
    "dims": {"n": (4, 6), "d": (4, 6)},
}
CONVOLVED = {"W": "f c i j", "b": "f", "x": "n c p+i-1 q+j-1"}
POOLED = {"size": 2, "x": "n c 2*p 2*q"}
OVERLAPPING = {"size": 3, "stride": 2, "x": "n c 2*p+1 2*q+1"}
FAULTS = (
    fault(
        LayerNormGammaFromOutput,
        LayerNorm,
        "gamma",
        "post-activation used for pre-activation",
        "the wrong operand",
        **NORM,
    ),
    fault(LayerNormWithoutMeanTerm, LayerNorm, "x", "a term missing", **NORM),
    fault(
        BatchNormInferenceDifferentiatedAsTraining,
        BatchNorm,
        "x",
        "the forward is the wrong side",
        "a term too many",
        train=False,
        **NORM,
    ),
    fault(BatchNormBetaAveraged, BatchNorm, "beta", "extra mean over the batch", **NORM),
    fault(EmbeddingDuplicatesOverwritten, Embedding, "W", "overwritten, not added", **LOOK_UP),
    fault(EmbeddingAveragedOverTheBatch, Embedding, "W", "extra mean over the batch", **LOOK_UP),
    fault(MeanSquaredErrorFactorTwoForgotten, MeanSquaredError, "x", "constant factor", **REGRESSION),
    fault(MeanSquaredErrorDividedByRowsOnly, MeanSquaredError, "x", "a dim as factor", **REGRESSION),
    fault(SigmoidWithLossNotAveraged, SigmoidWithLoss, "x", "missing mean over the batch", **YES_OR_NO),
    fault(SigmoidWithLossIgnoresDout, SigmoidWithLoss, "x", "ignores dout", **YES_OR_NO),
    fault(DropoutScaleForgottenInBackward, Dropout, "x", "constant factor", "a factor left out", **DROPPED),
    fault(DropoutMaskForgottenInBackward, Dropout, "x", "a factor left out", **DROPPED),
    fault(Conv2DKernelFlippedInBackward, Conv2D, "x", "entries permuted", "the wrong operand", **CONVOLVED),
    fault(Conv2DOverlapsOverwritten, Conv2D, "x", "not summed", "overwritten, not added", **CONVOLVED),
    fault(Conv2DBiasOfOnePosition, Conv2D, "b", "not summed", **CONVOLVED),
    fault(MaxPool2DDerivativeOfTheMean, MaxPool2D, "x", "the forward is the wrong side", **POOLED),
    fault(MaxPool2DSharedPixelsOverwritten, MaxPool2D, "x", "overwritten, not added", **OVERLAPPING),
    fault(AveragePool2DDividedByOneSide, AveragePool2D, "x", "constant factor", **POOLED),
    fault(
        AveragePool2DFirstPixelTakesAll,
        AveragePool2D,
        "x",
        "not broadcast back",
        "the forward is the wrong side",
        **POOLED,
    ),
)
