"""Whose derivative backward is: each bug by its name, and its near neighbours by none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradproof import Case, GradientFault, check
from gradproof.diagnose.functions import FUNCTIONS, Function, sigmoid
from gradproof.report.lines import lines
from gradproof.values import Dependence, Outcome, Role
from outcomes import SHAPES, example, named, tensor

Curve = Callable[[Any], Any]
Slope = Callable[[Any, Any], Any]


def logistic(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def derivative(function: Curve, x: Any) -> Any:
    """By the complex step, which rounds no differences."""
    return function(x + 1e-30j).imag / 1e-30


def failing(forward: Curve, slope: Slope, *, elementwise: bool = True, scale: float = 2.0) -> list[Outcome]:
    """The outcomes of y = forward(x), dx = dout * slope(x, y)."""
    rng = np.random.default_rng(11)
    outcomes: list[Outcome] = []
    for n, d, h in SHAPES:
        x, dout = scale * rng.standard_normal((n, d)), rng.standard_normal((n, d))
        out = forward(x)
        result = tensor("x", dout * slope(x, out), dout * derivative(forward, x), Role.INPUT)
        dependence = Dependence(out.ravel(), dout.ravel(), elementwise)
        outcomes.append(Outcome(example(n, d, h, x=x), (result,), dependence=dependence))
    return outcomes


WRONG: dict[str, tuple[Curve, Slope, str, str]] = {
    # id: (forward, the slope in backward, the code, what the likely cause must contain)
    "a lost parenthesis": (
        lambda x: 1 / 1 + np.exp(-x),
        lambda x, y: y * (1 - y),
        "GP110",
        "the sigmoid's formula out *",
    ),
    "sinh for tanh": (np.sinh, lambda x, y: 1 - y**2, "GP110", "your forward is not tanh: at x = "),
    "twice the sigmoid": (lambda x: 2 * logistic(x), lambda x, y: y * (1 - y), "GP110", "forward is not the sigmoid"),
    "tanh's slope": (
        logistic,
        lambda x, y: 1 - np.tanh(x) ** 2,
        "GP110",
        "tanh's derivative, but your forward is the sig",
    ),
    "tanh's formula": (logistic, lambda x, y: 1 - y**2, "GP110", "formula 1 - out**2, but your forward is the sigmoid"),
    "cos for sin": (np.sin, lambda x, y: -np.sin(x), "GP110", "cos's derivative, but your forward is sin"),
    "sigmoid of x": (logistic, lambda x, y: x * (1 - x), "GP112", "out * (1 - out) with x in the place of the output"),
    "tanh of x": (np.tanh, lambda x, y: 1 - x**2, "GP112", "tanh's formula 1 - out**2 with x"),
    "exp of x": (np.exp, lambda x, y: x, "GP112", "exp's formula out with x"),
    "sigmoid twice": (
        logistic,
        lambda x, y: sigmoid(y) * sigmoid(-y),
        "GP112",
        "the sigmoid's derivative at the output",
    ),
    "square of out": (np.square, lambda x, y: 2 * y, "GP112", "the square's derivative at the output"),
}

NEIGHBOURS: dict[str, tuple[Curve, Slope]] = {
    "a sum with one slope missing": (lambda x: x + np.tanh(x), lambda x, y: 1 - np.tanh(x) ** 2),
    "the inner derivative missing": (lambda x: logistic(x * x), lambda x, y: y * (1 - y)),
    "the outer derivative missing": (lambda x: logistic(x) ** 2, lambda x, y: sigmoid(x) * sigmoid(-x)),
    "the product rule missing": (lambda x: x * logistic(x), lambda x, y: sigmoid(x)),
    "a factor of the formula missing": (logistic, lambda x, y: y),
    "the other factor missing": (logistic, lambda x, y: 1 - y),
    "a square missing": (np.tanh, lambda x, y: 1 - y),
    "almost the formula": (lambda x: 1 + np.exp(-x), lambda x, y: y * (1 - y) * (1 + 1e-6 * x)),
    "almost the exchanged formula": (np.tanh, lambda x, y: 1 - x**2 + 1e-7 * x),
    "almost the forward": (lambda x: np.tanh(x) + 1e-6 * x * x, lambda x, y: 1 - x**2),
}


@pytest.mark.parametrize(("forward", "slope", "code", "text"), WRONG.values(), ids=WRONG)
def test_the_function_that_backward_belongs_to_is_named(forward: Curve, slope: Slope, code: str, text: str) -> None:
    found, lines = named(failing(forward, slope), "x")
    assert found == code
    assert text in lines["likely cause"]


@pytest.mark.parametrize(("forward", "slope"), NEIGHBOURS.values(), ids=NEIGHBOURS)
def test_a_neighbour_of_a_wrong_side_is_not_called_one(forward: Curve, slope: Slope) -> None:
    assert named(failing(forward, slope), "x")[0] not in ("GP110", "GP112")


def test_one_entry_that_does_not_fit_refutes_the_formula() -> None:
    outcomes = failing(lambda x: 1 + np.exp(-x), lambda x, y: y * (1 - y))
    outcomes[-1].tensors[0].analytic.flat[2] += 1e-6
    assert named(outcomes, "x")[0] == "GP101"


def test_a_layer_that_mixes_its_entries_has_no_common_function() -> None:
    outcomes = failing(lambda x: 1 + np.exp(-x), lambda x, y: y * (1 - y), elementwise=False)
    assert named(outcomes, "x")[0] not in ("GP110", "GP112")


def test_two_values_of_x_are_too_few_to_name_a_function() -> None:
    outcomes = failing(lambda x: 1 + np.exp(-x), lambda x, y: y * (1 - y))
    assert named(outcomes[:1], "x")[0] == "GP101"
    assert named(outcomes[:2], "x")[0] == "GP110"


def test_an_answer_from_beside_a_kink_supports_no_function() -> None:
    outcomes = failing(lambda x: 1 + np.exp(-x), lambda x, y: y * (1 - y))
    kinked = [replace(o, tensors=(replace(o.tensors[0], kinks=1),)) for o in outcomes]
    assert named(kinked, "x")[0] == "GP101"


def test_the_contrast_is_that_of_the_smallest_example() -> None:
    outcomes = failing(lambda x: 1 + np.exp(-x), lambda x, y: y * (1 - y))
    x = outcomes[0].example.inputs["x"].flat[0]
    _, lines = named(outcomes, "x")
    assert f"at x = {x:.6g} it gives {1 + np.exp(-x):.6g}, the sigmoid {logistic(x):.6g}" in lines["likely cause"]


class SigmoidWithoutParenthesis:
    def forward(self, x):
        self.out = 1 / 1 + np.exp(-x)
        return self.out

    def backward(self, dout):
        return dout * (1 - self.out) * self.out


def test_the_lost_parenthesis_is_named_from_end_to_end() -> None:
    with pytest.raises(GradientFault) as caught:
        check(Case(SigmoidWithoutParenthesis, x="n d"))
    (finding,) = caught.value.report.findings
    assert (finding.code, finding.name) == ("GP110", "wrong-side")
    assert dict(lines(finding))["likely cause"] == (
        "your backward uses the sigmoid's formula out * (1 - out), but your forward is not the sigmoid: "
        "at x = 1 it gives 1.36788, the sigmoid 0.731059"
    )


X = np.array([0.07, 0.4, 1.3, 2.2, 5.1])


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_a_slope_in_the_table_is_the_derivative_of_its_function(function: Function) -> None:
    signed = X if function.name in ("log", "sqrt") else np.concatenate([-X, X])
    step = 1e-6
    central = (function.value(signed + step) - function.value(signed - step)) / (2 * step)
    assert function.slope(signed) == pytest.approx(central, abs=1e-8, rel=1e-8)
    if function.of_output is not None:
        value = function.value(signed)
        assert function.of_output(value) == pytest.approx(function.slope(signed), abs=1e-12, rel=1e-9)
        assert ((function.least <= value) & (value <= function.most)).all()
