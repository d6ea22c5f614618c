"""Directions and how they are evaluated: single entries, stacked copies of a batch, dense signed directions.

It turns outputs into rungs; it does not judge them, and it calls the function only through the evaluator it is given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gradproof.differentiate.differentiate import Bools, Floats, Ints, Rung

# (tensor's number, its new value) -> all outputs, flat. The evaluator may keep or overwrite the array it is handed.
Evaluate = Callable[[int, Floats], Floats]
# (copies, stacked value of one input) -> outputs as (copies * rows, outputs of one row)
EvaluateStack = Callable[[int, Floats], Floats]

CHUNK = 1 << 15  # elements reduced at a time: intermediates stay in the cache, and memory does not grow with the tensor
STACK = 1 << 20  # elements of one stacked input


@dataclass(frozen=True, eq=False)
class Point:
    """Where the function is looked at: the tensors' values, the claimed gradients, the outputs and dout (flat)."""

    values: Sequence[Floats]
    claims: Sequence[Floats]
    outputs: Floats
    dout: Floats


def _rung(up: Floats, down: Floats, outputs: Floats, dout: Floats, claimed: Floats, steps: Floats) -> Rung:
    """Reduce outputs (directions, q) to a rung. Outputs are subtracted first: contracting first would cancel digits."""
    rise = up - down
    up -= outputs
    down -= outputs
    still: Bools = np.logical_not(up.any(axis=1) | down.any(axis=1))
    up += down
    np.abs(up, out=up)
    if dout.ndim == 1:
        slope, gap = rise @ dout, up @ np.abs(dout)
    else:
        slope, gap = np.einsum("ij,ij->i", rise, dout), np.einsum("ij,ij->i", up, np.abs(dout))
    return Rung((slope - claimed) / (2 * steps), gap / steps, still)


class EntrySampler:
    """Directions are single entries of any of the tensors: two forwards a direction and rung."""

    def __init__(self, point: Point, evaluate: Evaluate, tensors: Ints, entries: Ints) -> None:
        self._point, self._evaluate = point, evaluate
        self._where = list(zip(tensors.tolist(), entries.tolist(), strict=True))
        self._claim = np.array([point.claims[t].flat[i] for t, i in self._where], dtype=np.float64)

    def __call__(self, steps: Floats, directions: Ints, /) -> Rung:
        """Sample one rung of these directions."""
        point, evaluate, claim = self._point, self._evaluate, self._claim[directions]
        up, down = (np.empty((directions.size, point.outputs.size)) for _ in range(2))
        span = np.empty(directions.size)
        for row, (direction, step) in enumerate(zip(directions.tolist(), steps.tolist(), strict=True)):
            tensor, entry = self._where[direction]
            for out, signed in ((up, step), (down, -step)):
                moved = point.values[tensor].copy()
                moved.flat[entry] += signed
                out[row] = evaluate(tensor, moved)
            here = point.values[tensor].flat[entry]
            span[row] = (here + step) - (here - step)  # the step actually taken, not the one asked for
        return _rung(up, down, point.outputs, point.dout, claim * span, steps)


