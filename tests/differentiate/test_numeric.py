"""numerical_gradient and directional_derivative: a value whose bound covers the truth."""

from __future__ import annotations

import numpy as np
import pytest

from elementwise import normal, relu, sigmoid, sigmoid_slope
from gradproof import UsageError, directional_derivative, numerical_gradient

FUNCTIONS = {
    "sin": (np.sin, np.cos),
    "exp": (np.exp, np.exp),
    "log": (np.log, lambda x: 1 / x),
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "1/x": (lambda x: 1 / x, lambda x: -1 / x**2),
    "tanh": (np.tanh, lambda x: 1 / np.cosh(x) ** 2),
    "cube": (lambda x: x**3, lambda x: 3 * x**2),
    "sigmoid": (sigmoid, sigmoid_slope),
    "x^0.3": (lambda x: x**0.3, lambda x: 0.3 * x**-0.7),
    "linear": (lambda x: 3 * x, lambda x: 3 + 0 * x),
    "constant": (lambda x: 3 + 0 * x, lambda x: 0 * x),
}


@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0])
@pytest.mark.parametrize(("function", "slope"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_value_and_bound_cover_the_truth_and_the_bound_is_small(function, slope, scale):
    x = scale * (np.abs(normal(5)) + 0.01)
    truth = slope(x)
    for value, bound in (
        numerical_gradient(lambda x: function(x).sum(), x),
        directional_derivative(function, x, np.ones(5)),
    ):
        assert (np.abs(value - truth) <= bound).all()
        round_off = 1e4 * 2.0**-52 * np.abs(function(x)).sum() / min(1.0, scale)
        assert (bound <= 1e-6 * np.abs(truth).max() + round_off).all()


def test_a_function_that_reads_the_array_itself_works_as_in_the_book():
    w = np.array([1.0, -2.0, 3.0])

    def loss():
        return float((w**2).sum())

    value, bound = numerical_gradient(lambda _: loss(), w)
    assert value == pytest.approx([2.0, -4.0, 6.0], abs=1e-9)
    assert (bound < 1e-9).all()
    assert w.tolist() == [1.0, -2.0, 3.0]


@pytest.mark.parametrize(
    "view",
    [
        pytest.param(lambda base: base[::-2, ::2], id="negative stride"),
        pytest.param(lambda base: base.T, id="transpose"),
        pytest.param(lambda base: base[1], id="row"),
    ],
)
def test_a_view_is_measured_and_its_base_put_back(view):
    base = normal(6, 4)
    before = base.copy()
    value, bound = numerical_gradient(lambda x: (x**3).sum(), view(base))
    assert (np.abs(value - 3 * view(before) ** 2) <= bound).all()
    assert np.array_equal(base, before)


def test_a_read_only_array_is_left_alone():
    x = np.array([1.0, 2.0])
    x.flags.writeable = False
    assert numerical_gradient(lambda x: (x**3).sum(), x).value == pytest.approx([3.0, 12.0])


@pytest.mark.parametrize("fails_at", [1, 2, 7])
def test_x_is_put_back_when_f_raises(fails_at):
    x, calls = np.array([1.0, 2.0]), []

    def f(x):
        calls.append(1)
        if len(calls) == fails_at:
            raise RuntimeError("no more")
        return x.sum()

    with pytest.raises(RuntimeError, match="no more"):
        numerical_gradient(f, x)
    assert x.tolist() == [1.0, 2.0]


def test_float32_brings_the_bound_of_float32():
    x = np.array([1.0, 2.0, 3.0], np.float32)
    value, bound = numerical_gradient(lambda x: (x**2).sum(), x)
    assert (np.abs(value - [2, 4, 6]) <= bound).all()
    assert (bound < 1e-2).all()
    assert x.dtype == np.float32


@pytest.mark.parametrize(
    ("function", "x"),
    [
        pytest.param(np.abs, 0.0, id="abs"),
        pytest.param(relu, 0.0, id="relu"),
        pytest.param(lambda x: np.maximum(x, 0.9 * x), 0.0, id="a faint kink"),
        pytest.param(np.floor, 2.0, id="jump"),
        pytest.param(np.sqrt, 0.0, id="end of the domain"),
        pytest.param(lambda x: np.where(x > 1, np.nan, x), 1.0, id="NaN on one side"),
    ],
)
def test_where_there_is_no_derivative_the_bound_is_infinite_and_only_there(function, x):
    with np.errstate(all="ignore"):
        value, bound = numerical_gradient(lambda v: function(v[:1]).sum() + (v[1:] ** 2).sum(), np.array([x, 0.5]))
    assert bound[0] == np.inf
    assert abs(value[1] - 1.0) <= bound[1] < 1e-6


def test_beside_a_kink_there_is_a_derivative():
    value, bound = numerical_gradient(lambda x: relu(x).sum(), np.array([1e-6, -1e-6, 1.0]))
    assert (np.abs(value - [1, 0, 1]) <= bound).all()
    assert (bound < 1e-3).all()


@pytest.mark.parametrize("x", [0.3, 0.5, -0.7, 1.1])
def test_rounded_outputs_have_no_derivative_but_zero(x):
    value, bound = numerical_gradient(lambda x: np.round(np.tanh(x), 4).sum(), np.array([x, x / 2]))
    assert (np.isinf(bound) | (np.abs(value) <= bound)).all()


@pytest.mark.parametrize("slope", [1e300, 1e-300])
def test_huge_and_tiny_slopes_have_relative_bounds(slope):
    value, bound = numerical_gradient(lambda x: slope * x.sum(), np.array([1.0, 2.0]))
    assert value == pytest.approx([slope, slope])
    assert (bound < 1e-9 * slope).all()


def test_huge_inputs_bring_no_warning_and_no_false_value():
    value, bound = numerical_gradient(lambda x: x.sum(), np.array([1e300, 2e300]))
    assert (np.isinf(bound) | (np.abs(value - 1) <= bound)).all()


def test_the_length_of_the_direction_counts():
    once = directional_derivative(lambda x: (x**2).sum(), [1.0, 2.0, 3.0], [1, 2, 3])
    tiny = directional_derivative(np.sin, [1.0, 2.0], [1e-9, 0])
    assert once.value == pytest.approx(28.0)
    assert tiny.value == pytest.approx([1e-9 * np.cos(1), 0.0])


def test_shapes_follow_the_arguments():
    assert numerical_gradient(lambda x: (x**2).sum(), np.ones((2, 3))).value.shape == (2, 3)
    assert numerical_gradient(lambda x: x**2, np.array(3.0)).value == pytest.approx(6.0)
    assert numerical_gradient(lambda x: x.sum(), np.zeros((0, 2))).value.shape == (0, 2)
    assert directional_derivative(lambda x: x[:, :1], np.ones((2, 3)), np.ones((2, 3))).bound.shape == (2, 1)


def test_an_estimate_is_seen_as_its_value():
    estimate = numerical_gradient(lambda x: 3 * x.sum(), np.ones(2))
    assert np.allclose(estimate, 3.0)
    assert "forwards=" in repr(estimate)
    assert estimate.forwards > 4


def total(x):
    return x.sum()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        pytest.param(
            lambda: numerical_gradient(total, np.arange(3)), r"x of dtype int64.*x\.astype\(float\)", id="int x"
        ),
        pytest.param(lambda: numerical_gradient(total, [1, 2]), r"dtype int64", id="list of ints"),
        pytest.param(lambda: numerical_gradient(total, np.ones(2) * 1j), r"dtype complex128", id="complex x"),
        pytest.param(lambda: numerical_gradient(total, np.array([np.nan])), "finite values", id="NaN in x"),
        pytest.param(
            lambda: numerical_gradient(lambda x: x, np.ones(3)),
            r"one number, got f\(x\) of shape \(3,\)",
            id="f not scalar",
        ),
        pytest.param(
            lambda: numerical_gradient(lambda x: 1j * x.sum(), np.ones(3)), "dtype complex128", id="complex f"
        ),
        pytest.param(
            lambda: numerical_gradient(lambda x: None, np.ones(3)), "real numbers from f", id="f returns None"
        ),
        pytest.param(
            lambda: directional_derivative(np.sin, np.ones(3), np.ones(2)),
            r"x's shape \(3,\).*got shape \(2,\)",
            id="direction of another shape",
        ),
        pytest.param(lambda: directional_derivative(np.sin, np.ones(3), np.zeros(3)), "not zero", id="zero direction"),
        pytest.param(
            lambda: directional_derivative(np.sin, np.ones(2), [np.inf, 0]), "finite direction", id="infinite direction"
        ),
    ],
)
def test_arguments_that_cannot_work_are_refused(call, message):
    with pytest.raises(UsageError, match=message):
        call()
