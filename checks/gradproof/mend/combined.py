"""What two or three arrays at hand make together: products, sums of products, fractions; it fits nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations_with_replacement, permutations, product

import numpy as np

from gradproof.differentiate.differentiate import Floats
from gradproof.mend.contractions import bracketed, contractions, value, written
from gradproof.mend.forms import SIDES
from gradproof.mend.sensitivity import Sensitivity
from gradproof.mend.wording import Make, made_of

Written = Callable[[], str]  # the formula as source, which is needed only where it fits

TRIPLED = 8  # arrays of which each three are multiplied
PAIRED = 36  # arrays of which each two are multiplied


def names_of(sensitivity: Sensitivity) -> list[str]:
    """The expressions that have a value each time."""
    always = set(sensitivity.names[0]).intersection(*sensitivity.names)
    return [name for name in sensitivity.names[0] if name in always]


def products(sensitivity: Sensitivity) -> Iterator[tuple[Written, Make]]:
    """Every two arrays multiplied, and summed over an axis or not."""
    first, shape = sensitivity.names[0], sensitivity.values[0].shape
    names = [name for name in names_of(sensitivity) if np.ndim(first[name])][:PAIRED]
    for a, b in combinations_with_replacement(names, 2):
        if 1 in (*first[a].shape, *first[b].shape):  # an axis that was kept
            yield partial(_joined, a, "*", b), _product(a, b)
        for over, under in ((a, b), (b, a)):
            if under.removeprefix("self.").isidentifier() and _broadcasts(first[over], first[under], shape):
                yield partial(_joined, over, "/", under), _quotient(over, under)
        for subscripts in contractions(first[a], first[b], shape):
            yield partial(written, subscripts, a, b), _contraction(subscripts, a, b)


def triples(sensitivity: Sensitivity) -> Iterator[tuple[Written, Make]]:
    """An array of the value's shape times a product of two others, or of the square of one and another."""
    first, shape = sensitivity.names[0], sensitivity.values[0].shape
    plain = [n for n in names_of(sensitivity) if np.ndim(first[n]) and n.removeprefix("self.").isidentifier()][:TRIPLED]
    for a, b in product(plain, repeat=2):
        for power in (1, 2):
            if len(shape) == 2:
                yield from _with_rows(sensitivity, a, b, power)
            yield from _with_shapes(sensitivity, a, b, power)


def _with_rows(sensitivity: Sensitivity, a: str, b: str, power: int) -> Iterator[tuple[Written, Make]]:
    """An array times one number for each of its rows, made of two others."""
    first, shape = sensitivity.names[0], sensitivity.values[0].shape
    powered = _powered(a, power)
    for subscripts in contractions(first[a], first[b], shape[:1]):
        for c in alike(sensitivity)[:TRIPLED]:
            yield partial(_of_rows, subscripts, powered, b, c), _triple_of_rows(subscripts, a, b, c, power)


def _with_shapes(sensitivity: Sensitivity, a: str, b: str, power: int) -> Iterator[tuple[Written, Make]]:
    """An array times a product of two others that has its shape, or less than that and is broadcast."""
    first, shape = sensitivity.names[0], sensitivity.values[0].shape
    powered = _powered(a, power)
    for out in dict.fromkeys((shape, shape[1:], (*shape[:1], 1))):
        for subscripts in contractions(first[a], first[b], out):
            for c in alike(sensitivity)[:TRIPLED]:
                if "s" not in subscripts and power == 2:
                    yield partial(_over_square, subscripts, a, b, c), _triple(subscripts, a, b, c, -2)
                yield partial(_of_three, subscripts, powered, b, c), _triple(subscripts, a, b, c, power)


def _powered(name: str, power: int) -> str:
    return name if power == 1 else f"{name} ** {power}"


def _joined(one: str, sign: str, other: str) -> str:
    return f"{bracketed(one)} {sign} {bracketed(other)}"


def _of_three(subscripts: str, a: str, b: str, c: str) -> str:
    return f"{c} * ({written(subscripts, a, b)})"


def _of_rows(subscripts: str, a: str, b: str, c: str) -> str:
    return f"{c} * ({written(subscripts, a, b)})[:, None]"


def _triple_of_rows(subscripts: str, a: str, b: str, c: str, power: int) -> Make:
    return lambda _, names: names[c] * value(subscripts, names[a] ** power, names[b])[:, None]


def _over_square(subscripts: str, a: str, b: str, c: str) -> str:
    labels, out = subscripts.split("->")
    one, other = labels.split(",")
    whole, inverse = written(f"{other},{one}->{out}", b, f"1 / {a} ** 2"), f" * (1 / {a} ** 2)"
    return f"{c} * {whole.removesuffix(inverse)} / {a} ** 2" if whole.endswith(inverse) else f"{c} * ({whole})"


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


def fractions(sensitivity: Sensitivity) -> Iterator[tuple[Written, Make]]:
    """Products and fractions of two arrays of the value's own shape, or of 1 minus these."""
    sides = [(name, form) for name in alike(sensitivity) for form in SIDES]
    for one, other in permutations(sides, 2):
        for sign in "*/":
            text = partial(_joined, one[1].of(one[0]), sign, other[1].of(other[0]))
            yield text, _fraction(made_of(*one), made_of(*other), divides=sign == "/")


def alike(sensitivity: Sensitivity) -> list[str]:
    """The names of arrays of the value's own shape."""
    first, shape = sensitivity.names[0], sensitivity.values[0].shape
    return [n for n in names_of(sensitivity) if np.shape(first[n]) == shape and n.removeprefix("self.").isidentifier()]


def _fraction(one: Make, other: Make, *, divides: bool) -> Make:
    if divides:
        return lambda value, names: one(value, names) / other(value, names)
    return lambda value, names: one(value, names) * other(value, names)
