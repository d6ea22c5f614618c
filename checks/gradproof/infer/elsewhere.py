"""What to try after an exception that says nothing of shapes: other ranks, kinds, values; it runs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gradproof.trace.candidate import Candidate
from gradproof.trace.changes import DEFAULT, UNKNOWN, Become, Equal, Kind, Proposal, Rank, What, labels, value
from gradproof.trace.polynomials import ONE, dim
from gradproof.trace.run import Hint

_FLOATS = (What.ARRAY, What.CONSTANT)
_MOST_AXES = 4


def elsewhere(candidate: Candidate, hints: Mapping[str, Hint]) -> list[Proposal]:
    """Other ranks, other values, other kinds, for each argument by itself."""
    found: list[Proposal] = []
    for argument, kind in candidate.kinds.items():
        if kind.is_array:
            found += _other_ranks(argument, kind)
        found += _of_kind(candidate, argument, kind, hints)
        if hints[argument].optional and kind.what is not What.DEFAULT:
            found.append(Proposal(0.5, Become(argument, DEFAULT)))
    return found


def _of_kind(candidate: Candidate, argument: str, kind: Kind, hints: Mapping[str, Hint]) -> list[Proposal]:
    """What else an argument of this kind may be."""
    hint = hints[argument]
    match kind.what:
        case What.ARRAY | What.CONSTANT if not hint.built:
            return _column(argument, kind) + _square(argument, kind) + _as_labels(argument, kind, hint)
        case What.VALUE:
            return _other_values(argument, kind, hint)
        case What.LABELS:
            return _bounds_of_labels(candidate, argument, hints)
        case What.SIZE:
            return [Proposal(0.6, Become(argument, value(number))) for number in (2, 4)]
        case What.DEFAULT if hint.absent and (hint.size or hint.shape):
            return [Proposal(0.3, Become(argument, UNKNOWN))]
        case What.UNKNOWN:
            return [Proposal(0.1 + 0.1 * i, Become(argument, value(word))) for i, word in enumerate(hint.words)]
        case _:
            return []


def _other_ranks(argument: str, kind: Kind) -> list[Proposal]:
    """One axis more, where there are few, or one fewer."""
    more, fewer = Proposal(0.6, Rank(argument, kind.rank + 1)), Proposal(0.6, Rank(argument, kind.rank - 1))
    return [more, fewer] if kind.rank < _MOST_AXES else [fewer]


def _column(argument: str, kind: Kind) -> list[Proposal]:
    """One column at a time."""
    return [Proposal(0.5, Equal(f"{argument}.1", ONE))] if kind.rank == 2 else []


def _square(argument: str, kind: Kind) -> list[Proposal]:
    """Images as wide as they are high."""
    last, before = f"{argument}.{kind.rank - 1}", f"{argument}.{kind.rank - 2}"
    return [Proposal(0.5, Equal(last, dim(before)))] if kind.rank > 2 else []


def _as_labels(argument: str, kind: Kind, hint: Hint) -> list[Proposal]:
    cost = 0.2 if hint.target or hint.index else 0.4
    ranks = dict.fromkeys((kind.rank, max(kind.rank - 1, 1)))
    return [Proposal(cost + 0.05 * place, Become(argument, labels(rank))) for place, rank in enumerate(ranks)]


def _other_values(argument: str, kind: Kind, hint: Hint) -> list[Proposal]:
    own = kind.value
    others: tuple[Any, ...] = (2, 0.5, 1)
    if isinstance(own, str):
        others = hint.words
    elif isinstance(own, bool):
        others = (False, True)
    elif isinstance(own, int):
        others = (1, 2, 3, (1, 1))
    elif not isinstance(own, float):
        return []
    likely = [other for other in others if other != own]
    return [Proposal(0.5 + 0.05 * place, Become(argument, value(other))) for place, other in enumerate(likely)]


def _bounds_of_labels(candidate: Candidate, argument: str, hints: Mapping[str, Hint]) -> list[Proposal]:
    """Labels are below a size of another argument: the last axis of what forward takes, any of the constructor's.

    None where they are below a size already.
    """
    bound = f"{argument}.c"
    if bound in candidate.bound:
        return []
    found: list[Proposal] = []
    for other, kind in candidate.kinds.items():
        if kind.what in (What.ARRAY, What.SIZE):
            axes = candidate.axes(other)
            likely = axes if hints[other].built else axes[-1:]
            found += [Proposal(0.15, Equal(bound, axis)) for axis in likely]
    return found
