"""Activations that are wrong on purpose, each named after its bug."""

import numpy as np

from faulty.base import Node, fault, sigmoid


class Activation(Node):
    """y = f(x), dx = dout * slope: a fault below replaces the slope."""

    def forward(self, x):
        self.x = x
        self.out = self.function(x)
        return self.out

    def backward(self, dout):
        return dout * self.slope()


class Sigmoid(Activation):
    def function(self, x):
        return 1 / (1 + np.exp(-x))

    def slope(self):
        return (1.0 - self.out) * self.out


class SigmoidTypo(Sigmoid):
    def function(self, x):
        return 1 / 1 + np.exp(-x)


class SigmoidOfPreActivation(Sigmoid):
    def slope(self):
        return (1.0 - self.x) * self.x


class SigmoidAppliedTwice(Sigmoid):
    def slope(self):
        return (1.0 - sigmoid(self.out)) * sigmoid(self.out)


class SigmoidWithoutItsOwnFactor(Sigmoid):
    def slope(self):
        return 1.0 - self.out


class SigmoidForgetsDout(Sigmoid):
    def backward(self, dout):
        return self.slope()


class DoubledSigmoid(Sigmoid):
    def forward(self, x):
        return super().forward(x) * 2

    def slope(self):
        return 2 * (1.0 - self.out) * self.out


class SigmoidCacheDoubledInPlace(DoubledSigmoid):
    def forward(self, x):
        Sigmoid.forward(self, x)
        self.out *= 2
        return self.out.copy()


class Tanh(Activation):
    def function(self, x):
        return np.tanh(x)

    def slope(self):
        return 1 - self.out**2


class TanhWithoutSquare(Tanh):
    def slope(self):
        return 1 - self.out


class TanhOfPreActivation(Tanh):
    def slope(self):
        return 1 - self.x**2


class LeakyRelu(Activation):
    def function(self, x):
        return np.where(x > 0, x, 0.01 * x)

    def slope(self):
        return np.where(self.x > 0, 1, 0.01).astype(self.x.dtype)


class LeakForgottenInBackward(LeakyRelu):
    def slope(self):
        return np.where(self.x > 0, 1.0, 0.0)


class WrongForNegativeX(LeakyRelu):
    def slope(self):
        return np.where(self.x > 0, 1.0, -0.01)


class Relu(Activation):
    def function(self, x):
        return np.maximum(x, 0)

    def slope(self):
        return self.x > 0


class ReluMasksByDout(Relu):
    def backward(self, dout):
        return np.where(dout > 0, dout, 0)


class ReluMaskInverted(Relu):
    def slope(self):
        return self.x < 0


class ReluThresholdAtOne(Relu):
    def slope(self):
        return self.x > 1


class Clip(Activation):
    def function(self, x):
        return np.clip(x, -1, 1)

    def slope(self):
        return np.abs(self.x) < 1


class ClipPassesGradientOutside(Clip):
    def slope(self):
        return np.ones_like(self.x)


class Square(Activation):
    def function(self, x):
        return x * x

    def slope(self):
        return 2 * self.x


class SquareWithoutTheTwo(Square):
    def slope(self):
        return self.x


class SquareOverwritesItsInput(Square):
    def function(self, x):
        x *= x
        return x


class SquareLosesTheSign(Square):
    def slope(self):
        return 2 * np.abs(self.x)


class WrongForLargeX(Square):
    def slope(self):
        return 2 * np.clip(self.x, -4, 4)


class Gelu(Activation):
    """Hendrycks & Gimpel 2016, the tanh form."""

    cubic, scale = 0.044715, float(np.sqrt(2 / np.pi))  # a Python float leaves float32 as it is

    def function(self, x):
        return 0.5 * x * (1 + np.tanh(self.scale * (x + 0.044715 * x**3)))

    def slope(self):
        x, k = self.x, self.cubic
        t = np.tanh(self.scale * (x + k * x**3))
        return 0.5 * (1 + t) + 0.5 * x * (1 - t**2) * self.scale * (1 + 3 * k * x**2)


class GeluConstantShortened(Gelu):
    cubic = 0.0447


class Swish(Activation):
    def function(self, x):
        return x * sigmoid(x)

    def slope(self):
        s = sigmoid(self.x)
        return s + self.x * s * (1 - s)


class SwishWithoutProductRule(Swish):
    def slope(self):
        return sigmoid(self.x)


class Prelu:
    """y = x where x > 0, a * x elsewhere, with one slope a (d,) a column."""

    def __init__(self, a):
        self.params, self.grads = [a], [np.zeros_like(a)]

    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, self.params[0] * x)

    def backward(self, dout):
        self.grads[0][...] = (dout * np.where(self.x > 0, 0, self.x)).sum(axis=0)
        return dout * np.where(self.x > 0, 1, self.params[0])


class PreluSlopeFromPositiveSide(Prelu):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads[0][...] = (dout * np.where(self.x > 0, self.x, 0)).sum(axis=0)
        return dx


ROWS = {"x": "n d"}
FAULTS = (
    fault(SigmoidTypo, Sigmoid, "x", "the forward is the wrong side", **ROWS),
    fault(SigmoidOfPreActivation, Sigmoid, "x", "pre-activation used for post-activation", **ROWS),
    fault(SigmoidAppliedTwice, Sigmoid, "x", "post-activation used for pre-activation", **ROWS),
    fault(SigmoidWithoutItsOwnFactor, Sigmoid, "x", "a factor left out", **ROWS),
    fault(SigmoidForgetsDout, Sigmoid, "x", "ignores dout", **ROWS),
    fault(SigmoidCacheDoubledInPlace, DoubledSigmoid, "x", "mutates", "stale cache", "the wrong operand", **ROWS),
    fault(TanhWithoutSquare, Tanh, "x", "wrong power", **ROWS),
    fault(TanhOfPreActivation, Tanh, "x", "pre-activation used for post-activation", **ROWS),
    fault(LeakForgottenInBackward, LeakyRelu, "x", "one region of values wrong", **ROWS),
    fault(WrongForNegativeX, LeakyRelu, "x", "one region of values wrong", "sign", **ROWS),
    fault(ReluMasksByDout, Relu, "x", "ignores the sign of dout", "the wrong operand", "not linear in dout", **ROWS),
    fault(ReluMaskInverted, Relu, "x", "one region of values wrong", "the forward is the wrong side", **ROWS),
    fault(ReluThresholdAtOne, Relu, "x", "one region of values wrong", **ROWS),
    fault(ClipPassesGradientOutside, Clip, "x", "one region of values wrong", "derivative left out", **ROWS),
    fault(SquareWithoutTheTwo, Square, "x", "constant factor", **ROWS),
    fault(SquareOverwritesItsInput, Square, "x", "mutates", "post-activation used for pre-activation", **ROWS),
    fault(SquareLosesTheSign, Square, "x", "one region of values wrong", "sign", **ROWS),
    fault(WrongForLargeX, Square, "x", "one region of values wrong", **ROWS),
    fault(GeluConstantShortened, Gelu, "x", "constant mistyped", **ROWS),
    fault(SwishWithoutProductRule, Swish, "x", "a term missing", **ROWS),
    fault(PreluSlopeFromPositiveSide, Prelu, "a", "one region of values wrong", "the wrong operand", a="d", x="n d"),
)
