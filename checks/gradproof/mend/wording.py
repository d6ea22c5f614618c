"""A formula for an expression, with what it says of the slip where it fits; it fits none."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gradproof.differentiate.differentiate import Floats
from gradproof.mend.change import parse, short
from gradproof.mend.contractions import bracketed
from gradproof.mend.forms import Form
from gradproof.mend.terms import Term, terms
from gradproof.source.syntax import is_operation

Make = Callable[[Floats, Mapping[str, Floats]], Floats]  # of the value itself and the arrays beside it


@dataclass(frozen=True)
class Formula:
    """What may stand in an expression's place: how it is made, and what is formula of it where it fits.

    ``words`` gives its text, and the code and the words of the slip that it would mend; most formulas never need it.
    """

    make: Make
    words: Callable[[], tuple[str, str, str]]


def made_of(name: str, form: Form) -> Make:
    """How a form of one name is made."""
    return lambda _, names: form.function(names[name])


def factor(own: str, name: str, form: Form, *, below: bool) -> Formula:
    """The expression ``own`` times a form of a name. below: it stands below the line, so that this divides."""

    def words() -> tuple[str, str, str]:
        text = f"{bracketed(own)} * {bracketed(form.of(name))}"
        return text, *_words(own, name, form, below=below)

    return Formula(lambda value, names: value * form.function(names[name]), words)


def _words(own: str, name: str, form: Form, *, below: bool) -> tuple[str, str]:
    formula = form.of(name)
    if form.masks or isinstance(parse(formula), ast.Compare):
        return "GP107", f"a mask is missing: the factor {bracketed(formula)}"
    if form.slope:
        return "GP117", f"a derivative is missing: the factor ({formula})"
    power = _wrong_power(own, formula, below=below)
    if power is not None:
        return "GP117", f"the power is wrong: {power}"
    divides = form.text.startswith("1 / ")
    plain = formula.removeprefix("1 / ")
    if divides != below:
        return "GP117", f"the division by {plain} is missing"
    if "sign" in form.text:
        return "GP103", f"the sign of {name} is lost: the factor {formula} is missing"
    return "GP117", f"the factor {plain} is missing"


def _wrong_power(own: str, formula: str, *, below: bool) -> str | None:
    """Which power of a formula belongs where ``own`` has it once already; None where it has not."""
    products = terms(parse(own))
    divisor = formula.removeprefix("1 / ")
    is_divided_already = divisor != formula and all(divisor in product.divisors for product in products)
    if is_divided_already and not below:
        return f"the division by {divisor} stands where one by {divisor} ** 2 belongs"
    if all(formula in product.factors for product in products):
        return f"{formula} stands where {formula} ** 2 belongs"
    return None


def difference(mine: ast.expr, whole: ast.expr) -> tuple[str, str] | None:
    """What an expression lacks beside another one, or has too many: terms, a factor, a sign; None for anything else."""
    missing, extra = (terms(a) - terms(b) for a, b in ((whole, mine), (mine, whole)))
    if missing.total() == 1 and not extra:
        return "GP113", f"a term is missing: {next(iter(missing)).text}"
    if extra and not missing:
        text = " ".join(term.text for term in extra)
        is_one = extra.total() == 1
        return "GP113", f"the term {text} is one too many" if is_one else f"these terms are too many: {text}"
    if missing.total() == extra.total() == 1:
        return _of_one_term(next(iter(extra)), next(iter(missing)))
    return None


def stands_for(mine: ast.expr, whole: ast.expr) -> tuple[str, str]:
    """The slip by which one expression stands where another belongs: of what they share, nothing is formula."""
    found = difference(mine, whole)
    if found is not None:
        return found
    mine, whole = _differing(mine, whole)
    words = f"{short(mine)} stands where {short(whole)} belongs"
    is_power = is_operation(whole, ast.Pow) and ast.unparse(whole.left) == ast.unparse(mine)
    return "GP117", f"the power is wrong: {words}" if is_power else words


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


def _of_one_term(found: Term, wanted: Term) -> tuple[str, str] | None:
    """The one factor, or divisor, in which two terms differ; None where more is different."""
    differences = (
        ("factor", "is missing", wanted.above - found.above),
        ("division by", "is missing", wanted.below - found.below),
        ("factor", "is one too many", found.above - wanted.above),
        ("division by", "is one too many", found.below - wanted.below),
    )
    changes = [each for each in differences if each[2]]
    if not changes:
        return "GP103", f"the sign of a term is wrong: {found.text} stands where {wanted.text} belongs"
    what, state, names = changes[0]
    if len(changes) > 1 or names.total() > 1 or found.sign != wanted.sign:
        return None
    return "GP117", f"the {what} {next(iter(names))} {state}"
