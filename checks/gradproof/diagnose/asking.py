"""Chooses the failing examples that are worth asking for the cause; it asks nothing and names no cause."""

from __future__ import annotations

from collections.abc import Sequence

from gradproof.diagnose.evidence import result_of, sizes
from gradproof.generate.hyperparameters import moved
from gradproof.values import Outcome, Verdict

# Two examples of different dims: what holds by chance in one (a square array, n = d) does not in the other.
EXAMPLES = 2
# entries of the wrong tensors, of which each costs two forwards: beyond that an example is too dear to be asked first
CHEAP = 48


def worth_asking(outcomes: Sequence[Outcome], tensor: str, most: int = EXAMPLES) -> list[Outcome]:
    """Return the failing examples whose dims tell most, ``most`` of different dims, the most telling first."""
    failing = [o for o in outcomes if (r := result_of(o, tensor)) is not None and r.verdict is Verdict.FAIL]
    chosen: list[Outcome] = []
    for outcome in sorted(failing, key=lambda o: _rank(o, tensor)):
        if len(chosen) < most and all(outcome.example.dims != other.example.dims for other in chosen):
            chosen.append(outcome)
    return chosen


def _rank(outcome: Outcome, tensor: str) -> tuple[float, ...]:
    """Smaller is better: the author's own hyper-parameters, no kink, affordable, dims that tell much, few entries.

    Dims tell most where they differ from each other, of 3 before 2 before 1.
    """
    values = list(sizes(outcome.example.dims).values())
    telling = sum(1.0 if value > 2 else 0.7 for value in set(values) if value > 1)
    wrong = [result for result in outcome.tensors if result.verdict is Verdict.FAIL]
    entries, result = sum(r.entries for r in wrong), result_of(outcome, tensor)
    kinks = 0 if result is None else result.kinks
    away = len(moved(outcome.example))
    return float(away), float(kinks > 0), float(entries > CHEAP), len(values) - telling, float(entries)
