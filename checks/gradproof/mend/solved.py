"""What an expression would have to be for the gradients to be right, as a formula of the arrays at hand there.

A lever tells of any value whether it would do, without a run. So a large grammar can be gone through: a factor, a term,
or the whole as a product of two arrays. What fits is tried as any other change.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain

import numpy as np

from gradproof.differentiate.differentiate import Floats
from gradproof.mend.change import Change, parse, short
from gradproof.mend.combined import Written, alike, fractions, names_of, products, triples
from gradproof.mend.contractions import bracketed
from gradproof.mend.coupled import couplings, softmaxes
from gradproof.mend.forms import FACTORS, FORMS, WHOLE, Form
from gradproof.mend.levers import Lever
from gradproof.mend.likeness import arrays_in, cuts, sums
from gradproof.mend.slots import is_divisor
from gradproof.mend.weighted import weights
from gradproof.mend.wording import Formula, Make, difference, factor, made_of
from gradproof.source.syntax import is_sum

NICE: Mapping[float, str] = {
    1.0: "",
    2.0: "2 * ",
    0.5: "0.5 * ",
    3.0: "3 * ",
    4.0: "4 * ",
}  # numbers that stand before a term
NEARLY = 0.2  # two arrays whose ratio is nearer to 1 differ by an epsilon
SAME = 1e-5  # relative: a number that is told for a measured one


def counted(lever: Lever) -> Iterator[Change]:
    """A number that is missing before a value: of a term of a sum, it looks like another term, too."""
    yield from _multiplied(lever, ast.unparse(lever.slot.node))


def simple(lever: Lever) -> Iterator[Change]:
    """The changes that make the gradients right at the lever's example: a factor, the whole, or a term of one array."""
    own, names = ast.unparse(lever.slot.node), names_of(lever)
    below = is_divisor(lever.slot)
    yield from _multiplied(lever, own)
    yield from _fitting(lever, (factor(own, name, form, below=below) for name, form in _formed(names, FACTORS)))
    if not lever.is_result:
        whole = ((partial(form.of, n), made_of(n, form)) for n, form in _formed(names, WHOLE))
        yield from _fitting(lever, (_whole(lever, written, make) for written, make in whole))
    for name, form in _formed(names, FORMS):
        if np.ndim(lever.names[0][name]):
            yield from _added(lever, partial(form.of, name), _values(lever, made_of(name, form)))


def _multiplied(lever: Lever, own: str) -> Iterator[Change]:
    """The value times a number."""
    more = lever.times(_row(lever.values))
    number = None if more is None else 1 + more
    if number is not None and number > 0 and not np.isclose(number, 1.0):
        told = _number(lever, number)
        if told is not None:
            times = told.removesuffix(" * ")
            words = ("GP102", f"the number {times} is missing as a factor")
            yield _changed(lever, f"{bracketed(times)} * {bracketed(own)}", *words)


def _formed(names: Sequence[str], forms: Sequence[Form]) -> Iterator[tuple[str, Form]]:
    """Every name in every form; what is more than a name, as it is."""
    for name in names:
        plain = name.removeprefix("self.").isidentifier()
        yield from ((name, form) for form in (forms if plain else forms[:1]))


def compound(lever: Lever) -> Iterator[Change]:
    """The same with formulas of two arrays, and of sums of the value itself."""
    own, names = ast.unparse(lever.slot.node), names_of(lever)
    yield from _fitting(lever, map(_formula, weights(own, names, lever.names)))
    dims = {value.ndim for value in lever.values}
    if len(dims) == 1:
        ndim = dims.pop()
        yield from _fitting(lever, map(_formula, couplings(own, names, ndim)))
        if not lever.is_result:
            yield from _fitting(lever, map(_formula, softmaxes(alike(lever), ndim)))
    for written, make in chain(products(lever), fractions(lever)):
        made = _values(lever, make)
        yield from _added(lever, written, made)
        if made is not None and lever.fits(_row(lever.values) * (_row(made) - 1)):
            yield _changed(lever, *_times(lever, written(), made))
        if made is not None and not lever.is_result:
            yield from _fitting(lever, [_whole(lever, written, make)])
    for written, make in triples(lever):
        yield from _added(lever, written, _values(lever, make))


def _formula(each: tuple[str, Make, str, str]) -> Formula:
    text, make, *words = each
    return Formula(make, lambda: (text, words[0], words[1]))


