"""Round-off, modelled and measured; outputs that move in steps."""

from __future__ import annotations

import numpy as np
import pytest

from gradproof.differentiate import noise
from gradproof.differentiate.noise import Roughness, Steps

EPS = 2.0**-52
LINE = np.arange(noise.POINTS) * 2.0**-18


def test_the_scatter_of_white_noise_is_its_standard_deviation():
    rng = np.random.default_rng(0)
    measured = [noise.scatter(1e-9 * rng.standard_normal(noise.POINTS)) for _ in range(200)]
    assert 0.7e-9 < np.median(measured) < 1.4e-9


def test_a_smooth_function_has_no_scatter():
    assert noise.scatter(1 + LINE + LINE**2 + LINE**3) < 1e-15


def test_one_outlier_is_no_scatter():
    samples = 1 + LINE
    samples[0] += 1.0
    assert noise.scatter(samples) < 1e-15


def test_accumulated_round_off_is_never_modelled_below_its_root_and_never_above_its_sum():
    terms = [np.ones(10_000), -np.ones(10_000)]
    assert noise.total(terms) == 20_000
    assert noise.walk(terms) == pytest.approx(2 * np.sqrt(20_000))


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        pytest.param(1e-15, 1e-15, 4e-15, id="the same at both spacings: round-off"),
        pytest.param(1e-17, 1e-17, 1e-16, id="less than modelled"),
        pytest.param(1e-9, 1e-11, 1e-16, id="falls with the spacing: a kink"),
        pytest.param(1e-13, 2e-16, 8e-16, id="falls to what the model allows"),
        pytest.param(np.nan, 1e-15, 1e-16, id="not finite"),
    ],
)
def test_only_roughness_that_stays_counts_as_round_off(wide, narrow, expected):
    assert Roughness((wide, narrow), ()).of_value(1e-16) == pytest.approx(expected)


def test_a_jump_of_the_gradient_is_no_round_off_of_it():
    scatter = np.array([1e-16, 1.0])
    assert Roughness((0.0, 0.0), ((scatter, scatter),)).of_gradient(0, 1e-16).tolist() == [1e-16, 0.0]


def seen(function):
    """Survey a function of one variable along the line through 0.3."""
    return noise.survey(lambda t: np.array([float(function(0.3 + 1.1 * t))]))


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        pytest.param(lambda x: np.round(np.sin(x), 4), Steps.STAIRCASE, id="rounded"),
        pytest.param(np.floor, Steps.STAIRCASE, id="floor"),
        pytest.param(lambda x: float(np.float16(x)), Steps.STAIRCASE, id="float16"),
        pytest.param(np.sign, Steps.PLATEAUS, id="sign"),
        pytest.param(np.tanh, Steps.NONE, id="tanh"),
        pytest.param(lambda x: 1e-9 * x, Steps.NONE, id="small slope"),
        pytest.param(lambda x: 1.0, Steps.NONE, id="constant"),
        pytest.param(lambda x: max(x, 0.0), Steps.NONE, id="relu"),
        pytest.param(lambda x: max(x - 1.0, 0.0), Steps.NONE, id="dead relu"),
    ],
)
def test_a_staircase_is_told_from_a_slope(function, expected):
    assert noise.moves_in_steps(seen(function), EPS) is expected


def test_a_cast_inside_is_told_from_float64():
    assert noise.computes_narrow(seen(lambda x: float(np.tanh(np.float32(x)))), EPS)
    assert not noise.computes_narrow(seen(np.tanh), EPS)


@pytest.mark.parametrize(("dtype", "expected"), [("f2", 2.0**-10), ("f4", 2.0**-23), ("f8", EPS), ("i8", EPS)])
def test_the_unit_is_that_of_the_dtype(dtype, expected):
    assert noise.unit(np.dtype(dtype)) == expected
