"""A candidate with more axes of what forward flattens; it judges nothing.

``x.reshape(len(x), -1)`` leaves a matrix as it is: who writes it means arrays of more axes, of which backward has to
restore the shape. Where forward does not flatten x itself, two axes are meant.
"""

from __future__ import annotations

from dataclasses import replace

from gradproof.infer.search import Found, Search
from gradproof.trace.candidate import Candidate
from gradproof.trace.changes import What
from gradproof.trace.polynomials import Polynomial, dim, number
from gradproof.trace.traced import Trace

RUNS = 12  # traced runs for it


def of_flattened(search: Search, found: Found) -> tuple[Found, str | None]:
    """With three axes of the matrix that forward reshapes to what it is, and what says so; else as it was found."""
    candidate = found.candidate
    if candidate is None or not found.runs:
        return found, None
    matrices = [name for name, kind in candidate.kinds.items() if kind.what is What.ARRAY and kind.rank == 2]
    for first in matrices:
        if not search.hints[first].first or first not in _traced(search, candidate).run.evidence.flattened:
            continue
        deeper = search.find([_flat_behind(candidate, first), _flat_before(candidate, first)], most=RUNS)
        if _is_deeper(search, deeper, first):
            return deeper, f"{first} has more axes than two, as forward flattens it"
    return found, None


def _traced(search: Search, candidate: Candidate) -> Trace:
    return search.tracer.run(candidate, falling=False)


def _is_deeper(search: Search, found: Found, first: str) -> bool:
    """Whether forward runs so, and flattens; where it flattens the first axis, whether its output has that again."""
    if found.candidate is None or not found.runs or found.candidate.kinds[first].rank != 3:
        return False
    trace = _traced(search, found.candidate)
    is_restored = trace.output[:1] == (dim(f"{first}.0"),)
    return trace.run.evidence.flattened.get(first, False) or (first in trace.run.evidence.flattened and is_restored)


def _flat_behind(candidate: Candidate, first: str) -> Candidate:
    """``x.reshape(len(x), -1)``: what was as long as the last axis is as long as two together."""
    behind = dim(f"{first}.1").times(dim(f"{first}.2"))
    return _deepened(candidate, first, dim(f"{first}.0"), behind)


def _flat_before(candidate: Candidate, first: str) -> Candidate:
    """``x.reshape(-1, x.shape[-1])``: what was as long as the first axis is as long as two together."""
    before = dim(f"{first}.0").times(dim(f"{first}.1"))
    return _deepened(candidate, first, before, dim(f"{first}.2"))


def _deepened(candidate: Candidate, first: str, *sizes: Polynomial) -> Candidate:
    """The candidate whose first argument has three free axes; ``sizes``: what its two were, in the others."""
    instead = dict(zip((f"{first}.0", f"{first}.1"), sizes, strict=True))
    bound: dict[str, Polynomial] = {}
    for argument, kind in candidate.kinds.items():
        own = {f"{argument}.{place}": axis for place, axis in enumerate(candidate.axes(argument))}
        if kind.what is What.LABELS:
            own[f"{argument}.c"] = candidate.below(argument)
        if argument != first:
            bound |= {name: _exchanged(size, instead) for name, size in own.items() if size != dim(name)}
    kinds = {**candidate.kinds, first: replace(candidate.kinds[first], rank=3)}
    return replace(candidate, kinds=kinds, bound=bound, cost=0.0, steps=0)


def _exchanged(size: Polynomial, instead: dict[str, Polynomial]) -> Polynomial:
    """The size with other sizes in the place of some dims, each once."""
    found = Polynomial()
    for monomial, coefficient in size.terms:
        term = number(coefficient)
        for name in monomial:
            term = term.times(instead.get(name, dim(name)))
        found = found.plus(term)
    return found
