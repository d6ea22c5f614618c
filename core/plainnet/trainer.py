"""Trains a model by mini-batches; it knows neither its layers nor where the data come from."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plainnet.arrays import FloatArray, float_array, generator, whole_number
from plainnet.errors import DivergedError, InputError
from plainnet.targets import class_labels
from plainnet.update import Optimizer


class Model(Protocol):
    """What can be trained: a loss at the end of forward, and gradients filled in place by backward."""

    params: list[FloatArray]
    grads: list[FloatArray]

    def predict(self, x: ArrayLike, /) -> FloatArray:
        """x: (n, d) -> scores: (n, c)"""
        ...

    def forward(self, x: ArrayLike, t: ArrayLike, /) -> np.floating[Any]:
        """x: (n, d), t: (n,) or (n, c) -> the mean loss"""
        ...

    def backward(self) -> FloatArray:
        """-> dx: (n, d), after filling grads"""
        ...


@dataclass(frozen=True)
class Progress:
    """How far a training run has come; ``loss`` is the mean over the iterations since the last report."""

    epoch: int
    epochs: int
    iteration: int  # within the epoch, from 1
    iterations: int
    loss: float
    seconds: float


class Trainer:
    """Runs a model and an optimizer over shuffled mini-batches.

    ``losses`` holds the mean loss of every ``interval`` iterations, oldest first, also after an interruption.
    ``rng`` shuffles; None is a Generator seeded with 0.
    """

    def __init__(
        self, model: Model, optimizer: Optimizer, rng: np.random.Generator | None = None, interval: int = 10
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.rng = generator(rng, "Trainer: rng")
        self.interval = whole_number(interval, "Trainer: interval", least=1)
        self.losses: list[float] = []

    def fit(
        self,
        x: ArrayLike,
        t: ArrayLike,
        epochs: int = 10,
        batch_size: int = 32,
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        """Goes through all samples ``epochs`` times, each time in another order; the last batch may be smaller.

        x: (n, d), t: (n,) integer labels or (n, c) one-hot. ``progress`` is called each time that a loss is recorded.
        Raises InputError for bad arguments, DivergedError when the loss is no longer finite.
        """
        samples, targets = _samples(x, t)
        epochs = whole_number(epochs, "Trainer.fit: epochs", least=1)
        batch_size = whole_number(batch_size, "Trainer.fit: batch_size", least=1)
        starts = range(0, len(samples), batch_size)
        began = time.perf_counter()
        window: list[float] = []
        for epoch in range(1, epochs + 1):
            order = self.rng.permutation(len(samples))
            for iteration, start in enumerate(starts, 1):
                batch = order[start : start + batch_size]
                window.append(self._step(samples[batch], targets[batch], epoch))
                if len(window) == self.interval or (epoch == epochs and iteration == len(starts)):
                    self.losses.append(math.fsum(window) / len(window))
                    window.clear()
                    if progress is not None:
                        seconds = time.perf_counter() - began
                        progress(Progress(epoch, epochs, iteration, len(starts), self.losses[-1], seconds))

    def _step(self, x: FloatArray, t: NDArray[Any], epoch: int) -> float:
        with np.errstate(over="ignore", invalid="ignore"):  # said below, once, and with the remedy
            loss = float(self.model.forward(x, t))
        if not math.isfinite(loss):
            raise DivergedError(
                f"the loss is {loss} in epoch {epoch}: a smaller learning rate than lr={self.optimizer.lr:g} may help"
            )
        self.model.backward()
        self.optimizer.update(self.model.params, self.model.grads)
        return loss


def accuracy(model: Model, x: ArrayLike, t: ArrayLike) -> float:
    """The share of samples whose largest score is that of the true class, from 0 to 1.

    x: (n, d), t: (n,) integer labels or (n, c) one-hot.
    """
    scores = model.predict(x)
    return float(np.mean(scores.argmax(axis=-1) == class_labels(t, scores.shape, "accuracy")))


def _samples(x: ArrayLike, t: ArrayLike) -> tuple[FloatArray, NDArray[Any]]:
    samples, targets = float_array(x, "Trainer.fit: x"), np.asarray(t)
    if samples.ndim == 0 or targets.ndim == 0 or len(samples) != len(targets) or len(samples) == 0:
        raise InputError(
            "Trainer.fit: expected as many targets as samples, at least one, "
            f"got x of shape {samples.shape} and t of shape {targets.shape}"
        )
    return samples, targets