def _values(lever: Lever, make: Make) -> list[Floats] | None:
    """What is made each time; None where it does not go into the value's shape, or is not finite."""
    made: list[Floats] = []
    for own, names in zip(lever.values, lever.names, strict=True):
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


def _fitting(lever: Lever, formulas: Iterable[Formula]) -> Iterator[Change]:
    """The formulas by which all is right, as changes."""
    for formula in formulas:
        made = _values(lever, formula.make)
        if made is not None and lever.fits(_row(made) - _row(lever.values)):
            yield _changed(lever, *formula.told())


def _times(lever: Lever, text: str, made: Sequence[Floats]) -> tuple[str, str, str]:
    """The value times what is made, in words."""
    code, likely = "GP117", f"the factor ({text}) is missing"
    if all((np.abs(value - 1) < NEARLY).all() for value in made):
        code, likely = "GP108", f"an epsilon is left out: it makes ({text}) nearly 1, and that factor is missing"
    return f"{bracketed(ast.unparse(lever.slot.node))} * {bracketed(text)}", code, likely


def _whole(lever: Lever, written: Written, make: Make) -> Formula:
    def fitted(value: Floats, names: Mapping[str, Floats]) -> Floats:
        made = make(value, names)
        return made if np.shape(made) == value.shape else np.full(1, np.nan)

    return Formula(fitted, lambda: (written(), *_instead(lever.slot.node, written())))


def _instead(mine: ast.expr, text: str) -> tuple[str, str]:
    """What a formula in an expression's place says of the slip."""
    whole, words = parse(text), f"{short(mine)} stands where {text} belongs"
    if ".T) / 2" in text:
        words = f"{short(mine)} is taken for symmetric: {text} belongs there"
    if cuts(mine) and not cuts(whole) and arrays_in(whole) == arrays_in(mine):
        return "GP114", f"only a part is taken: {words}"
    if sums(whole) and not sums(mine) and arrays_in(whole) <= arrays_in(mine):
        return "GP114", f"it is not summed: {words}"
    return difference(mine, whole) or ("GP117", words)


def _added(lever: Lever, written: Written, made: Sequence[Floats] | None) -> Iterator[Change]:
    """The term, times the number that makes it fit, where that is one that somebody would write."""
    number = None if made is None or _is_scaled(lever, _row(made)) else lever.times(_row(made))
    before = None if number is None else _number(lever, abs(number))
    if number is not None and before is not None:
        term = f"{'-' if number < 0 else '+'} {before}{bracketed(written()) if before else written()}"
        yield _changed(lever, f"{ast.unparse(lever.slot.node)} {term}", "GP113", f"a term is missing: {term}")


def _is_scaled(lever: Lever, term: Floats) -> bool:
    """Whether a term is but a number times the value itself, or times one of the two that it adds."""
    node = lever.slot.node
    texts = [ast.unparse(node.left), ast.unparse(node.right)] if is_sum(node) else []
    known = names_of(lever)
    added = [_row([names[text] for names in lever.names]) for text in texts if text in known]
    return any(_is_multiple(term, value) for value in (_row(lever.values), *added) if value.size == term.size)


def _is_multiple(one: Floats, other: Floats) -> bool:
    """Whether a term is but the value itself, times a number: then that number is what is missing."""
    size = float(np.linalg.norm(one) * np.linalg.norm(other))
    return size > 0 and abs(float(one @ other)) >= (1 - SAME) * size


def _number(lever: Lever, number: float) -> str | None:
    """A number as one would write it before a term: a small one, a size at hand or one over it; None for no such."""
    known = dict(NICE)
    for name in names_of(lever):
        sizes = {float(names[name]) if np.ndim(names[name]) == 0 else 0.0 for names in lever.names}
        size = abs(sizes.pop()) if len(sizes) == 1 else 0.0
        if size:
            known.setdefault(size, f"{name} * ")
            known.setdefault(1 / size, f"1 / {name} * ")
    return next((text for value, text in known.items() if abs(number - value) <= SAME * value), None)


def _changed(lever: Lever, text: str, code: str, likely: str) -> Change:
    node = parse(text)
    needs = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} & lever.unkept
    return Change((lever.slot,), (node,), code, likely, needs=tuple(sorted(needs)))
