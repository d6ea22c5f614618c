"""The true gradients at an example: as they were judged, or measured where there was nothing to compare with.

A changed backward is either right or far off: central differences at one step tell the two apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from gradproof.diagnose.evidence import Sample
from gradproof.differentiate.differentiate import Floats, top_step
from gradproof.values import Outcome, TensorResult, Verdict

MOST = 48  # entries of all tensors of one example: two forwards each
STEP = 1 / 128  # of the first step of a measurement: truncation is then near 1e-9 of a third derivative
# Relative to the largest entry of a tensor: what central differences are good to, with a margin for a curved function.
ERROR = 1e-6

Evaluate = Callable[[str, Floats], Floats]  # the outputs with one tensor replaced


def measured(outcome: Outcome, values: Mapping[str, Floats], dout: Floats, evaluate: Evaluate) -> dict[str, Sample]:
    """A sample of each tensor, of which nothing is claimed; {} where they have too many entries.

    values: of the tensors, by name.
    """
    if sum(value.size for value in values.values()) > MOST:
        return {}
    found: dict[str, Sample] = {}
    for name, value in values.items():
        numeric = np.array([_slope(name, value, entry, dout, evaluate) for entry in range(value.size)])
        if np.isfinite(numeric).all() and value.size:
            bound = np.full(value.size, ERROR * max(float(np.abs(numeric).max()), ERROR))
            nothing = np.full(value.size, np.nan)
            found[name] = Sample(outcome, value.shape, np.arange(value.size), nothing, numeric, bound)
    return found


def judged(outcome: Outcome) -> dict[str, Sample]:
    """The tensors that were measured entry by entry, and not beside a kink: there, the point was another one."""
    if any(result.kinks or result.ties for result in outcome.tensors):
        return {}
    judged = [result for result in outcome.tensors if result.verdict is not Verdict.INCONCLUSIVE]
    found = {result.name: _sample(outcome, result) for result in judged}
    whole = {name: sample for name, sample in found.items() if sample is not None}
    return whole if whole.keys() == found.keys() else {}


def _sample(outcome: Outcome, result: TensorResult) -> Sample | None:
    if result.analytic is None or result.numeric is None or result.bound is None:
        return None
    analytic, numeric, bound = (np.ravel(a).astype(np.float64) for a in (result.analytic, result.numeric, result.bound))
    position = np.flatnonzero(np.isfinite(numeric) & np.isfinite(bound))
    if not position.size:
        return None
    return Sample(outcome, result.shape, position, analytic[position], numeric[position], bound[position])


def _slope(name: str, value: Floats, entry: int, dout: Floats, evaluate: Evaluate) -> float:
    step = STEP * top_step(value)
    ends: list[Floats] = []
    for sign in (1.0, -1.0):
        moved = value.copy()
        moved.flat[entry] += sign * step
        ends.append(evaluate(name, moved))
    return float(dout @ (ends[0] - ends[1])) / (2 * step)
