"""Tests of sigmoid, softmax, log_softmax and cross_entropy_error against closed forms and exact arithmetic."""

import math
import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainnet import InputError, cross_entropy_error, log_softmax, sigmoid, softmax


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        pytest.param(0.0, 0.5, id="zero"),
        pytest.param(math.log(3), 0.75, id="log 3"),
        pytest.param(-math.log(3), 0.25, id="minus log 3"),
        pytest.param(1000.0, 1.0, id="large"),
        pytest.param(-1000.0, 0.0, id="large negative"),
        pytest.param(-700.0, math.exp(-700), id="far left, where the exponential is all that is left"),
        pytest.param(math.inf, 1.0, id="inf"),
        pytest.param(-math.inf, 0.0, id="-inf"),
    ],
)
def test_sigmoid_has_its_known_values(x, expected):
    assert sigmoid(x) == pytest.approx(expected, rel=1e-15, abs=0)


@given(st.floats())
def test_sigmoid_of_any_float64_is_silent_and_between_zero_and_one(x):
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        y = sigmoid(x)
    assert math.isnan(y) if math.isnan(x) else 0 <= y <= 1


@given(st.floats(width=32))
def test_sigmoid_of_any_float32_is_silent_and_keeps_its_dtype(x):
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        y = sigmoid(np.array([x], dtype=np.float32))
    assert y.dtype == np.float32
    assert math.isnan(y[0]) if math.isnan(x) else 0 <= y[0] <= 1


@given(st.floats(-700, 700))
def test_sigmoid_of_x_and_of_minus_x_add_up_to_one(x):
    total = Fraction(float(sigmoid(x))) + Fraction(float(sigmoid(-x)))
    assert abs(total - 1) <= Fraction(2, 2**52)


def test_sigmoid_leaves_its_input_alone_and_takes_integers():
    x = np.array([-1, 0, 1])
    y = sigmoid(x)
    assert y.dtype == np.float64
    np.testing.assert_array_equal(x, [-1, 0, 1])


def test_softmax_of_logarithms_gives_the_proportions():
    y = softmax(np.log([[1.0, 2.0, 5.0], [3.0, 3.0, 2.0]]))
    np.testing.assert_allclose(y, [[1 / 8, 2 / 8, 5 / 8], [3 / 8, 3 / 8, 2 / 8]], rtol=1e-15)


@pytest.mark.parametrize("leading", [(), (4,), (2, 3), (2, 1, 3)], ids=str)
def test_softmax_works_on_the_last_axis_under_any_leading_axes(leading):
    x = np.random.default_rng(1).standard_normal((*leading, 5))
    y = softmax(x)
    assert y.shape == x.shape
    np.testing.assert_allclose(y.sum(axis=-1), np.ones(leading), rtol=1e-15)
    for index in np.ndindex(leading):
        exponentials = np.exp(x[index])
        np.testing.assert_allclose(y[index], exponentials / exponentials.sum(), rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
def test_softmax_of_the_widest_range_is_silent_and_one_hot(dtype):
    widest = np.finfo(dtype).max
    with np.errstate(all="raise"):
        y = softmax(np.array([[-widest, widest, 0]], dtype=dtype))
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, [[0, 1, 0]])


def test_softmax_gives_a_masked_class_no_share():
    np.testing.assert_array_equal(softmax(np.array([-np.inf, 0.0, 0.0])), [0, 0.5, 0.5])


def test_log_softmax_is_finite_where_softmax_rounds_to_zero():
    x = np.array([0.0, -2000.0])
    assert softmax(x)[1] == 0
    np.testing.assert_array_equal(log_softmax(x), [0, -2000])


def test_log_softmax_of_logarithms_gives_the_logarithms_of_the_proportions():
    np.testing.assert_allclose(log_softmax(np.log([1.0, 2.0, 5.0])), np.log([1 / 8, 2 / 8, 5 / 8]), rtol=1e-15)


@pytest.mark.parametrize("function", [softmax, log_softmax], ids=["softmax", "log_softmax"])
@pytest.mark.parametrize("shape", [(), (0,), (3, 0)], ids=str)
def test_a_softmax_over_no_class_is_refused(function, shape):
    with pytest.raises(InputError, match=r"x: expected shape \(\.\.\., c\) with at least one class"):
        function(np.zeros(shape))


def test_an_empty_batch_has_an_empty_softmax():
    assert softmax(np.zeros((0, 3))).shape == (0, 3)


@pytest.mark.parametrize(
    ("y", "t", "expected"),
    [
        pytest.param([[0.5, 0.5], [0.25, 0.75]], [0, 1], (math.log(2) + math.log(4 / 3)) / 2, id="labels"),
        pytest.param([[0.5, 0.5], [0.25, 0.75]], [[1, 0], [0, 1]], (math.log(2) + math.log(4 / 3)) / 2, id="one-hot"),
        pytest.param([0.1, 0.9], 1, -math.log(0.9), id="one sample, label"),
        pytest.param([0.1, 0.9], [0.0, 1.0], -math.log(0.9), id="one sample, one-hot"),
        pytest.param([[1.0], [1.0]], [0, 0], 0.0, id="a single class: as many labels as scores"),
        pytest.param([[[0.5, 0.5]], [[0.2, 0.8]]], [[0], [1]], (math.log(2) - math.log(0.8)) / 2, id="a sequence"),
    ],
)
def test_cross_entropy_is_the_mean_of_minus_log_of_the_true_probability(y, t, expected):
    assert cross_entropy_error(np.array(y), np.array(t)) == pytest.approx(expected, rel=1e-15)


def test_cross_entropy_of_an_impossible_class_is_infinite_and_silent():
    with np.errstate(all="raise"):
        assert cross_entropy_error(np.array([[1.0, 0.0]]), np.array([1])) == math.inf


def test_cross_entropy_keeps_float32():
    assert cross_entropy_error(np.array([[0.5, 0.5]], dtype=np.float32), np.array([1])).dtype == np.float32


def test_cross_entropy_of_scores_asks_for_softmax():
    with pytest.raises(InputError, match=r"expected probabilities, got -2; apply softmax first"):
        cross_entropy_error(np.array([[-2.0, 3.0]]), np.array([1]))


@pytest.mark.parametrize("function", [sigmoid, softmax, log_softmax], ids=["sigmoid", "softmax", "log_softmax"])
@pytest.mark.parametrize("x", [["a", "b"], [1j, 2j], [None, 1]], ids=["text", "complex", "objects"])
def test_what_is_not_a_real_number_is_refused(function, x):
    with pytest.raises(InputError, match="expected real numbers, got list of dtype"):
        function(x)
