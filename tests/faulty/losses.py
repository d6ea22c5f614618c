"""Losses that are wrong on purpose, each named after its bug."""

import numpy as np

from faulty.base import Node, fault, sigmoid, softmax
from gradproof import constant, floats, labels, one_hot


class SoftmaxWithLoss(Node):
    """Mean over the batch of -log y_t; t (n,) holds labels."""

    def forward(self, x, t):
        self.y, self.t = softmax(x), t
        shifted = x - x.max(axis=1, keepdims=True)
        log_y = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return -log_y[np.arange(len(x)), t].sum() / len(x)

    def backward(self, dout=1):
        return dout * self.difference() / len(self.t)

    def difference(self):
        d = self.y.copy()
        d[np.arange(len(d)), self.t] -= 1
        return d


class LossWithoutBatchMean(SoftmaxWithLoss):
    def backward(self, dout=1):
        return dout * self.difference()


class LossAveragedTwice(SoftmaxWithLoss):
    def backward(self, dout=1):
        return dout * self.difference() / len(self.t) ** 2


class LossIgnoresDout(SoftmaxWithLoss):
    def backward(self, dout):
        return self.difference() / len(self.t)


class LossOfWrongSign(SoftmaxWithLoss):
    def backward(self, dout=1):
        return -dout * self.difference() / len(self.t)


class TargetForgotten(SoftmaxWithLoss):
    def difference(self):
        return self.y.copy()


class TargetSubtractedFromWholeRow(SoftmaxWithLoss):
    def difference(self):
        return self.y - self.t[:, None]


class TargetColumnOfEveryRow(SoftmaxWithLoss):
    def difference(self):
        d = self.y.copy()
        d[:, self.t] -= 1  # the slip: every row, the columns of all labels
        return d


class LossSummedForward(SoftmaxWithLoss):
    def forward(self, x, t):
        return super().forward(x, t) * len(x)


class SoftmaxWithOneHotLoss(SoftmaxWithLoss):
    """The same for one-hot targets t (n, c)."""

    def forward(self, x, t):
        return super().forward(x, t.argmax(axis=1))


class OneHotTakenAsNumbers(SoftmaxWithOneHotLoss):
    def difference(self):
        return self.y - self.t[:, None] / self.y.shape[1]


class BookSoftmaxWithLoss(SoftmaxWithLoss):
    """log(y + 1e-7), with that epsilon in backward too."""

    def forward(self, x, t):
        self.y, self.t = softmax(x), t
        return -np.log(self.y[np.arange(len(x)), t] + 1e-7).sum() / len(x)

    def backward(self, dout=1):
        right = self.y[np.arange(len(self.y)), self.t][:, None]
        return dout * right / (right + 1e-7) * self.difference() / len(self.t)


class EpsilonLeftOut(BookSoftmaxWithLoss):
    def backward(self, dout=1):
        return dout * self.difference() / len(self.t)


class MeanSquaredError(Node):
    """Mean over all entries of (y - t)^2."""

    def forward(self, y, t):
        self.residual = y - t
        return np.square(self.residual).mean()

    def backward(self, dout=1):
        dy = dout * 2 * self.residual / self.residual.size
        return dy, -dy


class SquaredErrorOverBatchOnly(MeanSquaredError):
    def backward(self, dout=1):
        dy = dout * 2 * self.residual / len(self.residual)
        return dy, -dy


class SquaredErrorWithoutTheTwo(MeanSquaredError):
    def backward(self, dout=1):
        dy = dout * self.residual / self.residual.size
        return dy, -dy


class TargetGradientNotNegated(MeanSquaredError):
    def backward(self, dout=1):
        dy = dout * 2 * self.residual / self.residual.size
        return dy, dy.copy()


class BinaryCrossEntropy(Node):
    """Of probabilities y (n,) and targets t (n,) in 0..1."""

    def forward(self, y, t):
        self.y, self.t = y, t
        return -(t * np.log(y) + (1 - t) * np.log(1 - y)).mean()

    def backward(self, dout=1):
        return dout * (self.y - self.t) / (self.y * (1 - self.y)) / self.y.size


class CrossEntropyOfLogitsAssumed(BinaryCrossEntropy):
    def backward(self, dout=1):
        return dout * (self.y - self.t) / self.y.size


class SigmoidWithLoss(Node):
    """Scores x (n,) against targets t (n,) in 0..1."""

    def forward(self, x, t):
        self.x, self.t = x, t
        return (np.logaddexp(0, x) - x * t).mean()

    def backward(self, dout=1):
        return dout * (sigmoid(self.x) - self.t) / self.x.size


