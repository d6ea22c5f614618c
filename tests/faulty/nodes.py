"""Nodes of a computational graph that are wrong on purpose, each named after its bug."""

import numpy as np

from faulty.base import Node, fault
from gradproof import floats


class Multiply(Node):
    def forward(self, x, y):
        self.x, self.y = x, y
        return x * y

    def backward(self, dout):
        return dout * self.y, dout * self.x


class MultiplyOperandsSwapped(Multiply):
    def backward(self, dout):
        return dout * self.x, dout * self.y


class Subtract(Node):
    def forward(self, x, y):
        return x - y

    def backward(self, dout):
        return dout, -dout


class SubtractLosesItsMinus(Subtract):
    def backward(self, dout):
        return dout, dout.copy()


class Divide(Node):
    def forward(self, x, y):
        self.x, self.y = x, y
        return x / y

    def backward(self, dout):
        return dout / self.y, -dout * self.x / self.y**2


class DivisorNotSquared(Divide):
    def backward(self, dout):
        return dout / self.y, -dout * self.x / self.y


class MatMul(Node):
    """Two square matrices, so that every order of the factors fits."""

    def forward(self, a, b):
        self.a, self.b = a, b
        return np.matmul(a, b)

    def backward(self, dout):
        return np.matmul(dout, self.b.T), np.matmul(self.a.T, dout)


class MatMulWithoutTransposes(MatMul):
    def backward(self, dout):
        return np.matmul(dout, self.b), np.matmul(self.a, dout)


class MatMulFactorsInWrongOrder(MatMul):
    def backward(self, dout):
        return np.matmul(dout, self.b.T), np.matmul(dout, self.a.T)


class MatMulGradientsSwapped(MatMul):
    def backward(self, dout):
        return np.matmul(self.a.T, dout), np.matmul(dout, self.b.T)


class ScaleAndShift:
    """Two parameters of one shape, whose gradients are easily exchanged."""

    def __init__(self, gamma, beta):
        self.params = [gamma, beta]
        self.grads = [np.zeros_like(gamma), np.zeros_like(beta)]

    def forward(self, x):
        gamma, beta = self.params
        self.x = x
        return gamma * x + beta

    def backward(self, dout):
        self.grads[0][...] = (dout * self.x).sum(axis=0)
        self.grads[1][...] = dout.sum(axis=0)
        return dout * self.params[0]


class GradsSwapped(ScaleAndShift):
    def backward(self, dout):
        self.grads[0][...] = dout.sum(axis=0)
        self.grads[1][...] = (dout * self.x).sum(axis=0)
        return dout * self.params[0]


class ScaleLeftOutOfInputGradient(ScaleAndShift):
    def backward(self, dout):
        super().backward(dout)
        return dout.copy()


class Sum(Node):
    def forward(self, x):
        self.shape = x.shape
        return x.sum(axis=0)

    def backward(self, dout):
        return np.broadcast_to(dout, self.shape).copy()


class SumTreatedAsMean(Sum):
    def backward(self, dout):
        return super().backward(dout) / self.shape[0]


class SumReachesFirstRowOnly(Sum):
    def backward(self, dout):
        dx = np.zeros(self.shape)
        dx[0] = dout
        return dx


class Mean(Sum):
    def forward(self, x):
        return super().forward(x) / x.shape[0]

    def backward(self, dout):
        return super().backward(dout) / self.shape[0]


class MeanWithoutDivision(Mean):
    def backward(self, dout):
        return np.broadcast_to(dout, self.shape).copy()


class Repeat(Node):
    def forward(self, x):
        return np.repeat(x[None], 3, axis=0)

    def backward(self, dout):
        return dout.sum(axis=0)


class RepeatTakesFirstCopy(Repeat):
    def backward(self, dout):
        return dout[0]


class Flatten(Node):
    def forward(self, x):
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dout):
        return dout.reshape(self.shape)


class FlattenUndoneInOtherOrder(Flatten):
    def backward(self, dout):
        n, a, b = self.shape
        return dout.reshape(n, b, a).transpose(0, 2, 1)


class Roll(Node):
    def forward(self, x):
        return np.roll(x, 1, axis=1)

    def backward(self, dout):
        return np.roll(dout, -1, axis=1)


class RollNotUndone(Roll):
    def backward(self, dout):
        return np.roll(dout, 1, axis=1)


class CumulativeSum(Node):
    def forward(self, x):
        return np.cumsum(x, axis=1)

    def backward(self, dout):
        return np.cumsum(dout[:, ::-1], axis=1)[:, ::-1]


class CumulativeSumNotReversed(CumulativeSum):
    def backward(self, dout):
        return np.cumsum(dout, axis=1)


class Concatenate(Node):
    def forward(self, x, y):
        self.width = x.shape[1]
        return np.concatenate([x, y], axis=1)

    def backward(self, dout):
        return dout[:, : self.width], dout[:, self.width :]


class ConcatenateHalvesSwapped(Concatenate):
    def backward(self, dout):
        return dout[:, self.width :], dout[:, : self.width]


PAIR = {"x": "n d", "y": "n d"}
FAULTS = (
    fault(MultiplyOperandsSwapped, Multiply, "x y", "gradients swapped", "the wrong operand", **PAIR),
    fault(SubtractLosesItsMinus, Subtract, "y", "sign", **PAIR),
    fault(
        DivisorNotSquared,
        Divide,
        "y",
        "a factor too many",
        "wrong power",
        "a factor left out",
        x="n d",
        y=floats("n d", min_value=0.5, max_value=2.0),
    ),
    fault(MatMulWithoutTransposes, MatMul, "a b", "transpose", a="d d", b="d d"),
    fault(MatMulFactorsInWrongOrder, MatMul, "b", "sum over the wrong axis", "transpose", a="d d", b="d d"),
    fault(MatMulGradientsSwapped, MatMul, "a b", "gradients swapped", a="d d", b="d d"),
    fault(GradsSwapped, ScaleAndShift, "gamma beta", "gradients swapped", gamma="d", beta="d", x="n d"),
    fault(
        ScaleLeftOutOfInputGradient,
        ScaleAndShift,
        "x",
        "a factor left out",
        "derivative left out",
        gamma="d",
        beta="d",
        x="n d",
    ),
    fault(SumTreatedAsMean, Sum, "x", "extra mean over the batch", "constant factor", x="n d"),
    fault(SumReachesFirstRowOnly, Sum, "x", "not broadcast back", "one row wrong", x="n d"),
    fault(MeanWithoutDivision, Mean, "x", "missing mean over the batch", "constant factor", x="n d"),
    fault(RepeatTakesFirstCopy, Repeat, "x", "not summed", x="d"),
    fault(FlattenUndoneInOtherOrder, Flatten, "x", "transpose", "entries permuted", x="n a b"),
    fault(RollNotUndone, Roll, "x", "entries permuted", x="n d"),
    fault(CumulativeSumNotReversed, CumulativeSum, "x", "entries permuted", "transpose", x="n d"),
    fault(ConcatenateHalvesSwapped, Concatenate, "x y", "gradients swapped", **PAIR),
)
