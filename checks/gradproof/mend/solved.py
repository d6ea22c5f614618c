"""What an expression would have to be for the gradients to be right, as a formula of the arrays at hand there.

How the gradients move with a value tells of any other whether it would do, without a run. So a large grammar can be
gone through: a factor, a term, or the whole as a product of two arrays. What fits is tried as any other change.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain

import numpy as np

from gradproof.differentiate.differentiate import Floats
from gradproof.mend.change import Change, parse
from gradproof.mend.combined import Written, alike, fractions, names_of, products, triples
from gradproof.mend.contractions import bracketed
from gradproof.mend.coupled import couplings, softmaxes
from gradproof.mend.forms import FACTORS, FORMS, WHOLE, Form
from gradproof.mend.likeness import arrays_in, cuts, sums
from gradproof.mend.sensitivity import Sensitivity
from gradproof.mend.slip import Slip, SlipKind
from gradproof.mend.slip_kinds import (
    FACTOR_MISSING,
    NOT_SUMMED,
    NUMBER_MISSING,
    ONLY_A_PART,
    STANDS,
    SYMMETRIC,
    TERM_MISSING,
)
from gradproof.mend.slots import is_divisor
from gradproof.mend.weighted import weights
from gradproof.mend.wording import Formula, Make, difference, factor, made_of
from gradproof.source.syntax import is_sum

EPSILON_IN_FACTOR = SlipKind(
    "GP108",
    "slip-epsilon-in-factor",
    "an epsilon is left out: it makes ({factor}) nearly 1, and that factor is missing",
    ("epsilon left out",),
)
NICE: Mapping[float, str] = {
    1.0: "",
    2.0: "2 * ",
    0.5: "0.5 * ",
    3.0: "3 * ",
    4.0: "4 * ",
}  # numbers that stand before a term
NEARLY = 0.2  # two arrays whose ratio is nearer to 1 differ by an epsilon
SAME = 1e-5  # relative: a number that is shown for a measured one


def counted(sensitivity: Sensitivity) -> Iterator[Change]:
    """A number that is missing before a value: of a term of a sum, it looks like another term, too."""
    yield from _multiplied(sensitivity, ast.unparse(sensitivity.slot.node))


def simple(sensitivity: Sensitivity) -> Iterator[Change]:
    """What makes the gradients right at one example: a factor, the whole, or a term of one array."""
    own, names = ast.unparse(sensitivity.slot.node), names_of(sensitivity)
    below = is_divisor(sensitivity.slot)
    yield from _multiplied(sensitivity, own)
    yield from _fitting(sensitivity, (factor(own, name, form, below=below) for name, form in _formed(names, FACTORS)))
    if not sensitivity.is_result:
        whole = ((partial(form.of, n), made_of(n, form)) for n, form in _formed(names, WHOLE))
        yield from _fitting(sensitivity, (_whole(sensitivity, written, make) for written, make in whole))
    for name, form in _formed(names, FORMS):
        if np.ndim(sensitivity.names[0][name]):
            yield from _added(sensitivity, partial(form.of, name), _values(sensitivity, made_of(name, form)))


def _multiplied(sensitivity: Sensitivity, own: str) -> Iterator[Change]:
    """The value times a number."""
    more = sensitivity.times(_row(sensitivity.values))
    number = None if more is None else 1 + more
    if number is not None and number > 0 and not np.isclose(number, 1.0):
        text = _number(sensitivity, number)
        if text is not None:
            times = text.removesuffix(" * ")
            slip = NUMBER_MISSING(number=times, role="factor")
            yield _changed(sensitivity, f"{bracketed(times)} * {bracketed(own)}", slip)


def _formed(names: Sequence[str], forms: Sequence[Form]) -> Iterator[tuple[str, Form]]:
    """Every name in every form; what is more than a name, as it is."""
    for name in names:
        plain = name.removeprefix("self.").isidentifier()
        yield from ((name, form) for form in (forms if plain else forms[:1]))


def compound(sensitivity: Sensitivity) -> Iterator[Change]:
    """The same with formulas of two arrays, and of sums of the value itself."""
    own, names = ast.unparse(sensitivity.slot.node), names_of(sensitivity)
    yield from _fitting(sensitivity, map(_formula, weights(own, names, sensitivity.names)))
    dims = {value.ndim for value in sensitivity.values}
    if len(dims) == 1:
        ndim = dims.pop()
        yield from _fitting(sensitivity, map(_formula, couplings(own, names, ndim)))
        if not sensitivity.is_result:
            yield from _fitting(sensitivity, map(_formula, softmaxes(alike(sensitivity), ndim)))
    for written, make in chain(products(sensitivity), fractions(sensitivity)):
        made = _values(sensitivity, make)
        yield from _added(sensitivity, written, made)
        if made is not None and sensitivity.fits(_row(sensitivity.values) * (_row(made) - 1)):
            yield _changed(sensitivity, *_times(sensitivity, written(), made))
        if made is not None and not sensitivity.is_result:
            yield from _fitting(sensitivity, [_whole(sensitivity, written, make)])
    for written, make in triples(sensitivity):
        yield from _added(sensitivity, written, _values(sensitivity, make))


def _formula(each: tuple[str, Make, Slip]) -> Formula:
    text, make, slip = each
    return Formula(make, lambda: (text, slip))


def _values(sensitivity: Sensitivity, make: Make) -> list[Floats] | None:
    """What is made each time; None where it does not go into the value's shape, or is not finite."""
    made: list[Floats] = []
    for own, names in zip(sensitivity.values, sensitivity.names, strict=True):
        try:
            with np.errstate(all="ignore"):
                made.append(np.broadcast_to(make(own, names), own.shape))
        except (ValueError, TypeError, IndexError):  # of shapes or kinds that do not go together
            return None
        if not np.isfinite(made[-1]).all():
            return None
    return made


