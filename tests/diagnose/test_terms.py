"""Causes that show in formulas and in zeros: each slip by its name, its near neighbours by none of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from asked import Backward, Forward, cause


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def gate(x: Any) -> Any:
    """A mask that the values alone do not tell: every second entry of a row."""
    return np.broadcast_to(np.arange(x.shape[1]) % 2 == 0, x.shape)


SLIPS: dict[str, tuple[Forward, Backward, str, str]] = {
    # id: (forward, the backward with a slip, the code, what the likely cause must contain)
    "derivative forgotten": (np.sinh, lambda d, x: d.copy(), "GP117", "is dout, unchanged"),
    "square of tanh's formula": (
        np.tanh,
        lambda d, x: d * (1 - np.tanh(x)),
        "GP117",
        "dx0 is dout * (1 - out), the true gradient is dout * (1 - out**2)",
    ),
    "a factor forgotten": (
        lambda x: x * np.exp(x) - np.exp(x),
        lambda d, x: d * np.exp(x),
        "GP117",
        "a factor of dx0 is missing: x0",
    ),
    "a branch forgotten": (lambda x: x + np.sin(x**2), lambda d, x: d * 2 * x * np.cos(x**2), "GP113", "with dout"),
    "a term of a loss forgotten": (
        lambda x: np.array(np.sum(np.sin(x) + 0.1 * x**2)),
        lambda d, x: d * np.cos(x),
        "GP113",
        "the one with x0",
    ),
    "mask missing under a slope": (
        lambda x: np.sinh(x) * gate(x),
        lambda d, x: d * np.cosh(x),
        "GP107",
        "a mask is missing",
    ),
    "the product rule": (
        lambda x: x * np.arctan(x),
        lambda d, x: d * np.arctan(x),
        "GP113",
        "the output is x0 times what depends on it too",
    ),
    "mask inverted": (
        lambda x: np.sinh(x) * gate(x),
        lambda d, x: d * np.cosh(x) * ~gate(x),
        "GP107",
        "the mask of dx0 is inverted",
    ),
}


@pytest.mark.parametrize(("forward", "backward", "code", "text"), SLIPS.values(), ids=SLIPS)
def test_a_slip_in_a_formula_is_named(forward: Forward, backward: Backward, code: str, text: str) -> None:
    found, likely = cause(forward, backward)
    assert (found, text in likely) == (code, True), likely


def test_a_formula_that_no_known_array_explains_gets_no_cause() -> None:
    assert cause(np.sinh, lambda d, x: d * (np.cosh(x) + 0.3 * np.sin(5 * x)))[0] == "GP101"


def test_a_factor_that_depends_on_nothing_has_no_product_rule() -> None:
    assert cause(lambda x: x * gate(x), lambda d, x: d * gate(x)) == ("", "")
    assert cause(lambda x: x * np.arctan(x), lambda d, x: d * (np.arctan(x) + x / (1 + x**2))) == ("", "")


def test_an_epsilon_that_forward_alone_has_is_a_small_discrepancy_where_values_are_ordinary() -> None:
    def forward(x: Any) -> Any:
        return np.array(np.log(sigmoid(x) + 1e-5).sum())

    def backward(d: Any, x: Any) -> Any:
        return d * (1 - sigmoid(x))

    code, likely = cause(forward, backward)
    assert code == "GP108"
    assert "epsilon" in likely


def test_a_discrepancy_that_ordinary_values_show_at_full_size_is_not_small() -> None:
    assert cause(np.sinh, lambda d, x: d * (np.cosh(x) + 0.2 * np.cos(3 * x)))[0] == "GP101"
