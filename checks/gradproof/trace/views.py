"""Views by strides in a traced run: what would have made one fit its array; it makes none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gradproof.standins.views import view_of
from gradproof.trace.changes import Proposal, Small
from gradproof.trace.clash import Clash


def look(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Raises IndexError for a view of what an array does not hold, or of a part of an axis as if it were the whole."""
    if name != "as_strided":
        return
    _, view = view_of(args, kwargs)
    if any(own != int(size) for own, size in view.whole_axes()):
        raise IndexError("a view by strides takes another number of entries than an axis has")
    if not view.is_within():
        raise IndexError("a view by strides reads beyond its array")


def fitting(clash: Clash) -> list[Proposal]:
    """That what a view goes along in one way is the whole axis; that its windows are small."""
    try:
        _, view = view_of(clash.args, clash.kwargs)
    except ValueError:
        return []
    unlike = [(own, size) for own, size in view.whole_axes() if own != int(size)]
    if unlike:
        return clash.run.equal(unlike)
    names = frozenset(name for size in view.windows() for name in clash.run.polynomial(size).dims)
    return [Proposal(0.0, Small(names))] if names else []
