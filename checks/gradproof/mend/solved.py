"""What an expression would have to be for the gradients to be right, as a formula of the arrays at hand there.

A lever tells of any value whether it would do, without a run. So a large grammar can be gone through: a factor, a term,
or the whole as a product of two arrays. What fits is tried as any other change.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations_with_replacement, permutations, product

import numpy as np

from gradproof.differentiate.differentiate import Floats
from gradproof.mend.change import Change, parse, short
from gradproof.mend.contractions import bracketed, contractions, value, written
from gradproof.mend.coupled import couplings, softmaxes
from gradproof.mend.forms import FACTORS, FORMS, SIDES, WHOLE, Form
from gradproof.mend.levers import Lever
from gradproof.mend.likeness import arrays_in, cuts, sums
from gradproof.mend.slots import is_divisor
from gradproof.mend.weighted import weights
from gradproof.mend.wording import Formula, Make, factor, made_of

TRIPLED = 8  # arrays of which each three are multiplied
PAIRED = 36  # arrays of which each two are multiplied
NICE: Mapping[float, str] = {
    1.0: "",
    2.0: "2 * ",
    0.5: "0.5 * ",
    3.0: "3 * ",
    4.0: "4 * ",
}  # numbers that stand before a term
NEARLY = 0.2  # two arrays whose ratio is nearer to 1 differ by an epsilon
SAME = 1e-5  # relative: a number that is told for a measured one


def simple(lever: Lever) -> Iterator[Change]:
    """The changes that make the gradients right at the lever's example: a factor, the whole, or a term of one array."""
    own, names = ast.unparse(lever.slot.node), _names(lever)
    below = is_divisor(lever.slot)
    yield from _multiplied(lever, own)
    yield from _fitting(lever, (factor(own, name, form, below=below) for name, form in _formed(names, FACTORS)))
    if not lever.is_result:
        yield from _fitting(lever, (_whole(lever, form.of(n), made_of(n, form)) for n, form in _formed(names, WHOLE)))
    for name, form in _formed(names, FORMS):
        if np.ndim(lever.names[0][name]):
            yield from _added(lever, form.of(name), made_of(name, form))


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
    own, names = ast.unparse(lever.slot.node), _names(lever)
    yield from _fitting(lever, (Formula(*each) for each in weights(own, names, lever.names)))
    dims = {value.ndim for value in lever.values}
    if len(dims) == 1:
        ndim = dims.pop()
        yield from _fitting(lever, (Formula(*each) for each in couplings(own, names, ndim)))
        if not lever.is_result:
            yield from _fitting(lever, (Formula(*each) for each in softmaxes(_alike(lever), ndim)))
    for text, make in (*_products(lever), *_fractions(lever)):
        yield from _added(lever, text, make)
        yield from _fitting(lever, [_times(lever, text, make)])
        if not lever.is_result:
            yield from _fitting(lever, [_whole(lever, text, make)])
    for text, make in _triples(lever):
        yield from _added(lever, text, make)


def _names(lever: Lever) -> list[str]:
    """The expressions that have a value each time."""
    return [name for name in lever.names[0] if all(name in names for names in lever.names)]


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


def _fitting(lever: Lever, formulas: Iterator[Formula] | Sequence[Formula]) -> Iterator[Change]:
    """The formulas by which all is right, as changes."""
    for formula in formulas:
        made = _values(lever, formula.make)
        if made is not None and lever.fits(_row(made) - _row(lever.values)):
            yield _changed(lever, formula.text, formula.code, formula.likely)


def _times(lever: Lever, text: str, make: Make) -> Formula:
    own, values = ast.unparse(lever.slot.node), _values(lever, make)
    words = "GP117", f"the factor ({text}) is missing"
    if values is not None and all((np.abs(value - 1) < NEARLY).all() for value in values):
        words = "GP108", f"an epsilon is left out: it makes ({text}) nearly 1, and that factor is missing"
    whole = f"{bracketed(own)} * {bracketed(text)}"
    return Formula(whole, lambda value, names: value * make(value, names), *words)


def _whole(lever: Lever, text: str, make: Make) -> Formula:
    mine = lever.slot.node

    def alike(value: Floats, names: Mapping[str, Floats]) -> Floats:
        made = make(value, names)
        return made if np.shape(made) == value.shape else np.full(1, np.nan)

    words = f"{short(mine)} stands where {text} belongs"
    if cuts(mine) and not cuts(parse(text)) and arrays_in(parse(text)) == arrays_in(mine):
        return Formula(text, alike, "GP114", f"only a part is taken: {words}")
    if sums(parse(text)) and not sums(mine) and arrays_in(parse(text)) <= arrays_in(mine):
        return Formula(text, alike, "GP114", f"it is not summed: {words}")
    return Formula(text, alike, "GP117", words)