class ScoresTakenForProbabilities(SigmoidWithLoss):
    def backward(self, dout=1):
        return dout * (self.x - self.t) / self.x.size


class Huber(Node):
    def forward(self, y, t):
        self.residual = y - t
        r = np.abs(self.residual)
        return np.where(r <= 1, r**2 / 2, r - 0.5).sum()

    def backward(self, dout=1):
        return dout * np.clip(self.residual, -1, 1)


class HuberNotClipped(Huber):
    def backward(self, dout=1):
        return dout * self.residual


class Hinge(Node):
    """Sum over the wrong classes of max(0, x_j - x_t + 1)."""

    def forward(self, x, t):
        self.rows, self.t = np.arange(len(x)), t
        margin = np.maximum(x - x[self.rows, t][:, None] + 1, 0)
        margin[self.rows, t] = 0
        self.active = (margin > 0).astype(x.dtype)
        return margin.sum()

    def backward(self, dout=1):
        dx = self.active.copy()
        dx[self.rows, self.t] = -self.active.sum(axis=1)
        return dout * dx


class HingeCountsOneViolation(Hinge):
    def backward(self, dout=1):
        dx = self.active.copy()
        dx[self.rows, self.t] = -np.minimum(self.active.sum(axis=1), 1)
        return dout * dx


class RidgeLoss:
    """Half the squared error of x W, and a tenth of the squared weights."""

    def __init__(self, W):
        self.params, self.grads = [W], [np.zeros_like(W)]

    def forward(self, x, t):
        self.x, self.residual = x, np.matmul(x, self.params[0]) - t
        return np.square(self.residual).sum() / 2 + 0.1 * np.square(self.params[0]).sum()

    def backward(self, dout=1):
        self.grads[0][...] = dout * (np.matmul(self.x.T, self.residual) + 0.2 * self.params[0])
        return dout * np.matmul(self.residual, self.params[0].T)


class WeightDecayForgotten(RidgeLoss):
    def backward(self, dout=1):
        self.grads[0][...] = dout * np.matmul(self.x.T, self.residual)
        return dout * np.matmul(self.residual, self.params[0].T)


SCORES = {"x": "n c", "t": labels("n", "c")}
TARGETS = {"y": "n d", "t": constant("n d")}
BITS = constant(floats("n", min_value=0.0, max_value=1.0))
FAULTS = (
    fault(LossWithoutBatchMean, SoftmaxWithLoss, "x", "missing mean over the batch", "constant factor", **SCORES),
    fault(LossAveragedTwice, SoftmaxWithLoss, "x", "extra mean over the batch", "constant factor", **SCORES),
    fault(LossIgnoresDout, SoftmaxWithLoss, "x", "ignores dout", **SCORES),
    fault(LossOfWrongSign, SoftmaxWithLoss, "x", "sign", **SCORES),
    fault(TargetForgotten, SoftmaxWithLoss, "x", "a term missing", **SCORES),
    fault(TargetSubtractedFromWholeRow, SoftmaxWithLoss, "x", "the wrong operand", "a term too many", **SCORES),
    fault(TargetColumnOfEveryRow, SoftmaxWithLoss, "x", "a term too many", "one column wrong", **SCORES),
    fault(
        LossSummedForward, SoftmaxWithLoss, "x", "extra mean over the batch", "the forward is the wrong side", **SCORES
    ),
    fault(OneHotTakenAsNumbers, SoftmaxWithOneHotLoss, "x", "the wrong operand", x="n c", t=one_hot("n", "c")),
    fault(EpsilonLeftOut, BookSoftmaxWithLoss, "x", "epsilon left out", **SCORES),
    fault(SquaredErrorOverBatchOnly, MeanSquaredError, "y t", "a dim as factor", y="n d", t="n d"),
    fault(SquaredErrorWithoutTheTwo, MeanSquaredError, "y t", "constant factor", y="n d", t="n d"),
    fault(TargetGradientNotNegated, MeanSquaredError, "t", "sign", y="n d", t="n d"),
    fault(
        CrossEntropyOfLogitsAssumed,
        BinaryCrossEntropy,
        "y",
        "a factor too many",
        "a factor left out",
        y=floats("n", min_value=0.05, max_value=0.95),
        t=BITS,
    ),
    fault(ScoresTakenForProbabilities, SigmoidWithLoss, "x", "pre-activation used for post-activation", x="n", t=BITS),
    fault(HuberNotClipped, Huber, "y", "one region of values wrong", "the forward is the wrong side", **TARGETS),
    fault(HingeCountsOneViolation, Hinge, "x", "not summed", "a term missing", **SCORES),
    fault(WeightDecayForgotten, RidgeLoss, "W", "a term missing", W="d h", x="n d", t=constant("n h")),
)
