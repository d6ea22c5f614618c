"""Affine layers that crash, or whose gradients have the wrong form, each named after its bug."""

import numpy as np

from faulty.activations import Square
from faulty.affine import AFFINE, Affine
from faulty.base import Node, fault
from faulty.norms import Softmax
from gradproof import floats, labels


class CrashesInTheConstructor(Affine):
    def __init__(self, W, b):
        super().__init__(W, b)
        self.grads = [np.zeros(W), np.zeros(b)]


class CrashesAtBatchOne(Affine):
    def forward(self, x):
        rows = x[0] if len(x) == 1 else x
        return super().forward(rows.reshape(rows.shape[0], rows.shape[1]))


class CrashesInBackward(Affine):
    def input_gradient(self, dout):
        return np.matmul(dout, self.W.T)


class ForgetsToCacheItsInput(Affine):
    def forward(self, x):
        W, b = self.params
        return np.matmul(x, W) + b


class BackwardWithoutReturn(Affine):
    def backward(self, dout):
        super().backward(dout)


class InputGradientFlattened(Affine):
    def input_gradient(self, dout):
        return np.matmul(dout, self.params[0].T).ravel()


class InputGradientSummedAway(Affine):
    def input_gradient(self, dout):
        return np.matmul(dout, self.params[0].T).sum(axis=0)


class InputGradientNotANumber(Affine):
    def input_gradient(self, dout):
        return np.matmul(dout, self.params[0].T) * np.nan


class SquareByItsRatio(Square):
    def slope(self):
        return 2 * self.out / self.x  # the slip: 0 / 0 where x is 0


class SoftmaxNotShiftedInBackward(Softmax):
    def forward(self, x):
        self.x = x
        return super().forward(x)

    def backward(self, dout):
        e = np.exp(self.x)
        self.y = e / e.sum(axis=-1, keepdims=True)
        return super().backward(dout)


class BiasGradientAsARow(Affine):
    def backward(self, dout):
        self.grads[0][...] = self.weight_gradient(dout)
        self.grads[1] = dout.sum(axis=0, keepdims=True)
        return self.input_gradient(dout)


class GradsTooShort(Affine):
    def backward(self, dout):
        self.grads = [self.weight_gradient(dout)]
        return self.input_gradient(dout)


class Add(Node):
    """x (n, d) plus b (d,), which is broadcast."""

    def forward(self, x, b):
        return x + b

    def backward(self, dout):
        return dout, dout.sum(axis=0)


class BroadcastNotSummed(Add):
    def backward(self, dout):
        return dout, dout


class SecondGradientForgotten(Add):
    def backward(self, dout):
        return dout


class Pick(Node):
    """The score of each row's label."""

    def forward(self, x, t):
        self.x, self.t = x, t
        return x[np.arange(len(x)), t]

    def backward(self, dout):
        dx = np.zeros_like(self.x)
        dx[np.arange(len(dx)), self.t] = dout
        return dx


class LabelsCountedFromOne(Pick):
    def forward(self, x, t):
        return super().forward(x, t + 1)


FAR = {"x": floats("n c", min_value=-900.0, max_value=900.0)}
ADD = {"x": "n d", "b": "d"}
FAULTS = (
    fault(CrashesInTheConstructor, Affine, "", "crash", **AFFINE),
    fault(CrashesAtBatchOne, Affine, "", "crash", **AFFINE),
    fault(CrashesInBackward, Affine, "", "crash", **AFFINE),
    fault(ForgetsToCacheItsInput, Affine, "", "crash", **AFFINE),
    fault(BackwardWithoutReturn, Affine, "x", "wrong form", **AFFINE),
    fault(InputGradientFlattened, Affine, "x", "wrong form", **AFFINE),
    fault(InputGradientSummedAway, Affine, "x", "wrong form", **AFFINE),
    fault(InputGradientNotANumber, Affine, "x", "not a number", **AFFINE),
    fault(SquareByItsRatio, Square, "x", "not a number", x="n d"),
    fault(SoftmaxNotShiftedInBackward, Softmax, "x", "not a number", **FAR),
    fault(BiasGradientAsARow, Affine, "b", "wrong form", **AFFINE),
    fault(GradsTooShort, Affine, "", "wrong form", **AFFINE),
    fault(BroadcastNotSummed, Add, "b", "wrong form", "not summed", **ADD),
    fault(SecondGradientForgotten, Add, "", "wrong form", **ADD),
    fault(LabelsCountedFromOne, Pick, "", "crash", x="n c", t=labels("n", "c")),
)
