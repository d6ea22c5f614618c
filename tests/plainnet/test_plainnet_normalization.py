"""Tests of LayerNorm and BatchNorm: values derived by hand, running statistics, and the errors."""

import numpy as np
import pytest

from plainnet import BatchNorm, InputError, LayerNorm

ONES, ZEROS = np.ones(2), np.zeros(2)


def test_layer_norm_standardises_each_sample_and_sends_back_the_derived_gradient():
    # x has mean 2 and variance 1: with epsilon 3 the standard deviation is 2
    layer = LayerNorm(np.array([2.0, 4.0]), np.array([0.0, 1.0]), epsilon=3)
    np.testing.assert_array_equal(layer.forward(np.array([1.0, 3.0])), [-1, 3])
    np.testing.assert_array_equal(layer.backward(np.array([1.0, 1.0])), [-0.375, 0.375])
    np.testing.assert_array_equal(layer.grads[0], [-0.5, 0.5])
    np.testing.assert_array_equal(layer.grads[1], [1, 1])


def test_batch_norm_standardises_each_feature_and_sends_back_the_derived_gradient():
    layer = BatchNorm(np.array([2.0]), np.array([1.0]), epsilon=3)
    np.testing.assert_array_equal(layer.forward(np.array([[1.0], [3.0]])), [[0], [2]])
    np.testing.assert_array_equal(layer.backward(np.array([[1.0], [2.0]])), [[-0.375], [0.375]])
    np.testing.assert_array_equal(layer.grads[0], [0.5])
    np.testing.assert_array_equal(layer.grads[1], [3])


@pytest.mark.parametrize("layer", [LayerNorm(ONES, ZEROS), BatchNorm(ONES, ZEROS)], ids=["LayerNorm", "BatchNorm"])
def test_leading_axes_are_one_batch(layer):
    rng = np.random.default_rng(1)
    x, dout = rng.standard_normal((3, 4, 2)), rng.standard_normal((3, 4, 2))
    y, dx = layer.forward(x), layer.backward(dout)
    grads = [grad.copy() for grad in layer.grads]
    np.testing.assert_allclose(layer.forward(x.reshape(12, 2)).reshape(x.shape), y, rtol=1e-13)
    np.testing.assert_allclose(layer.backward(dout.reshape(12, 2)).reshape(x.shape), dx, rtol=1e-12)
    for one, two in zip(layer.grads, grads, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-12)


def test_layer_norm_takes_one_sample_at_a_time():
    x = np.random.default_rng(2).standard_normal((4, 3))
    layer = LayerNorm(np.ones(3), np.zeros(3))
    np.testing.assert_array_equal(layer.forward(x)[1], layer.forward(x[1]))


def test_batch_norm_of_one_sample_is_beta_and_has_no_slope():
    layer = BatchNorm(ONES, np.array([5.0, 6.0]))
    np.testing.assert_array_equal(layer.forward(np.array([[1.0, -2.0]])), [[5, 6]])
    np.testing.assert_array_equal(layer.backward(np.array([[1.0, 1.0]])), [[0, 0]])


def test_the_running_statistics_move_by_one_minus_momentum():
    layer = BatchNorm(np.ones(1), np.zeros(1), momentum=0.75)
    layer.forward(np.array([[0.0], [4.0]]))
    np.testing.assert_array_equal(layer.running_mean, [0.25 * 2])
    np.testing.assert_array_equal(layer.running_variance, [0.75 + 0.25 * 4])
    layer.backward(np.ones((2, 1)))
    np.testing.assert_array_equal(layer.running_mean, [0.5])


def test_without_training_the_running_statistics_are_used_and_stay():
    layer = BatchNorm(np.array([6.0]), np.array([1.0]), epsilon=3)
    layer.running_mean[...] = 5
    y = layer.forward(np.array([[7.0], [5.0], [5.0]]), train=False)
    np.testing.assert_array_equal(y, [[7], [1], [1]])  # sd is sqrt(1 + 3)
    np.testing.assert_array_equal(layer.backward(np.array([[1.0], [2.0], [0.0]])), [[3], [6], [0]])
    np.testing.assert_array_equal(layer.grads[0], [1])
    np.testing.assert_array_equal([layer.running_mean, layer.running_variance], [[5], [1]])


def test_without_training_an_empty_batch_goes_through():
    layer = BatchNorm(ONES, ZEROS)
    assert layer.forward(np.zeros((0, 2)), train=False).shape == (0, 2)
    assert layer.backward(np.zeros((0, 2))).shape == (0, 2)


@pytest.mark.parametrize("kind", [LayerNorm, BatchNorm])
def test_equal_values_stay_finite(kind):
    layer = kind(ONES, ZEROS)
    np.testing.assert_array_equal(layer.forward(np.full((3, 2), 0.5)), np.zeros((3, 2)))
    assert np.isfinite(layer.backward(np.random.default_rng(3).standard_normal((3, 2)))).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        pytest.param(lambda: LayerNorm([1.0], ZEROS), r"LayerNorm: gamma: expected a NumPy array", id="list"),
        pytest.param(lambda: LayerNorm(np.ones(0), np.ones(0)), "LayerNorm: gamma: .* one feature", id="no feature"),
        pytest.param(
            lambda: BatchNorm(ONES, np.zeros(3)),
            r"BatchNorm: beta: expected shape \(2,\), as gamma has shape \(2,\), got shape \(3,\)",
            id="beta too long",
        ),
        pytest.param(lambda: BatchNorm(ONES, ZEROS, momentum=1), r"momentum: .* \[0, 1\), got 1", id="momentum"),
        pytest.param(lambda: BatchNorm(ONES, ZEROS, epsilon=0), r"BatchNorm: epsilon: .* got 0", id="epsilon"),
        pytest.param(lambda: LayerNorm(ONES, ZEROS, epsilon=-1), r"LayerNorm: epsilon: .* got -1", id="negative"),
        pytest.param(
            lambda: LayerNorm(ONES, ZEROS).forward(np.zeros((2, 3))),
            r"LayerNorm.forward: x: expected shape \(..., 2\), as gamma has 2 entries, got shape \(2, 3\)",
            id="other features",
        ),
        pytest.param(
            lambda: BatchNorm(ONES, ZEROS).forward(np.zeros((0, 2))),
            r"BatchNorm.forward: x: expected at least one sample in training, got shape \(0, 2\)",
            id="empty batch",
        ),
    ],
)
def test_what_a_norm_cannot_take_is_refused_with_its_name(call, message):
    with pytest.raises(InputError, match=message):
        call()
