"""Evaluation along entries, stacked batches and dense directions; the proof that rows are independent."""

from __future__ import annotations

import numpy as np
import pytest

from elementwise import elementwise, normal, sigmoid
from gradproof.differentiate.sampling import DirectionSampler, EntrySampler, StackSampler, signed_direction
from gradproof.differentiate.separable import rows_are_independent

STEP = 2.0**-9


def cube(x):
    return x**3


def cube_slope(x):
    return 3 * x**2


def no_claim(x):
    return 0 * x


def test_the_residual_of_an_entry_is_slope_minus_claim():
    x, dout = np.array([1.0, 2.0]), np.array([5.0, 7.0])
    point = elementwise(cube, lambda x: np.array([3.0, 11.0]), x, dout)
    rung = EntrySampler(point.point, point.evaluate, np.zeros(2, np.intp), np.arange(2))(np.full(2, STEP), np.arange(2))
    # a central difference of x^3 is 3 x^2 + h^2
    assert rung.residual == pytest.approx([5 * STEP**2, 7 * (12 - 11 + STEP**2)], rel=1e-9)
    assert rung.gap == pytest.approx([5 * 6 * STEP, 7 * 12 * STEP], rel=1e-9)
    assert not rung.still.any()


def test_an_output_that_does_not_move_is_still():
    point = elementwise(np.floor, no_claim, np.array([0.5, 1.0]))
    rung = EntrySampler(point.point, point.evaluate, np.zeros(2, np.intp), np.arange(2))(np.full(2, STEP), np.arange(2))
    assert rung.still.tolist() == [True, False]


def test_the_step_that_was_taken_counts_not_the_one_asked_for():
    x = np.array([1e6])
    point = elementwise(lambda x: x, lambda x: np.ones(1), x)
    sampler = EntrySampler(point.point, point.evaluate, np.zeros(1, np.intp), np.zeros(1, np.intp))
    assert sampler(np.array([1e-9]), np.zeros(1, np.intp)).residual[0] == 0.0


def test_stacked_directions_are_the_same_as_single_ones():
    x, dout = normal(5, 3), normal(5, 3, seed=4)
    point = elementwise(cube, no_claim, x, dout)
    directions, steps = np.array([14, 0, 7, 3]), STEP * np.array([1.0, 2.0, 0.5, 1.0])
    single = EntrySampler(point.point, point.evaluate, np.zeros(15, np.intp), np.arange(15))(steps, directions)
    stack = StackSampler(point.point, 0, lambda copies, value: cube(value))
    together = stack(steps, directions)
    assert together.residual == pytest.approx(single.residual, rel=1e-12)
    assert together.gap == pytest.approx(single.gap, rel=1e-9)
    assert stack.calls == 1


@pytest.mark.parametrize("reuses", [False, True], ids=["a new output each time", "one buffer for all outputs"])
def test_a_direction_adds_up_its_entries(reuses):
    x, dout = normal(50), normal(50, seed=4)
    point = elementwise(cube, cube_slope, x, dout)
    buffer = np.empty(50)

    def evaluate(number, value):
        return np.power(value, 3, out=buffer) if reuses else cube(value)

    u = normal(50, seed=5)
    rung = DirectionSampler(point.point, evaluate, 0, lambda direction: u)(np.array([STEP]), np.zeros(1, np.intp))
    assert rung.residual == pytest.approx([float(dout @ u**3) * STEP**2], rel=1e-6)
    assert rung.gap == pytest.approx([float(np.abs(dout * 6 * x * u**2).sum()) * STEP], rel=1e-9)


def test_signed_directions_hide_no_entry():
    direction = signed_direction((300, 200), np.random.default_rng(0))
    assert np.abs(direction).min() >= 0.5
    assert np.abs(direction).max() <= 1.5
    assert abs(np.sign(direction).mean()) < 0.02


def batch_norm(x):
    return (x - x.mean(0)) / np.sqrt(((x - x.mean(0)) ** 2).mean(0) + 1e-5)


@pytest.mark.parametrize(
    ("function", "independent"),
    [
        pytest.param(sigmoid, True, id="sigmoid"),
        pytest.param(lambda x: x @ np.arange(12.0).reshape(4, 3), True, id="affine"),
        pytest.param(lambda x: np.exp(x) / np.exp(x).sum(1, keepdims=True), True, id="softmax over the row"),
        pytest.param(batch_norm, False, id="batch norm"),
        pytest.param(lambda x: np.exp(x) / np.exp(x).sum(0), False, id="softmax over the batch"),
        pytest.param(lambda x: x / len(x), False, id="mean over the batch"),
        pytest.param(lambda x: np.cumsum(x, axis=0), False, id="running sum"),
        pytest.param(lambda x: np.ones_like(x), False, id="constant: proves nothing"),
        pytest.param(lambda x: x[:6] if len(x) > 6 else x, False, id="cut to the stored batch size"),
    ],
)
def test_rows_are_independent_only_where_a_test_run_shows_it(function, independent):
    x = normal(6, 4)

    def evaluate(copies, value):
        return function(value).reshape(len(function(value)), -1)

    assert rows_are_independent(x, function(x).reshape(-1), evaluate, np.random.default_rng(0)) is independent


@pytest.mark.parametrize("shape", [(1, 4), (4,), (0, 3)], ids=str)
def test_less_than_two_rows_prove_nothing(shape):
    x = np.ones(shape)
    assert not rows_are_independent(x, x.reshape(-1), lambda copies, value: value, np.random.default_rng(0))
