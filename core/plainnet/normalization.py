"""The layers that standardise: over the features of a sample, or over the batch; it knows no other layer."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from plainnet.arrays import FloatArray, float_array, from_forward, number, parameter, upstream
from plainnet.errors import InputError
from plainnet.shaped import parameter_of, zeros_like_all

EPSILON = 1e-5  # added to a variance, in its unit: no division by zero (the default of PyTorch)


class LayerNorm:
    """y = gamma (x - mean) / sd + beta, mean and sd over the features of each sample (Ba et al. 2016, section 3).

    gamma, beta: (d,), float arrays that the layer holds without a copy; sd is the root of variance + ``epsilon``.
    """

    def __init__(self, gamma: FloatArray, beta: FloatArray, epsilon: float = EPSILON) -> None:
        self.params: list[FloatArray] = _scale_and_shift(gamma, beta, "LayerNorm")
        self.grads: list[FloatArray] = zeros_like_all(self.params)
        self.epsilon = number(epsilon, "LayerNorm: epsilon", low=0)
        self._kept: tuple[FloatArray, FloatArray, FloatArray] | None = None

    def forward(self, x: ArrayLike) -> FloatArray:
        """x: (..., d) -> (..., d)"""
        gamma, beta = self.params
        x = _features(x, len(gamma), "LayerNorm.forward: x")
        centred = x - x.mean(axis=-1, keepdims=True)
        sd = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + self.epsilon)
        x_hat = centred / sd
        self._kept = x, x_hat, sd
        y: FloatArray = gamma * x_hat + beta
        return y

    def backward(self, dout: ArrayLike) -> FloatArray:
        """dout: (..., d) -> dx: (..., d)

        y = gamma x^ + beta   gives   dgamma = sum of dout x^ and dbeta = sum of dout over all samples,
        dx^ = dout gamma;   x^ = (x - mean) / sd, where mean and sd move with x,   gives
        dx = (dx^ - mean(dx^) - x^ mean(dx^ x^)) / sd, the means over the d features
        """
        gamma, beta = self.params
        x, x_hat, sd = from_forward(self, self._kept)
        dout = upstream(dout, x.shape, np.result_type(x, gamma, beta), "LayerNorm.backward: dout")
        batch = tuple(range(x.ndim - 1))
        self.grads[0][...] = (dout * x_hat).sum(axis=batch)
        self.grads[1][...] = dout.sum(axis=batch)
        d = dout * gamma
        dx: FloatArray = (d - d.mean(axis=-1, keepdims=True) - x_hat * (d * x_hat).mean(axis=-1, keepdims=True)) / sd
        return dx.astype(x.dtype, copy=False)


class BatchNorm:
    """y = gamma (x - mean) / sd + beta, mean and sd of each feature over the batch (Ioffe and Szegedy 2015).

    gamma, beta: (d,), float arrays that the layer holds without a copy; sd is the root of variance + ``epsilon``.
    Each forward in training moves ``running_mean`` and ``running_variance``, (d,), which forward uses otherwise:
    running = momentum running + (1 - momentum) of the batch, the variance being the biased one, as in sd.
    """

    def __init__(self, gamma: FloatArray, beta: FloatArray, momentum: float = 0.9, epsilon: float = EPSILON) -> None:
        self.params: list[FloatArray] = _scale_and_shift(gamma, beta, "BatchNorm")
        self.grads: list[FloatArray] = zeros_like_all(self.params)
        self.momentum = number(momentum, "BatchNorm: momentum", low=0, high=1, low_is_valid=True)
        self.epsilon = number(epsilon, "BatchNorm: epsilon", low=0)
        self.running_mean: FloatArray = np.zeros_like(gamma)
        self.running_variance: FloatArray = np.ones_like(gamma)
        self._kept: tuple[FloatArray, FloatArray, FloatArray, bool] | None = None

    def forward(self, x: ArrayLike, train: bool = True) -> FloatArray:
        """x: (..., d) -> (..., d); all leading axes are the batch. Raises InputError for an empty one in training."""
        gamma, beta = self.params
        x = _features(x, len(gamma), "BatchNorm.forward: x")
        mean, variance = self._of_batch(x) if train else (self.running_mean, self.running_variance)
        sd = np.sqrt(variance + self.epsilon)
        x_hat = ((x - mean) / sd).astype(np.result_type(x, gamma), copy=False)
        self._kept = x, x_hat, sd, train
        y: FloatArray = gamma * x_hat + beta
        return y

    def backward(self, dout: ArrayLike) -> FloatArray:
        """dout: (..., d) -> dx: (..., d)

        y = gamma x^ + beta   gives   dgamma = sum of dout x^ and dbeta = sum of dout over the batch,
        dx^ = dout gamma;   x^ = (x - mean) / sd, where mean and sd move with x in training,   gives
        dx = (dx^ - mean(dx^) - x^ mean(dx^ x^)) / sd, the means over the batch;   without training dx = dx^ / sd
        """
        gamma, beta = self.params
        x, x_hat, sd, train = from_forward(self, self._kept)
        dout = upstream(dout, x.shape, np.result_type(x, gamma, beta), "BatchNorm.backward: dout")
        batch = tuple(range(x.ndim - 1))
        self.grads[0][...] = (dout * x_hat).sum(axis=batch)
        self.grads[1][...] = dout.sum(axis=batch)
        dx: FloatArray = dout * gamma
        if train:
            dx = dx - dx.mean(axis=batch) - x_hat * (dx * x_hat).mean(axis=batch)
        return np.asarray(dx / sd).astype(x.dtype, copy=False)

    def _of_batch(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The mean and the variance of each feature, (d,), after they have moved the running ones."""
        if x.size == 0:
            raise InputError(f"BatchNorm.forward: x: expected at least one sample in training, got shape {x.shape}")
        batch = tuple(range(x.ndim - 1))
        mean, variance = np.asarray(x.mean(axis=batch)), np.asarray(x.var(axis=batch))
        m = self.momentum
        self.running_mean[...] = m * self.running_mean + (1 - m) * mean
        self.running_variance[...] = m * self.running_variance + (1 - m) * variance
        return mean, variance


def _scale_and_shift(gamma: FloatArray, beta: FloatArray, name: str) -> list[FloatArray]:
    gamma = parameter(gamma, f"{name}: gamma", ndim=1)
    if not gamma.size:
        raise InputError(f"{name}: gamma: expected at least one feature, got shape {gamma.shape}")
    return [gamma, parameter_of(beta, f"{name}: beta", gamma.shape, f"gamma has shape {gamma.shape}")]


def _features(x: ArrayLike, d: int, what: str) -> FloatArray:
    array = float_array(x, what)
    if array.ndim == 0 or array.shape[-1] != d:
        raise InputError(f"{what}: expected shape (..., {d}), as gamma has {d} entries, got shape {array.shape}")
    return array
