"""A network of two layers with its loss; it knows neither data nor training."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from plainnet.arrays import FloatArray, generator, whole_number
from plainnet.layers import Affine, Sigmoid
from plainnet.losses import SoftmaxWithLoss


class TwoLayerNet:
    """Affine, Sigmoid, Affine and SoftmaxWithLoss: a classifier of ``output_size`` classes.

    Weights start as normal numbers with variance 1 / fan-in (LeCun et al. 1998, Efficient BackProp, section 4.6),
    biases at zero. ``rng`` draws them; None is a Generator seeded with 0.
    """

    def __init__(
        self, input_size: int, hidden_size: int, output_size: int, rng: np.random.Generator | None = None
    ) -> None:
        d = whole_number(input_size, "TwoLayerNet: input_size", least=1)
        h = whole_number(hidden_size, "TwoLayerNet: hidden_size", least=1)
        c = whole_number(output_size, "TwoLayerNet: output_size", least=1)
        rng = generator(rng, "TwoLayerNet: rng")
        self.layers: list[Affine | Sigmoid] = [
            Affine(rng.standard_normal((d, h)) / np.sqrt(d), np.zeros(h)),
            Sigmoid(),
            Affine(rng.standard_normal((h, c)) / np.sqrt(h), np.zeros(c)),
        ]
        self.loss_layer = SoftmaxWithLoss()
        self.params: list[FloatArray] = [p for layer in self.layers for p in layer.params]
        self.grads: list[FloatArray] = [g for layer in self.layers for g in layer.grads]

    def predict(self, x: ArrayLike) -> FloatArray:
        """x: (n, d) -> scores: (n, c); the largest of a row is the predicted class"""
        scores = x
        for layer in self.layers:
            scores = layer.forward(scores)
        return np.asarray(scores)

    def forward(self, x: ArrayLike, t: ArrayLike) -> np.floating[Any]:
        """x: (n, d), t: (n,) integer labels or (n, c) one-hot -> the mean loss"""
        return self.loss_layer.forward(self.predict(x), t)

    def backward(self, dout: ArrayLike = 1) -> FloatArray:
        """dout: () -> dx: (n, d)

        L = f3(f2(f1(x)))   gives   dL/dx = f1'(f2'(f3'(dout))), the last layer first; grads are filled on the way
        """
        gradient = self.loss_layer.backward(dout)
        for layer in reversed(self.layers):
            gradient = layer.backward(gradient)
        return gradient
