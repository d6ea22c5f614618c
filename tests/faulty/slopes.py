"""Elementwise functions that are wrong on purpose, each named after its bug."""

import numpy as np

from faulty.activations import Activation, Sigmoid, Tanh
from faulty.base import fault, sigmoid
from gradproof import floats, positive


class SigmoidWithoutParentheses(Sigmoid):
    def function(self, x):
        return 1 / 1 + np.exp(-x)

    def slope(self):
        y = sigmoid(self.x)
        return y * (1 - y)


class SigmoidPassesDoutThrough(Sigmoid):
    def slope(self):
        return np.ones_like(self.out)


class SigmoidSlopeTwice(Sigmoid):
    def slope(self):
        return super().slope() ** 2


class SigmoidWithThePlusOfTheSoftplus(Sigmoid):
    def slope(self):
        return self.out


class TanhByHand(Tanh):
    def function(self, x):
        return (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))


class TanhByHandWithoutParentheses(TanhByHand):
    def function(self, x):
        return np.exp(x) - np.exp(-x) / np.exp(x) + np.exp(-x)


class TanhPassesDoutThrough(TanhByHand):
    def slope(self):
        return 1.0


class TanhSlopeTwice(TanhByHand):
    def slope(self):
        return (1 - self.out**2) * (1 - self.out**2)


class Softplus(Activation):
    def function(self, x):
        return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)

    def slope(self):
        return sigmoid(self.x)


class SoftplusWithTheSlopeOfTheSigmoid(Softplus):
    def slope(self):
        return sigmoid(self.x) * (1 - sigmoid(self.x))


class Exponential(Activation):
    def function(self, x):
        return np.exp(x)

    def slope(self):
        return self.out


class ExponentialByThePowerRule(Exponential):
    def slope(self):
        return self.x * np.exp(self.x - 1)


class ExponentialOfTheOutput(Exponential):
    def slope(self):
        return np.exp(self.out)


class Logarithm(Activation):
    def function(self, x):
        return np.log(x)

    def slope(self):
        return 1 / self.x


class LogarithmToBaseTen(Logarithm):
    def function(self, x):
        return np.log10(x)


class LogarithmOfTheOutput(Logarithm):
    def slope(self):
        return 1 / self.out


class LogarithmSquaredBelow(Logarithm):
    def slope(self):
        return 1 / self.x**2


class SquareRoot(Activation):
    def function(self, x):
        return np.sqrt(x)

    def slope(self):
        return 0.5 / self.out


class SquareRootWithoutTheHalf(SquareRoot):
    def slope(self):
        return 1 / self.out


class SquareRootAsAPowerWithoutParentheses(SquareRoot):
    def function(self, x):
        return x**1 / 2

    def slope(self):
        return 0.5 / np.sqrt(self.x)


class Reciprocal(Activation):
    def function(self, x):
        return 1 / x

    def slope(self):
        return -(self.out**2)


class ReciprocalWithoutItsMinus(Reciprocal):
    def slope(self):
        return self.out**2


class Cube(Activation):
    def function(self, x):
        return x**3

    def slope(self):
        return 3 * self.x**2


class CubeLosesAPower(Cube):
    def slope(self):
        return 3 * self.x


class CubeKeepsItsPower(Cube):
    def slope(self):
        return 3 * self.x**3


class Gaussian(Activation):
    def function(self, x):
        return np.exp(-(x**2) / 2)

    def slope(self):
        return -self.x * self.out


class GaussianWithoutTheInnerDerivative(Gaussian):
    def slope(self):
        return -self.out


class GaussianInnerDerivativeTwice(Gaussian):
    def slope(self):
        return self.x**2 * self.out


class Elu(Activation):
    """Clevert et al. 2016, with alpha = 1."""

    def function(self, x):
        return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))

    def slope(self):
        return np.where(self.x > 0, 1.0, np.exp(np.minimum(self.x, 0)))


class EluOfItsOutputAlone(Elu):
    def slope(self):
        return np.where(self.x > 0, 1.0, self.out)


class EluInBackwardOnly(Elu):
    def function(self, x):
        return np.where(x > 0, x, 0)


class Sine(Activation):
    def function(self, x):
        return np.sin(x)

    def slope(self):
        return np.cos(self.x)


class SineWithTheSignOfTheCosine(Sine):
    def slope(self):
        return -np.cos(self.x)


class SineTakenInSinglePrecision(Sine):
    def slope(self):
        return np.cos(self.x).astype("f")


ROWS, ABOVE = {"x": "n d"}, {"x": positive("n d")}
AWAY = {"x": floats("n d", min_value=0.5, max_value=3.0)}
BEYOND = {"x": floats("n d", min_value=1.5, max_value=3.0)}
SMALL = {"x": floats("n d", min_value=-3.0, max_value=3.0)}
WRONG_SIDE, FACTOR = "the forward is the wrong side", "a factor left out"
FAULTS = (
    fault(SigmoidWithoutParentheses, Sigmoid, "x", WRONG_SIDE, **ROWS),
    fault(SigmoidPassesDoutThrough, Sigmoid, "x", "derivative left out", FACTOR, **ROWS),
    fault(SigmoidSlopeTwice, Sigmoid, "x", "a factor too many", "wrong power", **ROWS),
    fault(SigmoidWithThePlusOfTheSoftplus, Sigmoid, "x", WRONG_SIDE, FACTOR, **ROWS),
    fault(TanhByHandWithoutParentheses, TanhByHand, "x", WRONG_SIDE, **SMALL),
    fault(TanhPassesDoutThrough, TanhByHand, "x", "derivative left out", FACTOR, **SMALL),
    fault(TanhSlopeTwice, TanhByHand, "x", "a factor too many", "wrong power", **SMALL),
    fault(SoftplusWithTheSlopeOfTheSigmoid, Softplus, "x", WRONG_SIDE, "a factor too many", **ROWS),
    fault(ExponentialByThePowerRule, Exponential, "x", WRONG_SIDE, "wrong power", **SMALL),
    fault(ExponentialOfTheOutput, Exponential, "x", "post-activation used for pre-activation", **SMALL),
    fault(LogarithmToBaseTen, Logarithm, "x", WRONG_SIDE, "constant factor", **ABOVE),
    fault(LogarithmOfTheOutput, Logarithm, "x", "post-activation used for pre-activation", **BEYOND),
    fault(LogarithmSquaredBelow, Logarithm, "x", "wrong power", FACTOR, **ABOVE),
    fault(SquareRootWithoutTheHalf, SquareRoot, "x", "constant factor", **ABOVE),
    fault(SquareRootAsAPowerWithoutParentheses, SquareRoot, "x", WRONG_SIDE, **ABOVE),
    fault(ReciprocalWithoutItsMinus, Reciprocal, "x", "sign", **AWAY),
    fault(CubeLosesAPower, Cube, "x", "wrong power", FACTOR, **ROWS),
    fault(CubeKeepsItsPower, Cube, "x", "a factor too many", "wrong power", **ROWS),
    fault(GaussianWithoutTheInnerDerivative, Gaussian, "x", FACTOR, **SMALL),
    fault(GaussianInnerDerivativeTwice, Gaussian, "x", "a factor too many", "wrong power", **SMALL),
    fault(EluOfItsOutputAlone, Elu, "x", "a term missing", "one region of values wrong", **SMALL),
    fault(EluInBackwardOnly, Elu, "x", WRONG_SIDE, "one region of values wrong", **SMALL),
    fault(SineWithTheSignOfTheCosine, Sine, "x", "sign", **ROWS),
    fault(SineTakenInSinglePrecision, Sine, "x", "down-casts", **ROWS),
)
