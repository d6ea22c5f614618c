"""A candidate whose weights have as many axes as the images that they scale, all but one of a single entry.

A gamma of (c,) that forward reshapes may as well be one of (1, c, 1, 1), the shape in which its gradient then comes
back; forward takes both, and only its author knows which is meant. It judges nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gradproof.infer.search import Found, Search
from gradproof.trace.candidate import Candidate
from gradproof.trace.changes import Kind, What
from gradproof.trace.dims import argument_of
from gradproof.trace.polynomials import ONE, Polynomial
from gradproof.trace.run import Hint

LEAST = 3  # axes of what they scale: of a matrix, only the last is left, along which a vector needs no other shape


def _axes_of_the_first(candidate: Candidate, hints: Mapping[str, Hint]) -> list[Polynomial]:
    """The axes of what forward is about; none where that is no array."""
    firsts = [name for name, kind in candidate.kinds.items() if hints[name].first and kind.what is What.ARRAY]
    return candidate.axes(firsts[0]) if firsts else []


def with_ones(search: Search, found: Found, hints: Mapping[str, Hint]) -> list[Candidate]:
    """The candidate with all such weights in that shape, where forward takes them so; none where it does not."""
    candidate = found.candidate
    if candidate is None or not found.runs:
        return []
    axes = _axes_of_the_first(candidate, hints)
    places = _places(candidate, hints, axes) if len(axes) >= LEAST else {}
    if not places:
        return []
    other = search.find([_shaped(candidate, places, len(axes))], most=1)
    return [other.candidate] if other.runs and other.candidate is not None else []


def _places(candidate: Candidate, hints: Mapping[str, Hint], axes: list[Polynomial]) -> dict[str, int]:
    """The vectors among the weights that are as long as an axis between the first and the last, with which it is.

    Along the last axis a vector broadcasts as it is: there, a gradient of (1, ..., k) is a slip.
    """
    found: dict[str, int] = {}
    for name, kind in candidate.kinds.items():
        is_vector = kind.what is What.ARRAY and kind.rank == 1 and hints[name].weight and not hints[name].built
        if is_vector and candidate.axes(name)[0] in axes[1:-1]:
            found[name] = axes.index(candidate.axes(name)[0], 1)
    return found


def _shaped(candidate: Candidate, places: Mapping[str, int], rank: int) -> Candidate:
    bound = {dim: size for dim, size in candidate.bound.items() if argument_of(dim) not in places}
    for name, place in places.items():
        sizes = {f"{name}.{i}": ONE for i in range(rank)} | {f"{name}.{place}": candidate.axes(name)[0]}
        bound |= sizes
    kinds = {**candidate.kinds, **dict.fromkeys(places, Kind(What.ARRAY, rank))}
    return replace(candidate, kinds=kinds, bound=bound, cost=0.0, steps=0)
