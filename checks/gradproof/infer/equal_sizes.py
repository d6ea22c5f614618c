"""A candidate in which two sizes of parameters are one, where only forward takes them apart; it judges nothing.

A layer of two directions has two hidden sizes in its weights, and its backward cuts dout in half: its author means them
to be equal. Sizes of what forward is given stay apart: at equal ones, a transpose that is missing raises nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace

from gradproof.infer.applying import Applying
from gradproof.infer.search import Found, Search
from gradproof.trace.candidate import Candidate
from gradproof.trace.changes import Equal, Proposal
from gradproof.trace.dims import argument_of
from gradproof.trace.polynomials import dim
from gradproof.trace.run import Hint

MOST = 3  # pairs of sizes that are tried


def with_equal_sizes(search: Search, found: Found, hints: Mapping[str, Hint]) -> Iterator[Candidate]:
    """The candidates with two sizes of parameters made one, with which backward runs as forward does."""
    if found.candidate is None or not found.runs or found.clean:
        return
    applying = Applying(dict(hints))
    pairs = itertools.combinations(_of_parameters(found.candidate, hints), 2)
    for first, second in itertools.islice(pairs, MOST):
        start = replace(found.candidate, cost=0.0, steps=0)
        equal = applying.applied(start, Proposal(0.0, Equal(second, dim(first))))
        other = None if equal is None else search.find([equal], most=1)
        if other is not None and other.clean and other.candidate is not None:
            yield other.candidate


def _of_parameters(candidate: Candidate, hints: Mapping[str, Hint]) -> list[str]:
    """The free dims that stand in no argument of forward, but in those of the constructor."""
    given = {
        name for fed, hint in hints.items() if not hint.built for axis in candidate.axes(fed) for name in axis.dims
    }
    return [name for name in candidate.dims() if name not in given and hints[argument_of(name)].built]
