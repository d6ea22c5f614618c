"""Are the rows of a batch independent? Proven by a test run of the function itself, never assumed from shapes."""

from __future__ import annotations

import numpy as np

from gradproof.differentiate.differentiate import Floats
from gradproof.differentiate.sampling import EvaluateStack

ULPS = 64  # a matrix product of another height may round differently; a dependence between rows is far larger


def rows_are_independent(value: Floats, outputs: Floats, evaluate: EvaluateStack, rng: np.random.Generator) -> bool:
    """Stack shuffled, disturbed and original rows: independent rows of the original come out as they were.

    value: (rows, ...), outputs: flat, of ``value`` alone. True needs two rows or more, and outputs that split into
    rows.
    """
    rows = value.shape[0] if value.ndim > 1 else 0
    if rows < 2 or outputs.size % rows or not outputs.size:
        return False
    size = float(np.max(np.abs(value), initial=0.0)) or 1.0
    disturbed = value + size * rng.standard_normal(value.shape)
    stacked = evaluate(3, np.concatenate([disturbed[rng.permutation(rows)], value, disturbed]))
    if stacked.shape != (3 * rows, outputs.size // rows):
        return False
    alone, among = outputs.reshape(rows, -1), stacked[rows : 2 * rows]
    close = np.abs(among - alone) <= ULPS * np.finfo(np.float64).eps * np.maximum(np.abs(alone), np.max(np.abs(alone)))
    moved = (stacked[2 * rows :] != alone).any(axis=1)  # an output that ignores its row would prove nothing
    return bool(close.all() and moved.all())
