"""Correct layers that act entry by entry; it knows no checker."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from zoo_kind import Array, Kind, normal, sech2, sigmoid, softplus

SQRT_2_OVER_PI = 0.7978845608028654  # sqrt(2 / pi), of the tanh form of gelu (Hendrycks & Gimpel 2016)
CUBIC = 0.044715  # the cubic coefficient of the same formula
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805  # Klambauer et al. 2017
EXP_LIMIT = 300.0  # keeps exp(x) and its products far inside float64


def elementwise(
    name: str,
    f: Callable[[Array], Array],
    df: Callable[[Array], Array],
    domain: Callable[[Array], Array] | None = None,
    **flags: Any,
) -> Kind:
    """For y = f(x): dx = dout * df(x); ``domain`` maps the normal draws to where f is defined."""
    draw = normal("n d")

    def make(rng: np.random.Generator, scale: float) -> list[Array]:
        x = draw(rng, scale)[0]
        return [x if domain is None else domain(x)]

    return Kind(name, make, f, lambda dout, x: [dout * df(x)], **flags)


def within_exp(x: Array) -> Array:
    """Limit draws to where exp stays finite."""
    return np.clip(x, -EXP_LIMIT, EXP_LIMIT)


def naive_sigmoid(x: Array) -> Array:
    """The textbook's form: right, but exp(-x) overflows for x below -709."""
    return 1 / (1 + np.exp(-x))


def gelu(x: Array) -> Array:
    """The tanh form as everybody writes it: its left tail cancels to the last bits."""
    return 0.5 * x * (1 + np.tanh(SQRT_2_OVER_PI * (x + CUBIC * x * x * x)))


def gelu_slope(x: Array) -> Array:
    """With z = c (x + k x^3):  (1 + tanh z) / 2 + x / 2 sech^2(z) c (1 + 3 k x^2)."""
    t = np.tanh(SQRT_2_OVER_PI * (x + CUBIC * x * x * x))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * SQRT_2_OVER_PI * (1 + 3 * CUBIC * x * x)


def erf(x: Array) -> Array:
    """The error function: libm's in float64, its positive series in longdouble (Abramowitz & Stegun 7.1.6)."""
    if x.dtype != np.longdouble:
        return np.array([math.erf(v) for v in x.flat], dtype=x.dtype).reshape(x.shape)
    z = np.clip(x, -6.5, 6.5)  # beyond it erf is 1 to within longdouble's last bit
    term = total = z
    for k in range(1, 200):  # terms shrink from k = 6.5^2 on; at 200 they are below 1e-40
        term = term * (2 * z * z) / (2 * k + 1)
        total = total + term
    return 2 / np.sqrt(np.arccos(x.dtype.type(-1))) * np.exp(-z * z) * total


def normal_cdf(x: Array) -> Array:
    """The area of the standard normal left of x."""
    return 0.5 * (1 + erf(x * x.dtype.type(0.5) ** 0.5))


def gelu_erf_slope(x: Array) -> Array:
    """Area plus x times the density."""
    return normal_cdf(x) + x * np.exp(-x * x / 2) / np.sqrt(2 * np.arccos(x.dtype.type(-1)))


def mish_slope(x: Array) -> Array:
    """With s = softplus(x):  tanh s + x sech^2(s) sigmoid(x)."""
    s = softplus(x)
    return np.tanh(s) + x * sech2(s) * sigmoid(x)


def elu(x: Array, alpha: float = 1.0) -> Array:
    """The identity for positive x, alpha (exp(x) - 1) elsewhere."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def elu_slope(x: Array, alpha: float = 1.0) -> Array:
    """The slope of elu."""
    return np.where(x > 0, np.ones_like(x), alpha * np.exp(np.minimum(x, 0)))


def hardswish_slope(x: Array) -> Array:
    """0 left of -3, (2 x + 3) / 6 up to 3, 1 beyond."""
    return np.where(x <= -3, 0 * x, np.where(x >= 3, np.ones_like(x), (2 * x + 3) / 6))


ELEMENTWISE = (
    elementwise("sigmoid", sigmoid, lambda x: sigmoid(x) * sigmoid(-x)),
    elementwise("sigmoid_naive", naive_sigmoid, lambda x: naive_sigmoid(x) * (1 - naive_sigmoid(x)), within_exp),
    elementwise("tanh", np.tanh, sech2),
    elementwise("softplus", softplus, sigmoid),
    elementwise("gelu_tanh", gelu, gelu_slope),
    elementwise("exp", np.exp, np.exp, within_exp),
    elementwise("log_plus_1e-7", lambda x: np.log(x + 1e-7), lambda x: 1 / (x + 1e-7), np.abs),
    elementwise("sqrt", np.sqrt, lambda x: 0.5 / np.sqrt(x), np.abs),
    elementwise("reciprocal", lambda x: 1 / (x + 1e-3), lambda x: -1 / (x + 1e-3) ** 2, np.abs),
    elementwise("square", lambda x: x * x, lambda x: 2 * x),
    elementwise("relu", lambda x: np.maximum(x, 0), lambda x: (x > 0).astype(x.dtype), kinked=True),
    elementwise("abs", np.abs, np.sign, kinked=True),
    elementwise(
        "leaky_relu",
        lambda x: np.where(x > 0, x, 0.01 * x),
        lambda x: np.where(x > 0, np.ones_like(x), np.full_like(x, 0.01)),
        kinked=True,
    ),
    elementwise("clip", lambda x: np.clip(x, -1, 1), lambda x: (np.abs(x) < 1).astype(x.dtype), kinked=True),
    elementwise("swish", lambda x: x * sigmoid(x), lambda x: sigmoid(x) * (1 + x * sigmoid(-x)), held_out=True),
    elementwise("mish", lambda x: x * np.tanh(softplus(x)), mish_slope, held_out=True),
    elementwise("hardswish", lambda x: x * np.clip(x + 3, 0, 6) / 6, hardswish_slope, kinked=True, held_out=True),
    elementwise("gelu_erf", lambda x: x * normal_cdf(x), gelu_erf_slope, held_out=True),
    elementwise("elu", elu, elu_slope, held_out=True),
    elementwise(
        "selu",
        lambda x: SELU_SCALE * elu(x, SELU_ALPHA),
        lambda x: SELU_SCALE * elu_slope(x, SELU_ALPHA),
        kinked=True,
        held_out=True,
    ),
    elementwise("softsign", lambda x: x / (1 + np.abs(x)), lambda x: 1 / (1 + np.abs(x)) ** 2, held_out=True),
)
