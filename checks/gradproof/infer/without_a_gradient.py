"""What an argument of forward may be that has no gradient: values, one-hot rows, labels; it runs nothing."""

from __future__ import annotations

from gradproof.trace.candidate import Candidate
from gradproof.trace.changes import Become, Kind, Proposal, What, labels
from gradproof.trace.run import Hint


def as_labels(argument: str, kind: Kind, hint: Hint) -> list[Proposal]:
    """One-hot rows or labels for an argument that may be either: its name takes it for no weight and no number."""
    may_be_labels = hint.target or hint.index or not (hint.weight or hint.scalar)
    is_float = kind.what in (What.ARRAY, What.CONSTANT)
    if not is_float or not may_be_labels or kind.rank <= 0:
        return []
    cost = 0.04 if hint.target and hint.takes_log else 0.4
    one_hot = Proposal(cost, Become(argument, Kind(What.ONE_HOT, kind.rank)))
    return [one_hot, Proposal(0.5, Become(argument, labels(max(kind.rank - 1, 1))))]


def as_constant(candidate: Candidate, argument: str) -> Become:
    """An array of values without a gradient."""
    return Become(argument, Kind(What.CONSTANT, candidate.kinds[argument].rank))
