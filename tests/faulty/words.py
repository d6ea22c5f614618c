"""Layers for words and sequences that are wrong on purpose, each named after its bug."""

import numpy as np

from faulty.base import Node, fault
from gradproof import labels


class TimeAffine:
    """x (n, t, d), the same W and b at each step."""

    def __init__(self, W, b):
        self.params, self.grads = [W, b], [np.zeros_like(W), np.zeros_like(b)]

    def forward(self, x):
        self.x = x
        return np.matmul(x, self.params[0]) + self.params[1]

    def backward(self, dout):
        n, t, d = self.x.shape
        rows = dout.reshape(n * t, -1)
        self.grads[0][...] = np.matmul(self.x.reshape(n * t, d).T, rows)
        self.grads[1][...] = rows.sum(axis=0)
        return np.matmul(rows, self.params[0].T).reshape(self.x.shape)


class TimeAffineBiasOfTheLastStep(TimeAffine):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads[1][...] = dout[:, -1].sum(axis=0)
        return dx


class TimeAffineAveragedOverTheSteps(TimeAffine):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads[0] /= dout.shape[1]
        return dx


class TimeAffineBatchAndTimeExchanged(TimeAffine):
    def backward(self, dout):
        dx = super().backward(dout)
        n, t, d = dx.shape
        return dx.reshape(t, n, d).transpose(1, 0, 2)


class TimeAffineLastStepForgotten(TimeAffine):
    def backward(self, dout):
        dx = super().backward(dout)
        dx[:, -1] = 0
        return dx


class TimeEmbedding:
    """ids (n, t) -> (n, t, d), one step after the other."""

    def __init__(self, W):
        self.params, self.grads = [W], [np.zeros_like(W)]

    def forward(self, ids):
        self.ids = ids
        return self.params[0][ids]

    def backward(self, dout):
        self.grads[0][...] = sum(self.step(dout, t) for t in range(dout.shape[1]))

    def step(self, dout, t):
        dW = np.zeros_like(self.params[0])
        np.add.at(dW, self.ids[:, t], dout[:, t])
        return dW


class TimeEmbeddingStepsOverwriteEachOther(TimeEmbedding):
    def backward(self, dout):
        for t in range(dout.shape[1]):
            self.grads[0][...] = self.step(dout, t)


class TimeEmbeddingWordsOverwritten(TimeEmbedding):
    def step(self, dout, t):
        dW = np.zeros_like(self.params[0])
        dW[self.ids[:, t]] = dout[:, t]
        return dW


class WordScore:
    """The dot product of h (n, d) with the vector of one word each."""

    def __init__(self, W):
        self.params, self.grads = [W], [np.zeros_like(W)]

    def forward(self, h, ids):
        self.h, self.ids, self.words = h, ids, self.params[0][ids]
        return (self.words * h).sum(axis=1)

    def backward(self, dout):
        dout = dout[:, None]
        self.grads[0][...] = 0
        np.add.at(self.grads[0], self.ids, dout * self.h)
        return dout * self.words


class WordScoreOfItself(WordScore):
    def backward(self, dout):
        super().backward(dout)
        return dout[:, None] * self.h


class WordScoreSignOnly(WordScore):
    def backward(self, dout):
        return super().backward(np.where(dout > 0, 1.0, -1.0))


class ContextMean(Node):
    """The mean of two context vectors."""

    def forward(self, left, right):
        return 0.5 * (left + right)

    def backward(self, dout):
        return 0.5 * dout, 0.5 * dout


class ContextMeanWithoutTheHalf(ContextMean):
    def backward(self, dout):
        return dout.copy(), dout.copy()


STEPS = {"W": "d h", "b": "h", "x": "n t d"}
WORDS = {"W": "v d", "ids": labels("n t", "v"), "dims": {"n": (1, 4), "t": (1, 4)}}
SCORED = {"W": "v d", "h": "n d", "ids": labels("n", "v")}
FAULTS = (
    fault(TimeAffineBiasOfTheLastStep, TimeAffine, "b", "not summed", **STEPS),
    fault(TimeAffineAveragedOverTheSteps, TimeAffine, "W", "a dim as factor", **STEPS),
    fault(TimeAffineBatchAndTimeExchanged, TimeAffine, "x", "entries permuted", "transpose", **STEPS),
    fault(TimeAffineLastStepForgotten, TimeAffine, "x", "one channel wrong", "never written", **STEPS),
    fault(TimeEmbeddingStepsOverwriteEachOther, TimeEmbedding, "W", "overwritten, not added", "not summed", **WORDS),
    fault(TimeEmbeddingWordsOverwritten, TimeEmbedding, "W", "overwritten, not added", **WORDS),
    fault(WordScoreOfItself, WordScore, "h", "the wrong operand", **SCORED),
    fault(WordScoreSignOnly, WordScore, "h W", "ignores the scale of dout", "not linear in dout", **SCORED),
    fault(ContextMeanWithoutTheHalf, ContextMean, "left right", "constant factor", left="n d", right="n d"),
)
