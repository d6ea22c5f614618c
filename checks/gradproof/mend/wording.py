"""A formula for an expression, with the slip that it would mend where it fits; it fits none."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gradproof.differentiate.differentiate import Floats
from gradproof.mend.change import parse
from gradproof.mend.contractions import bracketed
from gradproof.mend.forms import Form
from gradproof.mend.slip import Slip, SlipKind
from gradproof.mend.slip_kinds import (
    DERIVATIVE_MISSING,
    DIVISION_MISSING,
    DIVISION_TOO_MANY,
    FACTOR_MISSING,
    FACTOR_TOO_MANY,
    MASK_MISSING,
    POWER,
    SIGN_LOST,
    SIGN_OF_TERM,
    SQUARE_OF_DIVISOR,
    STANDS,
    TERM_MISSING,
    TERM_TOO_MANY,
)
from gradproof.mend.terms import Term, terms
from gradproof.source.syntax import is_operation

Make = Callable[[Floats, Mapping[str, Floats]], Floats]  # of the value itself and the arrays beside it


TERMS_TOO_MANY = SlipKind("GP113", "slip-terms-too-many", "these terms are too many: {terms}", ("a term too many",))


@dataclass(frozen=True)
class Formula:
    """What may stand in an expression's place: how it is made, and what is formula of it where it fits.

    ``written`` gives its text and the slip that it would mend; most formulas never need it.
    """

    make: Make
    written: Callable[[], tuple[str, Slip]]


def made_of(name: str, form: Form) -> Make:
    """How a form of one name is made."""
    return lambda _, names: form.function(names[name])


def factor(own: str, name: str, form: Form, *, below: bool) -> Formula:
    """The expression ``own`` times a form of a name. below: it stands below the line, so that this divides."""

    def written() -> tuple[str, Slip]:
        return f"{bracketed(own)} * {bracketed(form.of(name))}", _lacks(own, name, form, below=below)

    return Formula(lambda value, names: value * form.function(names[name]), written)


def _lacks(own: str, name: str, form: Form, *, below: bool) -> Slip:
    """The slip of an expression that lacks a form of a name as a factor."""
    formula = form.of(name)
    if form.masks or isinstance(parse(formula), ast.Compare):
        return MASK_MISSING(factor=bracketed(formula))
    if form.slope:
        return DERIVATIVE_MISSING(factor=formula)
    power = _wrong_power(own, formula, below=below)
    if power is not None:
        return power
    divides = form.text.startswith("1 / ")
    plain = formula.removeprefix("1 / ")
    if divides != below:
        return DIVISION_MISSING(divisor=plain)
    if "sign" in form.text:
        return SIGN_LOST(name=name, factor=formula)
    return FACTOR_MISSING(factor=plain)


def _wrong_power(own: str, formula: str, *, below: bool) -> Slip | None:
    """Which power of a formula belongs where ``own`` has it once already; None where it has not."""
    products = terms(parse(own))
    divisor = formula.removeprefix("1 / ")
    is_divided_already = divisor != formula and all(divisor in product.divisors for product in products)
    if is_divided_already and not below:
        return SQUARE_OF_DIVISOR(divisor=divisor)
    if all(formula in product.factors for product in products):
        return POWER(mine=formula, other=f"{formula} ** 2")
    return None


def difference(mine: ast.expr, whole: ast.expr) -> Slip | None:
    """What an expression lacks beside another one, or has too many: terms, a factor, a sign; None for anything else."""
    missing, extra = (terms(a) - terms(b) for a, b in ((whole, mine), (mine, whole)))
    if missing.total() == 1 and not extra:
        return TERM_MISSING(term=next(iter(missing)).text)
    if extra and not missing:
        text = " ".join(term.text for term in extra)
        return TERM_TOO_MANY(term=text) if extra.total() == 1 else TERMS_TOO_MANY(terms=text)
    if missing.total() == extra.total() == 1:
        return _of_one_term(next(iter(extra)), next(iter(missing)))
    return None


def stands_for(mine: ast.expr, whole: ast.expr) -> Slip:
    """The slip by which one expression stands where another belongs: of what they share, nothing is formula."""
    found = difference(mine, whole)
    if found is not None:
        return found
    mine, whole = _differing(mine, whole)
    is_power = is_operation(whole, ast.Pow) and ast.unparse(whole.left) == ast.unparse(mine)
    return (POWER if is_power else STANDS)(mine=ast.unparse(mine), other=ast.unparse(whole))


def _differing(mine: ast.expr, whole: ast.expr) -> tuple[ast.expr, ast.expr]:
    """The smallest parts of two expressions outside of which they are alike."""
    if type(mine) is not type(whole):
        return mine, whole
    ours, theirs = (list(ast.iter_child_nodes(node)) for node in (mine, whole))
    pairs = [(a, b) for a, b in zip(ours, theirs, strict=False) if ast.dump(a) != ast.dump(b)]
    if len(ours) != len(theirs) or len(pairs) != 1:
        return mine, whole
    ((a, b),) = pairs
    return _differing(a, b) if isinstance(a, ast.expr) and isinstance(b, ast.expr) else (mine, whole)


def _of_one_term(found: Term, wanted: Term) -> Slip | None:
    """The one factor, or divisor, in which two terms differ; None where more is different."""
    differences = (
        (FACTOR_MISSING, "factor", wanted.above - found.above),
        (DIVISION_MISSING, "divisor", wanted.below - found.below),
        (FACTOR_TOO_MANY, "factor", found.above - wanted.above),
        (DIVISION_TOO_MANY, "divisor", found.below - wanted.below),
    )
    changes = [each for each in differences if each[2]]
    if not changes:
        return SIGN_OF_TERM(mine=found.text, other=wanted.text)
    kind, what, names = changes[0]
    if len(changes) > 1 or names.total() > 1 or found.sign != wanted.sign:
        return None
    return kind(**{what: next(iter(names))})
