"""Sizes as polynomials over dims, and the ways to make two of them equal; it knows no arrays."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Monomial = tuple[str, ...]  # dims in alphabetical order: () is 1


@dataclass(frozen=True, order=True)
class Polynomial:
    """A sum of monomials with integer coefficients: ``2*h + 1``."""

    terms: tuple[tuple[Monomial, int], ...] = ()

    @property
    def dims(self) -> tuple[str, ...]:
        """The dims in it, each once."""
        return tuple(dict.fromkeys(dim for monomial, _ in self.terms for dim in monomial))

    @property
    def lone_dim(self) -> str | None:
        """The dim that it is, where it is one dim and nothing else."""
        if len(self.terms) != 1:
            return None
        monomial, coefficient = self.terms[0]
        return monomial[0] if coefficient == 1 and len(monomial) == 1 else None

    def plus(self, other: Polynomial, factor: int = 1) -> Polynomial:
        """The sum of it and ``factor`` times another."""
        found = dict(self.terms)
        for monomial, coefficient in other.terms:
            found[monomial] = found.get(monomial, 0) + factor * coefficient
        return _sum_of(found)

    def times(self, other: Polynomial) -> Polynomial:
        """The product."""
        found: dict[Monomial, int] = {}
        for (one, a), (two, b) in itertools.product(self.terms, other.terms):
            monomial = tuple(sorted(one + two))
            found[monomial] = found.get(monomial, 0) + a * b
        return _sum_of(found)

    def over(self, other: Polynomial) -> Polynomial | None:
        """The quotient, where the other is one monomial that divides every term; else None."""
        if len(other.terms) != 1:
            return None
        divisor, by = other.terms[0]
        found: dict[Monomial, int] = {}
        for monomial, coefficient in self.terms:
            rest = _without(monomial, divisor)
            if rest is None or coefficient % by:
                return None
            found[rest] = coefficient // by
        return _sum_of(found)

    def at(self, sizes: Mapping[str, int]) -> int:
        """Its value for these sizes of the dims. Raises KeyError where one is missing."""
        total = 0
        for monomial, factor in self.terms:
            total += factor * math.prod(sizes[dim] for dim in monomial)
        return total

    def put(self, bound: Mapping[str, Polynomial]) -> Polynomial:
        """With every bound dim replaced by what it is bound to."""
        found = Polynomial()
        for monomial, coefficient in self.terms:
            term = number(coefficient)
            for name in monomial:
                term = term.times(bound[name].put(bound) if name in bound else dim(name))
            found = found.plus(term)
        return found

    def text(self, names: Mapping[str, str] | None = None) -> str:
        """In the grammar of shapes, under other names of its dims."""
        shown = [(_renamed(monomial, names or {}), coefficient) for monomial, coefficient in self.terms]
        text = ""
        for monomial, coefficient in sorted(shown, key=lambda term: (term[0] == (), term[1] < 0, term)):
            needs_number = abs(coefficient) != 1 or not monomial
            factors = [str(abs(coefficient)), *monomial] if needs_number else monomial
            if coefficient < 0:
                text += "-"
            elif text:
                text += "+"
            text += "*".join(factors)
        return text or "0"


def dim(name: str) -> Polynomial:
    """One dim."""
    return Polynomial((((name,), 1),))


def number(value: int) -> Polynomial:
    """A plain number."""
    return Polynomial((((), value),) if value else ())


ONE = number(1)


def product_of(sizes: Iterable[Polynomial]) -> Polynomial:
    """The product of several."""
    found = ONE
    for size in sizes:
        found = found.times(size)
    return found


@dataclass(frozen=True)
class Solution:
    """One way to make two sizes equal: a dim is bound to what it must be; the smaller ``cost``, the likelier."""

    cost: float
    dim: str
    size: Polynomial

    @property
    def is_renaming(self) -> bool:
        """Whether it says that one dim is another."""
        return self.size.lone_dim is not None


def _occurs_once(name: str, size: Polynomial) -> bool:
    """Whether a dim stands in one term only."""
    return sum(name in monomial for monomial, _ in size.terms) == 1


def solutions(one: Polynomial, two: Polynomial) -> list[Solution]:
    """The ways to make two sizes equal, the likeliest first: dim = dim, then sums, and numbers last."""
    rest = _without_common_factor(one.plus(two, -1))
    found: list[Solution] = []
    for monomial, coefficient in rest.terms:
        is_alone = len(monomial) == 1 and abs(coefficient) == 1
        if is_alone and _occurs_once(monomial[0], rest):
            size = _sum_of({other: -coefficient * factor for other, factor in rest.terms if other != monomial})
            if any(factor > 0 for _, factor in size.terms):
                found.append(Solution(_cost(size), monomial[0], size))
    return sorted(found or _renamings(rest), key=lambda solution: solution.cost)


def _renamings(rest: Polynomial) -> list[Solution]:
    """The pairs of dims that, taken for one, leave nothing over: ``n * (t - 1) - m * (t - 1)`` says that m is n."""
    pairs = itertools.permutations(rest.dims, 2)
    return [Solution(0.0, one, dim(two)) for one, two in pairs if not rest.put({one: dim(two)}).terms]


def _renamed(monomial: Monomial, names: Mapping[str, str]) -> Monomial:
    return tuple(sorted(names.get(dim, dim) for dim in monomial))


def _cost(size: Polynomial) -> float:
    if size.lone_dim is not None:
        return 0.0
    return 0.02 * len(size.terms) if size.dims else 0.3


def _without_common_factor(size: Polynomial) -> Polynomial:
    while len(size.terms) > 1:
        common = set(size.terms[0][0]).intersection(*(monomial for monomial, _ in size.terms))
        if not common:
            break
        size = size.over(dim(min(common))) or size
    return size


def _without(monomial: Monomial, factors: Monomial) -> Monomial | None:
    rest = list(monomial)
    for factor in factors:
        if factor not in rest:
            return None
        rest.remove(factor)
    return tuple(rest)


def _sum_of(terms: Mapping[Monomial, int]) -> Polynomial:
    return Polynomial(tuple(sorted((monomial, factor) for monomial, factor in terms.items() if factor)))