class StackSampler:
    """Along entries of one input with independent rows: one column of every row moves in one copy of the batch."""

    def __init__(self, point: Point, tensor: int, evaluate: EvaluateStack) -> None:
        rows = point.values[tensor].shape[0]
        self._value = point.values[tensor].reshape(rows, -1)
        self._shape = point.values[tensor].shape[1:]
        self._claim = point.claims[tensor].reshape(-1)
        self._outputs, self._dout = point.outputs.reshape(rows, -1), point.dout.reshape(rows, -1)
        self._evaluate = evaluate
        self.calls = 0

    def __call__(self, steps: Floats, directions: Ints, /) -> Rung:
        """Sample one rung of these directions, as many of them in one forward as fit."""
        rows, columns = np.divmod(directions, self._value.shape[1])
        parts: list[Rung] = []
        order = np.argsort(columns, kind="stable")
        width = max(1, STACK // (2 * self._value.size))  # columns that fit into one forward
        distinct = np.unique(columns)
        for first in range(0, distinct.size, width):
            chosen = distinct[first : first + width]
            among = order[np.isin(columns[order], chosen)]
            places = np.searchsorted(chosen, columns[among])
            parts.append(self._part(steps[among], directions[among], rows[among], places, columns[among]))
        back = np.argsort(order, kind="stable")
        return Rung(
            np.concatenate([part.residual for part in parts])[back],
            np.concatenate([part.gap for part in parts])[back],
            np.concatenate([part.still for part in parts])[back],
        )

    def _part(self, steps: Floats, directions: Ints, rows: Ints, copies: Ints, columns: Ints) -> Rung:
        count, height = int(copies.max()) + 1, self._value.shape[0]
        stack = np.tile(self._value, (2 * count, 1))
        above, below = copies * height + rows, (count + copies) * height + rows
        stack[above, columns] += steps
        stack[below, columns] -= steps
        span = stack[above, columns] - stack[below, columns]
        outputs = self._evaluate(2 * count, stack.reshape(-1, *self._shape))
        self.calls += 1
        up, down = outputs[above], outputs[below]
        return _rung(up, down, self._outputs[rows], self._dout[rows], self._claim[directions] * span, steps)


class DirectionSampler:
    """Along dense directions of one tensor; sums run in chunks, so that memory does not grow with their number."""

    def __init__(self, point: Point, evaluate: Evaluate, tensor: int, vectors: Callable[[int], Floats]) -> None:
        self._point, self._evaluate, self._tensor, self._vectors = point, evaluate, tensor, vectors
        self._moved = np.empty(point.values[tensor].shape)
        self._reuses = False  # the layer hands out the same output buffer again and again

    def __call__(self, steps: Floats, directions: Ints, /) -> Rung:
        """Sample one rung of these directions."""
        residual, gap, still = np.empty(directions.size), np.empty(directions.size), np.empty(directions.size, bool)
        for row, (direction, step) in enumerate(zip(directions.tolist(), steps.tolist(), strict=True)):
            vector = self._vectors(direction)
            up = self._outputs(step, vector)
            down = self._outputs(-step, vector)
            if not self._reuses and np.may_share_memory(up, down):
                self._reuses = True
                up = self._outputs(step, vector)
                down = self._outputs(-step, vector)
            slope, gap[row], still[row] = self._reduce(up, down)
            residual[row] = (slope - self._claimed(step, vector)) / (2 * step)
            gap[row] /= step
        return Rung(residual, gap, still)

    def _outputs(self, step: float, vector: Floats) -> Floats:
        np.multiply(vector, step, out=self._moved)
        self._moved += self._point.values[self._tensor]
        outputs = self._evaluate(self._tensor, self._moved)
        return outputs.copy() if self._reuses or np.may_share_memory(outputs, self._moved) else outputs

    def _claimed(self, step: float, vector: Floats) -> float:
        here, claim = self._point.values[self._tensor].reshape(-1), self._point.claims[self._tensor].reshape(-1)
        along, claimed = vector.reshape(-1), 0.0
        for start in range(0, here.size, CHUNK):
            part = slice(start, start + CHUNK)
            move = along[part] * step
            claimed += float(claim[part] @ ((here[part] + move) - (here[part] - move)))
        return claimed

    def _reduce(self, up: Floats, down: Floats) -> tuple[float, float, bool]:
        outputs, dout = self._point.outputs, self._point.dout
        slope, gap, still = 0.0, 0.0, True
        for start in range(0, outputs.size, CHUNK):
            part = slice(start, start + CHUNK)
            above, below = up[part] - outputs[part], down[part] - outputs[part]
            still = still and not (above.any() or below.any())
            slope += float(dout[part] @ (up[part] - down[part]))
            above += below
            above *= dout[part]
            gap += float(np.abs(above, out=above).sum())
        return slope, gap, still


def signed_direction(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw random signs with weights in 1/2 .. 3/2: no entry is hidden by a small one, no two wrong ones cancel.

    An outer product of two short random vectors: as good against any fixed pattern of errors, at a tenth of the time.
    """
    size = math.prod(shape)
    side = max(1, math.isqrt(max(size - 1, 0)) + 1)
    across, down = _weights(side, rng), _weights(-(-size // side), rng)
    return np.multiply.outer(down, across).reshape(-1)[:size].reshape(shape)


def _weights(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Signed weights whose products lie between 1/2 and 3/2."""
    return rng.choice([-1.0, 1.0], count) * rng.uniform(math.sqrt(0.5), math.sqrt(1.5), count)
