"""Dims by their names: whose each is, which of two keeps its name, and which belong together; it knows no run."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from gradproof.trace.polynomials import Polynomial, Solution

MOST_PAIRINGS = 2  # orders of the second of two sums


def argument_of(name: str) -> str:
    """The argument that a dim belongs to."""
    return name.partition(".")[0]


def is_rest(name: str) -> bool:
    """Whether a dim stands for a quotient with a rest: it may be used, but nothing is bound to it."""
    return name.startswith("?")


def oriented(found: list[Solution], order: Sequence[str]) -> list[Solution]:
    """Of two dims that are equal, that of the argument which comes first keeps its name; ``order`` of the arguments."""
    renamings = [solution for solution in found if solution.is_renaming]
    if len(renamings) != 2:
        return found
    later = max(renamings, key=lambda solution: _place(solution.dim, order))
    return [later, *(solution for solution in found if solution not in renamings)]


def pairings(one: Polynomial, two: Polynomial, order: Sequence[str]) -> Iterator[list[tuple[str, str]]]:
    """The ways to take the dims of two sums for each other, as of x beside h; first in the order of the arguments."""
    mine, theirs = (sorted(_dims_of_sum(side), key=lambda name: _place(name, order)) for side in (one, two))
    if mine and len(mine) == len(theirs) and {*mine}.isdisjoint(theirs):
        for others in itertools.islice(itertools.permutations(theirs), MOST_PAIRINGS):
            yield list(zip(mine, others, strict=True))


def _dims_of_sum(size: Polynomial) -> Sequence[str]:
    """The dims of which a size is the sum, two or more, each once; [] where it is no such sum."""
    names = [monomial[0] for monomial, factor in size.terms if len(monomial) == 1 and factor == 1]
    return names if len(names) == len(size.terms) > 1 else []


def _place(name: str, order: Sequence[str]) -> tuple[int, str]:
    argument = argument_of(name)
    return order.index(argument) if argument in order else len(order), name
