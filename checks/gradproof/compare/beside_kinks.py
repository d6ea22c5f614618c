"""Judges again beside a kink: a wrong gradient cannot hide at a tie. It knows results and points, not why ties are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from gradproof.compare.examine import examine
from gradproof.compare.tally import verdict_of
from gradproof.differentiate.differentiate import Floats
from gradproof.differentiate.problem import Problem
from gradproof.values import FloatArray, Reason, TensorResult

LEAST, MOST = 0.05, 0.3  # how far a value moves, relative to itself: off the tie, and still the same regime elsewhere


def beside(value: Floats, rng: np.random.Generator) -> Floats:
    """Move every entry by 5 to 30 % of itself (a zero: of the typical entry), up or down."""
    share = rng.uniform(LEAST, MOST, value.shape) * rng.choice([-1.0, 1.0], value.shape)
    typical = float(np.sqrt(np.mean(np.square(value)))) if value.size else 0.0
    result: Floats = value + share * np.where(value == 0, typical or 1.0, np.abs(value))
    return result


def judge_beside(
    problem: Problem,
    results: Sequence[TensorResult],
    again: Callable[[Mapping[str, Floats], Floats], object],
    rng: np.random.Generator,
) -> tuple[TensorResult, ...]:
    """Check the entries that sit on a tie once more at a point beside it, where the function is smooth.

    again: makes the problem at other values with the same dout; anything but a Problem means that it cannot be made
    there.
    """
    names = [tensor.name for tensor in problem.tensors]
    ties = {names.index(result.name): np.array(result.ties, dtype=np.intp) for result in results if result.ties}
    if not ties:
        return tuple(results)
    moved = again({tensor.name: beside(tensor.value, rng) for tensor in problem.tensors}, problem.dout)
    if not isinstance(moved, Problem):
        return tuple(results)
    seconds = {result.name: result for result in examine(moved, rng, ties)}
    return tuple(_merged(result, seconds[result.name]) if result.name in seconds else result for result in results)


def _merged(first: TensorResult, second: TensorResult) -> TensorResult:
    """Entries with an answer beside the tie are judged; a claim outside the slopes stays open where it agrees there."""
    old, new = _arrays(first), _arrays(second)
    if old is None or new is None:
        return _merged_whole(first, second)
    _, numeric, _ = new
    answered, wrong = np.isfinite(numeric).reshape(-1), _wrong_entries(second)
    settled = [i for i in first.ties if answered[i] and (i not in first.strays or i in wrong)]
    analytic, numeric, bound = (_replaced(one, other, settled) for one, other in zip(old, new, strict=True))
    unjudged = {**first.unjudged, Reason.KINK: len(first.ties) - len(settled)}
    wrong_count, judged = first.wrong_count + second.wrong_count, first.judged + len(settled)
    return replace(
        first,
        verdict=verdict_of(wrong_count, judged, first.entries),
        judged=judged,
        forwards=first.forwards + second.forwards,
        unjudged={reason: count for reason, count in unjudged.items() if count},
        kinks=len(settled),
        ties=(),
        wrong=(*first.wrong, *second.wrong),
        wrong_count=wrong_count,
        analytic=analytic,
        numeric=numeric,
        bound=bound,
    )


def _wrong_entries(result: TensorResult) -> set[int]:
    """The flat indices of its wrong entries."""
    return {int(np.ravel_multi_index(entry.index, result.shape)) if entry.index else 0 for entry in result.wrong}


def _arrays(result: TensorResult) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """The claim, the numeric gradient and its bound, entry by entry; None where it was looked at along directions."""
    if result.analytic is None or result.numeric is None or result.bound is None:
        return None
    return result.analytic, result.numeric, result.bound


def _replaced(old: FloatArray, new: FloatArray, entries: Sequence[int]) -> Floats:
    """The old array with some of its entries, flat indices, from the new one."""
    flat = np.array(old, dtype=np.float64).reshape(-1)
    flat[entries] = np.asarray(new, dtype=np.float64).reshape(-1)[entries]
    return flat.reshape(old.shape)


def _merged_whole(first: TensorResult, second: TensorResult) -> TensorResult:
    """A large tensor, looked at along directions: the second time speaks for all of it."""
    if not second.judged:
        return replace(first, forwards=first.forwards + second.forwards)
    return replace(second, forwards=first.forwards + second.forwards, kinks=first.entries)
