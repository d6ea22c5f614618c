"""An expression as a sum of products, to be compared with another one whatever order and brackets it is written in."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from gradproof.source.syntax import is_negated, is_operation, is_product, is_sum

MOST = 32  # terms of a sum that is multiplied out


@dataclass(frozen=True)
class Term:
    """One product: its sign, and what stands above and below the line, as text in one order."""

    sign: int = 1
    factors: tuple[str, ...] = ()
    divisors: tuple[str, ...] = ()

    @property
    def above(self) -> Counter[str]:
        """How often each factor stands in it."""
        return Counter(self.factors)

    @property
    def below(self) -> Counter[str]:
        """How often it is divided by each."""
        return Counter(self.divisors)

    @property
    def text(self) -> str:
        """The term with its sign, as one writes it."""
        over = "".join(f" / {divisor}" for divisor in self.divisors)
        return f"{'+' if self.sign > 0 else '-'} {' * '.join(self.factors) or '1'}{over}"


def terms(node: ast.expr) -> Counter[Term]:
    """The products whose sum an expression is, its brackets multiplied out."""
    return Counter(islice(_terms(node), MOST))


def _terms(node: ast.expr) -> Iterator[Term]:
    if is_negated(node):
        yield from _negated(_terms(node.operand))
    elif is_sum(node):
        yield from _terms(node.left)
        yield from _terms(node.right) if isinstance(node.op, ast.Add) else _negated(_terms(node.right))
    elif is_product(node):
        others = list(islice(_terms(node.right), MOST))
        yield from (_product(one, other) for one in _terms(node.left) for other in others)
    elif is_operation(node, ast.Div):
        over = _inverse(node.right)
        yield from (_product(one, over) for one in _terms(node.left))
    else:
        yield Term(factors=(ast.unparse(node),))


def _inverse(node: ast.expr) -> Term:
    """1 over an expression; a sum below the line stays as it is."""
    below = list(islice(_terms(node), MOST))
    by = below[0] if len(below) == 1 else Term(factors=(f"({ast.unparse(node)})",))
    return Term(by.sign, by.divisors, by.factors)


def _negated(found: Iterable[Term]) -> Iterator[Term]:
    return (Term(-term.sign, term.factors, term.divisors) for term in found)


def _product(one: Term, other: Term) -> Term:
    return Term(
        one.sign * other.sign,
        tuple(sorted(one.factors + other.factors)),
        tuple(sorted(one.divisors + other.divisors)),
    )