def _added(lever: Lever, text: str, make: Make) -> Iterator[Change]:
    """The term, times the number that makes it fit, where that is one that somebody would write."""
    made = _values(lever, make)
    number = None if made is None or _is_multiple(_row(made), _row(lever.values)) else lever.times(_row(made))
    before = None if number is None else _number(lever, abs(number))
    if number is not None and before is not None:
        term = f"{'-' if number < 0 else '+'} {before}{bracketed(text) if before else text}"
        yield _changed(lever, f"{ast.unparse(lever.slot.node)} {term}", "GP113", f"a term is missing: {term}")


def _is_multiple(one: Floats, other: Floats) -> bool:
    """Whether a term is but the value itself, times a number: then that number is what is missing."""
    return bool(abs(float(one @ other)) >= (1 - SAME) * float(np.linalg.norm(one) * np.linalg.norm(other)))


def _number(lever: Lever, number: float) -> str | None:
    """A number as one would write it before a term: a small one, a size at hand or one over it; None for no such."""
    known = dict(NICE)
    for name in _names(lever):
        sizes = {float(names[name]) if np.ndim(names[name]) == 0 else 0.0 for names in lever.names}
        size = abs(sizes.pop()) if len(sizes) == 1 else 0.0
        if size:
            known.setdefault(size, f"{name} * ")
            known.setdefault(1 / size, f"1 / {name} * ")
    return next((text for value, text in known.items() if abs(number - value) <= SAME * value), None)


def _products(lever: Lever) -> Iterator[tuple[str, Make]]:
    """Every two arrays multiplied, and summed over an axis or not."""
    first, shape = lever.names[0], lever.values[0].shape
    names = [name for name in _names(lever) if np.ndim(first[name])][:PAIRED]
    for a, b in combinations_with_replacement(names, 2):
        if 1 in (*first[a].shape, *first[b].shape):  # an axis that was kept
            yield f"{bracketed(a)} * {bracketed(b)}", _product(a, b)
        for over, under in ((a, b), (b, a)):
            if under.removeprefix("self.").isidentifier() and _broadcasts(first[over], first[under], shape):
                yield f"{bracketed(over)} / {under}", _quotient(over, under)
        for subscripts in contractions(first[a], first[b], shape):
            yield written(subscripts, a, b), _contraction(subscripts, a, b)


def _triples(lever: Lever) -> Iterator[tuple[str, Make]]:
    """An array of the value's shape times a product of two others, or of the square of one and another."""
    first, shape = lever.names[0], lever.values[0].shape
    plain = [n for n in _names(lever) if np.ndim(first[n]) and n.removeprefix("self.").isidentifier()][:TRIPLED]
    for a, b in product(plain, repeat=2):
        for power in (1, 2):
            told = a if power == 1 else f"{a} ** 2"
            for out in dict.fromkeys((shape, shape[1:], (*shape[:1], 1))):
                for subscripts in contractions(first[a], first[b], out):
                    for c in _alike(lever)[:TRIPLED]:
                        yield f"{c} * ({written(subscripts, told, b)})", _triple(subscripts, a, b, c, power)


def _triple(subscripts: str, a: str, b: str, c: str, power: int) -> Make:
    return lambda _, names: names[c] * value(subscripts, names[a] ** power, names[b])


def _product(a: str, b: str) -> Make:
    return lambda _, names: names[a] * names[b]


def _quotient(a: str, b: str) -> Make:
    return lambda _, names: names[a] / names[b]


def _broadcasts(one: Floats, other: Floats, shape: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(one.shape, other.shape) == shape
    except ValueError:
        return False


def _contraction(subscripts: str, a: str, b: str) -> Make:
    return lambda _, names: value(subscripts, names[a], names[b])


def _fractions(lever: Lever) -> Iterator[tuple[str, Make]]:
    """Products and fractions of two arrays of the value's own shape, or of 1 minus these."""
    sides = [(name, form) for name in _alike(lever) for form in SIDES]
    for one, other in permutations(sides, 2):
        for sign in "*/":
            text = f"{bracketed(one[1].of(one[0]))} {sign} {bracketed(other[1].of(other[0]))}"
            yield text, _fraction(made_of(*one), made_of(*other), divides=sign == "/")


def _alike(lever: Lever) -> list[str]:
    """The names of arrays of the value's own shape."""
    first, shape = lever.names[0], lever.values[0].shape
    return [n for n in _names(lever) if np.shape(first[n]) == shape and n.removeprefix("self.").isidentifier()]


def _fraction(one: Make, other: Make, *, divides: bool) -> Make:
    if divides:
        return lambda value, names: one(value, names) / other(value, names)
    return lambda value, names: one(value, names) * other(value, names)


def _changed(lever: Lever, text: str, code: str, likely: str) -> Change:
    node = parse(text)
    needs = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} & lever.unkept
    return Change((lever.slot,), (node,), code, likely, needs=tuple(sorted(needs)))
