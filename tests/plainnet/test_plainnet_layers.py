"""Tests of the layers: values derived by hand, closed forms, and the errors."""

import numpy as np
import pytest

from plainnet import Affine, InputError, ReLU, Sigmoid, Softmax, Tanh


def test_affine_maps_rows_and_gathers_their_gradients():
    layer = Affine(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.array([0.5, 0.0, -1.0]))
    np.testing.assert_array_equal(layer.forward(np.array([[1.0, 0.0], [2.0, 1.0]])), [[1.5, 2, 2], [6.5, 9, 11]])
    dx = layer.backward(np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]))
    dW, db = layer.grads
    np.testing.assert_array_equal(dx, [[1, 4], [5, 11]])
    np.testing.assert_array_equal(dW, [[1, 2, 2], [0, 1, 1]])
    np.testing.assert_array_equal(db, [1, 1, 1])


@pytest.mark.parametrize("leading", [(), (1,), (4,), (2, 3), (2, 0, 3), (0,)], ids=str)
def test_affine_treats_any_leading_axes_as_one_batch(leading):
    rng = np.random.default_rng(8)
    W, b = rng.standard_normal((3, 2)), rng.standard_normal(2)
    x, dout = rng.standard_normal((*leading, 3)), rng.standard_normal((*leading, 2))
    layer, flat = Affine(W, b), Affine(W, b)
    y, rows = layer.forward(x), flat.forward(x.reshape(-1, 3))
    np.testing.assert_allclose(y, rows.reshape(y.shape), rtol=1e-14)
    assert y.shape == (*leading, 2)
    dx = layer.backward(dout)
    np.testing.assert_allclose(dx, flat.backward(dout.reshape(-1, 2)).reshape(x.shape), rtol=1e-14)
    for gradient, expected in zip(layer.grads, flat.grads, strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=1e-14)


def test_affine_of_no_features_is_its_bias():
    layer = Affine(np.zeros((0, 2)), np.array([1.0, 2.0]))
    np.testing.assert_array_equal(layer.forward(np.zeros((3, 0))), [[1, 2]] * 3)
    assert layer.backward(np.ones((3, 2))).shape == (3, 0)
    np.testing.assert_array_equal(layer.grads[1], [3, 3])


def test_sigmoid_has_slope_a_quarter_at_zero_and_none_far_out():
    layer = Sigmoid()
    np.testing.assert_array_equal(layer.forward(np.array([-800.0, 0.0, 800.0])), [0, 0.5, 1])
    np.testing.assert_array_equal(layer.backward(np.array([1.0, 2.0, 1.0])), [0, 0.5, 0])


def test_tanh_has_slope_one_at_zero_and_the_known_one_at_log_two():
    layer = Tanh()
    np.testing.assert_allclose(layer.forward(np.array([0.0, np.log(2)])), [0, 0.6], rtol=1e-15)
    np.testing.assert_allclose(layer.backward(np.array([3.0, 1.0])), [3, 0.64], rtol=1e-15)


def test_relu_lets_the_gradient_through_above_zero_only():
    layer = ReLU()
    np.testing.assert_array_equal(layer.forward(np.array([-2.0, -0.0, 0.0, 3.0])), [0, 0, 0, 3])
    np.testing.assert_array_equal(layer.backward(np.array([1.0, 1.0, np.inf, 4.0])), [0, 0, 0, 4])


def test_relu_of_nan_is_nan():
    assert np.isnan(ReLU().forward(np.array([np.nan]))[0])


def test_softmax_couples_the_classes():
    layer = Softmax()
    np.testing.assert_allclose(layer.forward(np.log([1.0, 1.0, 2.0])), [0.25, 0.25, 0.5], rtol=1e-15)
    np.testing.assert_allclose(layer.backward(np.array([1.0, 0.0, 0.0])), [3 / 16, -1 / 16, -1 / 8], rtol=1e-15)


def test_a_dout_of_ones_changes_nothing_before_a_softmax():
    layer = Softmax()
    layer.forward(np.random.default_rng(9).standard_normal((2, 3, 4)))
    rounding = 4 * np.finfo(np.float64).eps  # of a sum of four shares
    np.testing.assert_allclose(layer.backward(np.ones((2, 3, 4))), np.zeros((2, 3, 4)), atol=rounding)


W, B = np.zeros((3, 2)), np.zeros(2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        pytest.param(lambda: Affine(W.tolist(), B), r"Affine: W: expected a NumPy array, got .* \(list\)", id="W list"),
        pytest.param(lambda: Affine(W, 0.0), r"Affine: b: expected a NumPy array, got 0.0 \(float\)", id="b number"),
        pytest.param(lambda: Affine(W.astype(int), B), r"Affine: W: expected floats, got dtype int64", id="W integers"),
        pytest.param(lambda: Affine(B, B), r"Affine: W: expected 2 axes, got shape \(2,\)", id="W vector"),
        pytest.param(lambda: Affine(W, W), r"Affine: b: expected 1 axes, got shape \(3, 2\)", id="b matrix"),
        pytest.param(
            lambda: Affine(W, np.zeros(3)),
            r"Affine: b: expected shape \(2,\), as W has shape \(3, 2\), got shape \(3,\)",
            id="b too long",
        ),
        pytest.param(
            lambda: Affine(W, B).forward(np.zeros((4, 2))),
            r"Affine.forward: x: expected shape \(..., 3\), as W has 3 rows, got shape \(4, 2\)",
            id="x does not fit W",
        ),
        pytest.param(lambda: Affine(W, B).forward(1.0), r"got shape \(\)", id="x is a number"),
        pytest.param(lambda: ReLU().forward([1j]), r"ReLU.forward: x: expected real numbers", id="complex"),
        pytest.param(lambda: Tanh().forward("x"), r"Tanh.forward: x: expected real numbers, got str", id="text"),
    ],
)
def test_what_a_layer_cannot_take_is_refused_with_its_name(call, message):
    with pytest.raises(InputError, match=message):
        call()
