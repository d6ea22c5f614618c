"""Common elementwise functions with their derivatives, to compare a layer with; it knows no evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Curve = Callable[[Floats], Floats]

LEAK = 0.01  # the usual slope of a leaky ReLU
GELU_CUBIC, GELU_SCALE = 0.044715, float(np.sqrt(2 / np.pi))  # Hendrycks & Gimpel 2016, the tanh form


@dataclass(frozen=True)
class Function:
    """y = ``value(x)`` with dy/dx = ``slope(x)``; where that is also a formula of y, ``of_output(y)``.

    ``formula`` writes ``of_output`` with {0} for its argument; y lies between ``least`` and ``most``. ``telling`` is
    False for one whose slope is also a part of many other slopes (swish without its product rule has that of softplus):
    there, whose it is explains nothing.
    """

    name: str
    value: Curve
    slope: Curve
    of_output: Curve | None = None
    formula: str = ""
    least: float = -np.inf
    most: float = np.inf
    telling: bool = True


def sigmoid(x: Floats) -> Floats:
    """Return 1 / (1 + exp(-x))."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)), dtype=np.float64)  # does not overflow


def _gelu_gate(x: Floats) -> Floats:
    return np.asarray(np.tanh(GELU_SCALE * (x + GELU_CUBIC * x**3)), dtype=np.float64)


def _gelu_slope(x: Floats) -> Floats:
    gate = _gelu_gate(x)
    return 0.5 * (1 + gate) + 0.5 * x * (1 - gate**2) * GELU_SCALE * (1 + 3 * GELU_CUBIC * x**2)


def _swish_slope(x: Floats) -> Floats:
    gate = sigmoid(x)
    return gate + x * gate * (1 - gate)


@dataclass(frozen=True)
class Slip:
    """What a common function becomes by a slip: ``text`` is how it is written then, ``value`` what that computes."""

    of: str
    text: str
    value: Curve


def _elu_slope(x: Floats) -> Floats:
    return np.where(x > 0, 1.0, np.exp(np.minimum(x, 0.0)))


FUNCTIONS = (
    Function("the ReLU", lambda x: np.maximum(x, 0.0), lambda x: (x > 0).astype(np.float64)),
    Function("the leaky ReLU", lambda x: np.where(x > 0, x, LEAK * x), lambda x: np.where(x > 0, 1.0, LEAK)),
    Function(
        "the sigmoid", sigmoid, lambda x: sigmoid(x) * sigmoid(-x), lambda y: y * (1 - y), "{0} * (1 - {0})", 0.0, 1.0
    ),
    Function("tanh", np.tanh, lambda x: 1 - np.tanh(x) ** 2, lambda y: 1 - y**2, "1 - {0}**2", -1.0, 1.0),
    Function("exp", np.exp, np.exp, lambda y: y, "{0}", telling=False),
    Function(
        "softplus", lambda x: np.logaddexp(0.0, x), sigmoid, lambda y: 1 - np.exp(-y), "1 - exp(-{0})", telling=False
    ),
    Function("the square", np.square, lambda x: 2 * x, telling=False),
    Function("sqrt", np.sqrt, lambda x: 0.5 / np.sqrt(x), lambda y: 0.5 / y, "1 / (2 * {0})"),
    Function("log", np.log, lambda x: 1 / x),
    Function("sin", np.sin, np.cos),
    Function("cos", np.cos, lambda x: -np.sin(x)),
    Function("swish", lambda x: x * sigmoid(x), _swish_slope),
    Function("GELU", lambda x: 0.5 * x * (1 + _gelu_gate(x)), _gelu_slope),
    Function("the ELU", lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0.0))), _elu_slope),
    Function("arctan", np.arctan, lambda x: 1 / (1 + x**2), telling=False),
    Function("softsign", lambda x: x / (1 + np.abs(x)), lambda x: 1 / (1 + np.abs(x)) ** 2),
    Function("1 / x", lambda x: 1 / x, lambda x: -1 / x**2, telling=False),
    Function("the cube", lambda x: x**3, lambda x: 3 * x**2, telling=False),
)

# brackets lost, a sign lost, an operator mistaken
SLIPS = (
    Slip("the sigmoid", "1 / 1 + exp(-x), which is 1 + exp(-x)", lambda x: 1 + np.exp(-x)),
    Slip("the sigmoid", "1 / (1 + exp(x)): the minus is lost", lambda x: sigmoid(-x)),
    Slip("the sigmoid", "1 / (1 - exp(-x))", lambda x: 1 / (1 - np.exp(-x))),
    Slip("tanh", "sinh(x)", np.sinh),
    Slip(
        "tanh",
        "exp(x) - exp(-x) / exp(x) + exp(-x), without brackets",
        lambda x: np.exp(x) - np.exp(-2 * x) + np.exp(-x),
    ),
    Slip(
        "tanh",
        "exp(x) - exp(-x) / (exp(x) + exp(-x)), with brackets below alone",
        lambda x: np.exp(x) - np.exp(-x) / (np.exp(x) + np.exp(-x)),
    ),
    Slip(
        "tanh",
        "(exp(x) - exp(-x)) / exp(x) + exp(-x), with brackets above alone",
        lambda x: 1 - np.exp(-2 * x) + np.exp(-x),
    ),
    Slip("the sigmoid", "exp(x) / 1 + exp(x), which is 2 * exp(x)", lambda x: 2 * np.exp(x)),
    Slip("softsign", "x / 1 + |x|, which is x + |x|", lambda x: x + np.abs(x)),
    Slip("softplus", "log(1) + exp(x), which is exp(x)", np.exp),
    Slip("softplus", "log(1 + exp(-x)): the sign is lost", lambda x: np.logaddexp(0.0, -x)),
    Slip("sqrt", "x**1 / 2, which is x / 2", lambda x: x / 2),
    Slip("the square", "2 * x", lambda x: 2 * x),
    Slip("the square", "-(x**2)", lambda x: -(x**2)),
    Slip("the cube", "3 * x", lambda x: 3 * x),
    Slip("exp", "2**x", np.exp2),
    Slip("swish", "x / 1 + exp(-x), which is x + exp(-x)", lambda x: x + np.exp(-x)),
    Slip("GELU", "GELU without the cubic term", lambda x: 0.5 * x * (1 + np.tanh(GELU_SCALE * x))),
    Slip("the ReLU", "min(x, 0)", lambda x: np.minimum(x, 0.0)),
    Slip("the ReLU", "|x|", np.abs),
)
