"""Values for the parameters that a layer makes itself, within the domain that its author's own values suggest.

An optimizer moves every parameter, so a right layer is right at other values of the same kind. It calls no layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from gradproof.case.shapes import parse
from gradproof.case.specs import Floats
from gradproof.generate import arrays
from gradproof.generate.arrays import Array, Rng, Style
from gradproof.values import Made

LEAST, MOST = 0.25, 3.0  # of the size of the author's own values, where all have one sign: an exponent, a temperature
NEAR = 0.1  # of a value, or of 1 where it is 0: how far a value goes that stays near the author's own
_ANY = parse("*any")


def drawn(own: Mapping[str, Made], style: Style, rng: Rng) -> dict[str, Made]:
    """Values of the size of an initialisation, each within the domain that the author's own ones suggest."""
    return {name: _drawn(one, style, rng) for name, one in own.items()}


def near(own: Mapping[str, Made], rng: Rng, sign: int = 0) -> dict[str, Made]:
    """Values close to the author's own; all larger where ``sign`` is 1, all smaller where it is -1."""
    return {name: _near(one, rng, sign) for name, one in own.items()}


def fitted(values: Mapping[str, Made], own: Mapping[str, Made]) -> dict[str, Made]:
    """The values cut or repeated to the shapes that the parameters have now."""
    common = [name for name in values if name in own]
    return {name: replace(own[name], value=_cut(values[name].value, own[name].value)) for name in common}


def allows(made: Made, value: Array) -> bool:
    """Whether a value lies within the domain of a parameter."""
    return arrays.allows(Floats(_ANY, made.low, made.high), value)


def with_domain(made: Made) -> Made:
    """The parameter with the domain that its author's own values suggest: what is positive stays so, and below 1."""
    value = made.value
    if value.size and bool(np.all(value > 0)):
        return replace(made, low=0.0, high=1.0 if bool(np.all(value < 1)) else None)
    if value.size and bool(np.all(value < 0)):
        return replace(made, high=0.0)
    return made


def _drawn(made: Made, style: Style, rng: Rng) -> Made:
    own, shape = made.value, made.value.shape
    if not own.size:
        return made
    values = arrays.draw(Floats(_ANY, made.low, made.high), shape, style, rng)
    if made.high == 1.0:
        return replace(made, value=np.asarray(values))
    size = float(np.sqrt(np.mean(own**2)))
    if made.low is None and made.high is None:
        # many inputs of one sum would saturate what comes after it
        inputs = own.size / min(own.shape) if own.ndim > 1 else 1.0
        return replace(made, value=np.asarray(values * max(size, 1 / np.sqrt(inputs))))
    values = np.sign(values) * np.clip(np.abs(values), LEAST, MOST) * max(size, 1.0)
    return replace(made, value=np.asarray(values))


def _near(made: Made, rng: Rng, sign: int) -> Made:
    value = made.value
    away = rng.uniform(0.5, 1.0, value.shape) * (sign or rng.choice([-1.0, 1.0], value.shape))
    return replace(made, value=np.asarray(value + NEAR * away * np.where(value == 0, 1.0, np.abs(value))))


def _cut(value: Array, own: Array) -> Array:
    if value.shape == own.shape:
        return value
    if value.ndim != own.ndim or not value.size:
        return own
    for axis, size in enumerate(own.shape):
        value = np.take(value, np.arange(size) % value.shape[axis], axis=axis)
    return np.ascontiguousarray(value)
