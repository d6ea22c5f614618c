"""What the differences of sizes in a traced run ask of a candidate, as a window that slides does; it runs nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from gradproof.trace.candidate import Candidate
from gradproof.trace.polynomials import Polynomial
from gradproof.trace.run import TracedRun


def with_windows(
    candidate: Candidate, run: TracedRun, windows: frozenset[str], output: Sequence[Polynomial]
) -> Candidate:
    """With what differences of sizes ask for: small windows, wide axes, least sizes.

    No window slides over the batch, nor over a dim of two arguments: a difference with one of these is of another size
    that is the same number by accident.
    """
    small = candidate.small | windows
    wide = {name for span in run.evidence.spans for name in _slid_over(span, small)}
    batch = {size.lone_dim for size in output[:1]}
    least = _least_sizes(run.evidence.spans)
    return replace(candidate, small=small, wide=frozenset(wide - small - batch - _shared(candidate)), least=least)


def _shared(candidate: Candidate) -> set[str]:
    """The dims that two arguments have."""
    used = Counter[str]()
    for argument, kind in candidate.kinds.items():
        if kind.is_array:
            used.update({name for size in candidate.axes(argument) if (name := size.lone_dim) is not None})
    return {name for name, count in used.items() if count > 1}


def _slid_over(span: Polynomial, small: frozenset[str]) -> list[str]:
    """The dims of a difference of sizes from which a small one is taken off."""
    if not any(factor < 0 and small.intersection(dims) for dims, factor in span.terms):
        return []
    return [name for dims, factor in span.terms if factor > 0 for name in dims]


def _least_sizes(spans: Iterable[Polynomial]) -> dict[str, int]:
    """The least size of each dim from which a number alone is taken off, so that something is left."""
    least: dict[str, int] = {}
    for span in spans:
        free = [dims[0] for dims, factor in span.terms if len(dims) == 1 and factor == 1]
        if len(free) == 1 and list(span.dims) == free:
            (name,) = free
            least[name] = max(least.get(name, 1), 1 - span.at({name: 0}))
    return {name: size for name, size in least.items() if 1 < size <= 6}
