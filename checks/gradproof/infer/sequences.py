"""A candidate in which all that forward is given has as many axes as sequences have; it judges nothing.

``x @ W`` runs for rows and for sequences of them; ``db = dout.sum(axis=(0, 1))`` is right for sequences alone.
"""

from __future__ import annotations

from dataclasses import replace

from gradproof.infer.search import Found, Search
from gradproof.trace.candidate import Candidate
from gradproof.trace.changes import What

RUNS = 12  # traced runs for it
LEAST = 3  # axes of sequences
_FLOATS = (What.ARRAY, What.CONSTANT)


def of_sequences(search: Search, found: Found) -> tuple[Found, str | None]:
    """With sequences, and what says so, where backward did not do all that it should, and does it then.

    Or no longer raises for want of axes: what it then does is its own.
    """
    deeper = None if found.clean else _sequences(search, found)
    if deeper is None or not (deeper.clean or (_lacks_axes(found) and not _lacks_axes(deeper))):
        return found, None
    return deeper, "what forward is given has three axes, as backward takes it"


def as_sequences(search: Search, found: Found) -> list[Candidate]:
    """The candidate with sequences, where forward and backward take both; none for a loss, which averages rows."""
    is_loss = any(hint.target for hint in search.hints.values())
    deeper = _sequences(search, found) if found.clean and not is_loss else None
    if deeper is None or deeper.candidate is None:
        return []
    return [deeper.candidate] if deeper.clean else []


def _sequences(search: Search, found: Found) -> Found | None:
    """What the candidate shows with sequences in the place of rows; None where forward does not take them."""
    if found.candidate is None or not found.runs:
        return None
    given = _given(search, found.candidate)
    rows = [name for name in given if found.candidate.kinds[name].rank == LEAST - 1]
    if not rows or any(found.candidate.kinds[name].rank > LEAST for name in given):
        return None
    deeper = search.find([_deepened(found.candidate, rows)], most=RUNS)
    if not deeper.runs or deeper.candidate is None:
        return None
    return deeper if all(deeper.candidate.kinds[name].rank == LEAST for name in rows) else None


def _lacks_axes(found: Found) -> bool:
    """Whether a line of backward asks for more axes than an array has."""
    raised = [seen.error.message for seen in found.seen if seen.error is not None]
    return any(words in message for message in raised for words in _RANKS)


# what NumPy says where an array has too few axes for a transpose, an index, an axis, or for its shape to be unpacked
_RANKS = ("axes don't match array", "too many indices", "is out of bounds for array of dimension", "not enough values")


def _given(search: Search, candidate: Candidate) -> list[str]:
    """The arrays of floats that forward is given, and no weights."""
    arrays = [name for name, kind in candidate.kinds.items() if kind.what in _FLOATS and kind.rank > 1]
    return [name for name in arrays if not (search.hints[name].built or search.hints[name].weight)]


def _deepened(candidate: Candidate, rows: list[str]) -> Candidate:
    kinds = {**candidate.kinds, **{name: replace(candidate.kinds[name], rank=LEAST) for name in rows}}
    return replace(candidate, kinds=kinds, bound={}, cost=0.0, steps=0)
