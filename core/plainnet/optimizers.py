"""Six rules of gradient descent, each beside its source; it knows no layer and checks no array.

p is a parameter, g its gradient; every operation is entry by entry.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from plainnet.arrays import FloatArray, number
from plainnet.update import Optimizer, State

EPS = 1e-8  # added to a root that is divided by; in the unit of a gradient; Kingma and Ba 2015, Algorithm 1


class SGD(Optimizer):
    """Gradient descent on the gradient of a mini-batch (Robbins and Monro 1951, A Stochastic Approximation Method).

    p <- p - lr g
    """

    def __init__(self, lr: float = 0.01) -> None:
        super().__init__(lr)

    def _step(self, p: FloatArray, g: FloatArray, state: State) -> None:
        p -= self.lr * g


class Momentum(Optimizer):
    """Classical momentum (Polyak 1964, as written by Sutskever et al. 2013, eqs. 1 and 2).

    v <- momentum v - lr g,   p <- p + v
    """

    slots: ClassVar[int] = 1

    def __init__(self, lr: float = 0.01, momentum: float = 0.9) -> None:
        super().__init__(lr)
        self.momentum = number(momentum, f"{type(self).__name__}: momentum", low=0, high=1, low_is_valid=True)

    def _step(self, p: FloatArray, g: FloatArray, state: State) -> None:
        (v,) = state
        v *= self.momentum
        v -= self.lr * g
        p += v


class Nesterov(Momentum):
    """Nesterov's accelerated gradient, in the variable at which the gradient is taken.

    Sutskever et al. 2013, eqs. 3 and 4, take the gradient ahead of the parameter q:
        v <- momentum v - lr g(q + momentum v),   q <- q + v
    A network holds p = q + momentum v, so that g is the gradient at p itself (Bengio et al. 2013, arXiv 1212.0901,
    section 3.5):
        v <- momentum v - lr g,   p <- p + momentum v - lr g,   with the new v
    """

    def _step(self, p: FloatArray, g: FloatArray, state: State) -> None:
        (v,) = state
        v *= self.momentum
        v -= self.lr * g
        p += self.momentum * v - self.lr * g


class AdaGrad(Optimizer):
    """A learning rate for each entry, by the sum of its squared gradients.

    Duchi et al. 2011, JMLR 12, eq. 1, with the diagonal of G:
    h <- h + g^2,   p <- p - lr g / (sqrt(h) + eps)
    """

    slots: ClassVar[int] = 1

    def __init__(self, lr: float = 0.01) -> None:
        super().__init__(lr)

    def _step(self, p: FloatArray, g: FloatArray, state: State) -> None:
        (h,) = state
        h += g * g
        p -= self.lr * g / _root(h)


class RMSprop(Optimizer):
    """A learning rate for each entry, by a running mean of its squared gradients.

    Tieleman and Hinton 2012, Neural Networks for Machine Learning, lecture 6e:
    h <- decay h + (1 - decay) g^2,   p <- p - lr g / (sqrt(h) + eps)
    """

    slots: ClassVar[int] = 1

    def __init__(self, lr: float = 0.01, decay_rate: float = 0.99) -> None:
        super().__init__(lr)
        self.decay_rate = number(decay_rate, "RMSprop: decay_rate", low=0, high=1, low_is_valid=True)

    def _step(self, p: FloatArray, g: FloatArray, state: State) -> None:
        (h,) = state
        h *= self.decay_rate
        h += (1 - self.decay_rate) * g * g
        p -= self.lr * g / _root(h)


class Adam(Optimizer):
    """Running means of the gradient and of its square, both freed of their bias towards the zero that they start at.

    Kingma and Ba 2015, arXiv 1412.6980, Algorithm 1, at step k:
    m <- beta1 m + (1 - beta1) g,   v <- beta2 v + (1 - beta2) g^2,
    p <- p - lr (m / (1 - beta1^k)) / (sqrt(v / (1 - beta2^k)) + eps)
    """

    slots: ClassVar[int] = 2

    def __init__(self, lr: float = 0.001, beta1: float = 0.9, beta2: float = 0.999) -> None:
        super().__init__(lr)
        self.beta1 = number(beta1, "Adam: beta1", low=0, high=1, low_is_valid=True)
        self.beta2 = number(beta2, "Adam: beta2", low=0, high=1, low_is_valid=True)

    def _step(self, p: FloatArray, g: FloatArray, state: State) -> None:
        m, v = state
        m *= self.beta1
        m += (1 - self.beta1) * g
        v *= self.beta2
        v += (1 - self.beta2) * g * g
        unbiased_m = m / (1 - self.beta1**self.steps)
        unbiased_v = v / (1 - self.beta2**self.steps)
        p -= self.lr * unbiased_m / _root(unbiased_v)


def _root(square: FloatArray) -> FloatArray:
    """sqrt(square) + eps, never 0: float16 would round eps itself to 0."""
    return np.sqrt(square) + max(EPS, float(np.finfo(square.dtype).tiny))
