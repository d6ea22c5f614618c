"""Draws a training run as a PNG; the only file that needs matplotlib, and it knows no training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from plainnet.arrays import FloatArray, IntArray
from plainnet.errors import PlainnetError
from plainnet.trainer import Model

GRID = 300  # points along each side of the decision map
MARGIN = 0.1  # of the map around the data, in the unit of the data


class MissingExtraError(PlainnetError, ImportError):
    """matplotlib, which only the plot needs, is not installed."""


def require_matplotlib() -> None:
    """Raises MissingExtraError where matplotlib is missing, so that nobody trains first and fails then."""
    try:
        import matplotlib.figure  # noqa: F401 # pyright: ignore[reportUnusedImport]
    except ImportError:
        raise MissingExtraError(
            "a plot needs matplotlib, which is not installed: pip install 'gradproof[plot]'"
        ) from None


def draw(path: Path, losses: Sequence[float], interval: int, model: Model, x: FloatArray, t: IntArray) -> None:
    """Writes one picture: the loss curve, and the decision regions with the samples upon them.

    losses: the mean loss of every ``interval`` iterations; x: (n, 2); t: (n,) integer labels.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 5), layout="constrained")
    curve, regions = figure.subplots(1, 2)
    curve.plot(interval * np.arange(1, len(losses) + 1), losses)
    curve.set(xlabel="iteration", ylabel="loss", title="Loss", ylim=(0, None))
    left, bottom = x.min(axis=0) - MARGIN
    right, top = x.max(axis=0) + MARGIN
    grid = np.meshgrid(np.linspace(left, right, GRID), np.linspace(bottom, top, GRID))
    scores = model.predict(np.stack(grid, axis=-1))
    predicted = scores.argmax(axis=-1)
    tint = {"cmap": "tab10", "vmin": 0, "vmax": 9, "alpha": 0.3}  # the colours C0 to C9 of the samples
    regions.imshow(predicted, extent=(left, right, bottom, top), origin="lower", **tint)
    for label in range(scores.shape[-1]):
        regions.scatter(*x[t == label].T, s=12, color=f"C{label}", label=f"class {label}")
    regions.set(title="Decision regions")
    regions.legend(loc="upper right")
    figure.savefig(path, format="png")