def _row(values: Sequence[Floats]) -> Floats:
    return np.concatenate([value.reshape(-1) for value in values])


def _fitting(sensitivity: Sensitivity, formulas: Iterable[Formula]) -> Iterator[Change]:
    """The formulas by which all is right, as changes."""
    for formula in formulas:
        made = _values(sensitivity, formula.make)
        if made is not None and sensitivity.fits(_row(made) - _row(sensitivity.values)):
            yield _changed(sensitivity, *formula.written())


def _times(sensitivity: Sensitivity, text: str, made: Sequence[Floats]) -> tuple[str, Slip]:
    """The value times what is made, and the slip that it would mend."""
    is_nearly_1 = all((np.abs(value - 1) < NEARLY).all() for value in made)
    slip = EPSILON_IN_FACTOR(factor=text) if is_nearly_1 else FACTOR_MISSING(factor=f"({text})")
    return f"{bracketed(ast.unparse(sensitivity.slot.node))} * {bracketed(text)}", slip


def _whole(sensitivity: Sensitivity, written: Written, make: Make) -> Formula:
    def fitted(value: Floats, names: Mapping[str, Floats]) -> Floats:
        made = make(value, names)
        return made if np.shape(made) == value.shape else np.full(1, np.nan)

    return Formula(fitted, lambda: (written(), _instead(sensitivity.slot.node, written())))


def _instead(mine: ast.expr, text: str) -> Slip:
    """The slip by which an expression stands where a formula belongs."""
    whole, kind = parse(text), SYMMETRIC if ".T) / 2" in text else STANDS
    if cuts(mine) and not cuts(whole) and arrays_in(whole) == arrays_in(mine):
        kind = ONLY_A_PART
    elif sums(whole) and not sums(mine) and arrays_in(whole) <= arrays_in(mine):
        kind = NOT_SUMMED
    else:
        found = difference(mine, whole)
        if found is not None:
            return found
    return kind(mine=ast.unparse(mine), other=text)


def _added(sensitivity: Sensitivity, written: Written, made: Sequence[Floats] | None) -> Iterator[Change]:
    """The term, times the number that makes it fit, where that is one that somebody would write."""
    number = None if made is None or _is_scaled(sensitivity, _row(made)) else sensitivity.times(_row(made))
    before = None if number is None else _number(sensitivity, abs(number))
    if number is not None and before is not None:
        term = f"{'-' if number < 0 else '+'} {before}{bracketed(written()) if before else written()}"
        yield _changed(sensitivity, f"{ast.unparse(sensitivity.slot.node)} {term}", TERM_MISSING(term=term))


def _is_scaled(sensitivity: Sensitivity, term: Floats) -> bool:
    """Whether a term is but a number times the value itself, or times one of the two that it adds."""
    node = sensitivity.slot.node
    texts = [ast.unparse(node.left), ast.unparse(node.right)] if is_sum(node) else []
    known = names_of(sensitivity)
    added = [_named(sensitivity, text) for text in texts if text in known]
    return any(_is_multiple(term, value) for value in (_row(sensitivity.values), *added) if value.size == term.size)


def _named(sensitivity: Sensitivity, name: str) -> Floats:
    """What a name stands for each time, in a row."""
    return _row([names[name] for names in sensitivity.names])


def _is_multiple(one: Floats, other: Floats) -> bool:
    """Whether a term is but the value itself, times a number: then that number is what is missing."""
    size = float(np.linalg.norm(one) * np.linalg.norm(other))
    return size > 0 and abs(float(one @ other)) >= (1 - SAME) * size


def _number(sensitivity: Sensitivity, number: float) -> str | None:
    """A number as one would write it before a term; None for no such.

    A small one, or one at hand (a size, a rate), one over it, or twice that: ``2 * reg *``, ``2 / n *``.
    """
    known = dict(NICE)
    doubled: dict[float, str] = {}
    for name in names_of(sensitivity):
        sizes = {float(names[name]) if np.ndim(names[name]) == 0 else 0.0 for names in sensitivity.names}
        size = abs(sizes.pop()) if len(sizes) == 1 else 0.0
        if size:
            known.setdefault(size, f"{name} * ")
            known.setdefault(1 / size, f"1 / {name} * ")
            doubled |= {2 * size: f"2 * {name} * ", 2 / size: f"2 / {name} * "}
    numbers = [*known.items(), *doubled.items()]
    return next((text for value, text in numbers if abs(number - value) <= SAME * value), None)


def _changed(sensitivity: Sensitivity, text: str, slip: Slip) -> Change:
    node = parse(text)
    needs = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} & sensitivity.unkept
    return Change((sensitivity.slot,), (node,), slip, needs=tuple(sorted(needs)))
