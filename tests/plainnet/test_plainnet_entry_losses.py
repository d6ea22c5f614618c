"""Tests of MeanSquaredError and SigmoidWithLoss against closed forms."""

import math

import numpy as np
import pytest

from plainnet import InputError, MeanSquaredError, SigmoidWithLoss, sigmoid


def test_the_squared_error_is_averaged_over_all_entries():
    loss = MeanSquaredError()
    assert loss.forward(np.array([[1.0], [2.0]]), np.array([[0.0], [4.0]])) == 2.5
    np.testing.assert_array_equal(loss.backward(), [[1], [-2]])
    np.testing.assert_array_equal(loss.backward(3), [[3], [-6]])


def test_the_loss_of_an_undecided_score_is_the_log_of_two():
    assert SigmoidWithLoss().forward(np.zeros(3), np.array([0, 1, 1])) == pytest.approx(math.log(2), rel=1e-15)


def test_the_gradient_is_sigmoid_minus_target_over_the_number_of_entries():
    loss = SigmoidWithLoss()
    value = loss.forward(np.log([3.0, 1.0]), np.array([1, 0]))
    assert value == pytest.approx((math.log(4 / 3) + math.log(2)) / 2, rel=1e-15)
    np.testing.assert_allclose(loss.backward(), [-1 / 8, 1 / 4], rtol=1e-15)
    np.testing.assert_allclose(loss.backward(-2), [1 / 4, -1 / 2], rtol=1e-15)


def test_the_loss_is_the_binary_cross_entropy_of_the_sigmoid():
    rng = np.random.default_rng(1)
    x, t = rng.standard_normal((4, 3)), rng.integers(0, 2, (4, 3))
    y = sigmoid(x)
    expected = -np.mean(t * np.log(y) + (1 - t) * np.log(1 - y))
    assert SigmoidWithLoss().forward(x, t) == pytest.approx(expected, rel=1e-13)


def test_the_loss_of_a_hopeless_score_is_its_distance_and_not_clipped():
    loss = SigmoidWithLoss()
    with np.errstate(all="raise"):
        assert loss.forward(np.array([-2000.0, 2000.0]), np.array([1, 0])) == 2000
        np.testing.assert_array_equal(loss.backward(), [-0.5, 0.5])


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.float32, np.bool_], ids=["int64", "uint8", "f32", "bool"])
def test_yes_and_no_of_any_dtype_mean_the_same(dtype):
    x, t = np.array([0.5, -1.0]), np.array([1, 0])
    assert SigmoidWithLoss().forward(x, t.astype(dtype)) == SigmoidWithLoss().forward(x, t)


def test_the_gradient_has_the_dtype_of_the_scores():
    x, t = np.zeros(2, dtype=np.float32), np.ones(2)
    for loss in (MeanSquaredError(), SigmoidWithLoss()):
        loss.forward(x, t)
        assert loss.backward().dtype == np.float32


@pytest.mark.parametrize("loss", [MeanSquaredError, SigmoidWithLoss])
@pytest.mark.parametrize(
    ("x", "t", "message"),
    [
        pytest.param(np.zeros((2, 1)), np.zeros(2), r"of one shape, .* got shapes \(2, 1\) and \(2,\)", id="column"),
        pytest.param(np.zeros(0), np.zeros(0), r"not empty, got shapes \(0,\) and \(0,\)", id="empty"),
        pytest.param(np.zeros(1), ["yes"], r"t: expected real numbers, got list of dtype <U3", id="text"),
    ],
)
def test_targets_that_do_not_fit_are_refused(loss, x, t, message):
    with pytest.raises(InputError, match=rf"{loss.__name__}.forward.*{message}"):
        loss().forward(x, t)


@pytest.mark.parametrize("t", [0.5, -1.0, 2.0, math.nan])
def test_a_target_between_yes_and_no_is_refused(t):
    with pytest.raises(InputError, match=rf"SigmoidWithLoss.forward: t: expected 0 or 1 in each entry, got {t:g}"):
        SigmoidWithLoss().forward(np.zeros(2), np.array([1.0, t]))
