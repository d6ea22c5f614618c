"""Factors that count for some entries alone: a weight of the positive examples, of the entries within; no gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product

import numpy as np

from gradproof.differentiate.differentiate import Floats
from gradproof.mend.contractions import bracketed
from gradproof.mend.coupled import Formula
from gradproof.mend.slip import SlipKind

_REGION = "one region of values wrong"
SIGN_WHERE = SlipKind("GP103", "slip-sign-where", "the sign is wrong where {mask} is {value}", ("sign", _REGION))
FACTOR_MISSING_WHERE = SlipKind(
    "GP117",
    "slip-factor-missing-where",
    "the factor {factor} is missing where {mask} is {value}",
    ("a factor left out", _REGION),
)
FACTOR_TOO_MANY_WHERE = SlipKind(
    "GP117",
    "slip-factor-too-many-where",
    "the factor {factor} is one too many where {mask} is {value}",
    ("a factor too many", _REGION),
)

MOST = 8  # masks, and weights, that are put together


def weights(own: str, names: Sequence[str], seen: Sequence[Mapping[str, Floats]]) -> Iterator[Formula]:
    """The value times, or over, a number at hand wherever a mask at hand is 1, and wherever it is 0.

    seen: what the names stand for, each time that backward comes by.
    """
    masks = _names_of(_is_mask, names, seen)
    numbers = _names_of(_is_number, names, seen)
    for mask, within in product(masks, (True, False)):
        yield _negated(own, mask, within=within)
    for mask, number, within, divides in product(masks, numbers, (True, False), (False, True)):
        yield _weighted(own, mask, number, within=within, divides=divides)


def _names_of(
    is_such: Callable[[Floats], bool], names: Sequence[str], seen: Sequence[Mapping[str, Floats]]
) -> list[str]:
    """The first names that stand for such an array each time."""

    def is_always(name: str) -> bool:
        return all(is_such(each[name]) for each in seen)

    return list(filter(is_always, names))[:MOST]


def _negated(own: str, mask: str, *, within: bool) -> Formula:
    text = f"np.where({mask}, {'-1, 1' if within else '1, -1'})"
    slip = SIGN_WHERE(mask=mask, value="1" if within else "0")

    def make(value: Floats, names: Mapping[str, Floats]) -> Floats:
        made: Floats = value * np.where(names[mask] == (1 if within else 0), -1.0, 1.0)
        return made

    return f"{bracketed(own)} * {text}", make, slip


def _is_mask(value: Floats) -> bool:
    return value.ndim > 0 and bool(((value == 0) | (value == 1)).all())


def _is_number(value: Floats) -> bool:
    return value.ndim == 0 and float(value) not in (0.0, 1.0)


def _weighted(own: str, mask: str, number: str, *, within: bool, divides: bool) -> Formula:
    factor = f"1 / {number}" if divides else number
    text = f"np.where({mask}, {factor}, 1)" if within else f"np.where({mask}, 1, {factor})"
    kind = FACTOR_TOO_MANY_WHERE if divides else FACTOR_MISSING_WHERE
    slip = kind(factor=number, mask=mask, value="1" if within else "0")

    def make(value: Floats, names: Mapping[str, Floats]) -> Floats:
        weight = 1 / names[number] if divides else names[number]
        chosen = names[mask] == (1 if within else 0)
        made: Floats = value * np.where(chosen, weight, 1.0)
        return made

    return f"{bracketed(own)} * {text}", make, slip
