"""Tests of SoftmaxWithLoss and of how targets are read, against closed forms."""

import math

import numpy as np
import pytest

from plainnet import InputError, SoftmaxWithLoss, cross_entropy_error, softmax


def test_the_loss_of_equal_scores_is_the_log_of_the_number_of_classes():
    assert SoftmaxWithLoss().forward(np.zeros((5, 4)), np.array([0, 1, 2, 3, 0])) == pytest.approx(math.log(4))


def test_the_loss_is_that_of_softmax_followed_by_cross_entropy():
    rng = np.random.default_rng(2)
    x, t = rng.standard_normal((6, 3)), rng.integers(0, 3, 6)
    assert SoftmaxWithLoss().forward(x, t) == pytest.approx(cross_entropy_error(softmax(x), t), rel=1e-14)


def test_the_gradient_is_softmax_minus_one_hot_over_the_batch():
    x = np.log([[1.0, 3.0], [1.0, 1.0]])
    loss = SoftmaxWithLoss()
    loss.forward(x, np.array([1, 0]))
    np.testing.assert_allclose(loss.backward(), [[1 / 8, -1 / 8], [-1 / 4, 1 / 4]], rtol=1e-15)


def test_the_gradient_honours_dout():
    x, t = np.log([[1.0, 3.0], [1.0, 1.0]]), np.array([1, 0])
    loss = SoftmaxWithLoss()
    loss.forward(x, t)
    np.testing.assert_allclose(loss.backward(-2.5), -2.5 * loss.backward(), rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.float64, np.float32], ids=["int64", "int8", "f64", "f32"])
def test_one_hot_of_any_dtype_means_the_same_as_labels(dtype):
    x = np.random.default_rng(3).standard_normal((4, 3))
    labels = np.array([2, 0, 1, 1])
    with_labels, with_one_hot = SoftmaxWithLoss(), SoftmaxWithLoss()
    assert with_labels.forward(x, labels) == with_one_hot.forward(x, np.eye(3, dtype=dtype)[labels])
    np.testing.assert_array_equal(with_labels.backward(), with_one_hot.backward())


@pytest.mark.parametrize("dtype", [np.int64, np.uint8], ids=["int64", "uint8"])
def test_labels_of_any_integer_dtype_are_taken(dtype):
    assert SoftmaxWithLoss().forward(np.zeros((2, 2)), np.array([0, 1], dtype=dtype)) == pytest.approx(math.log(2))


def test_one_sample_is_a_batch_of_one():
    x, single, batch = np.array([0.3, -1.0, 2.0]), SoftmaxWithLoss(), SoftmaxWithLoss()
    assert single.forward(x, 2) == batch.forward(x[np.newaxis], np.array([2]))
    np.testing.assert_array_equal(single.backward(), batch.backward()[0])


def test_a_sequence_is_averaged_over_every_position():
    rng = np.random.default_rng(4)
    x, t = rng.standard_normal((2, 3, 4)), rng.integers(0, 4, (2, 3))
    sequence, flat = SoftmaxWithLoss(), SoftmaxWithLoss()
    assert sequence.forward(x, t) == pytest.approx(flat.forward(x.reshape(6, 4), t.reshape(6)), rel=1e-15)
    np.testing.assert_allclose(sequence.backward().reshape(6, 4), flat.backward(), rtol=1e-15)


def test_the_loss_of_a_hopeless_sample_is_its_distance_and_not_clipped():
    loss = SoftmaxWithLoss()
    assert loss.forward(np.array([[0.0, 2000.0]]), np.array([0])) == 2000
    np.testing.assert_array_equal(loss.backward(), [[-1, 1]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
def test_scores_as_wide_as_the_dtype_give_no_nan_and_no_warning(dtype):
    widest = np.finfo(dtype).max
    loss = SoftmaxWithLoss()
    with np.errstate(all="raise"):
        value = loss.forward(np.array([[widest, -widest], [-widest, widest]], dtype=dtype), np.array([0, 1]))
        gradient = loss.backward()
    assert value == 0
    np.testing.assert_array_equal(gradient, np.zeros((2, 2)))


def test_as_many_labels_as_scores_are_not_taken_for_one_hot():
    assert SoftmaxWithLoss().forward(np.zeros((3, 1)), np.array([0, 0, 0])) == 0


SCORES = np.zeros((2, 3))
REFUSED = [
    pytest.param(SCORES, np.array([0, 3]), r"expected labels from 0 to 2, got t with 3", id="label too large"),
    pytest.param(SCORES, np.array([-1, 0]), r"expected labels from 0 to 2, got t with -1", id="negative label"),
    pytest.param(SCORES, np.array([0.0, 1.0]), r"integer labels, got t of dtype float64; use t.astype", id="floats"),
    pytest.param(SCORES, np.array([True, False]), r"expected integer labels, got t of dtype bool", id="booleans"),
    pytest.param(SCORES, np.array(["a", "b"]), r"expected integer labels, got t of dtype <U1", id="text"),
    pytest.param(SCORES, np.array([0, 1, 2]), r"\(2,\) \(integer labels\) or \(2, 3\) .* \(3,\)", id="another batch"),
    pytest.param(SCORES, np.zeros((2, 2)), r"shape \(2,\) .* or \(2, 3\) .* got shape \(2, 2\)", id="fewer classes"),
    pytest.param(SCORES, np.array([[0], [1]]), r"got shape \(2, 1\)", id="labels in a column"),
    pytest.param(SCORES, 1, r"got shape \(\)", id="one label for a batch"),
    pytest.param(SCORES, np.zeros((2, 3)), r"expected one-hot t, one 1 and otherwise 0 in each row", id="no class"),
    pytest.param(SCORES, np.ones((2, 3)), r"expected one-hot t", id="every class"),
    pytest.param(SCORES, np.full((2, 3), 1 / 3), r"expected one-hot t", id="soft targets"),
    pytest.param(np.zeros((0, 3)), np.zeros(0, dtype=int), r"at least one sample, .* shape \(0, 3\)", id="empty batch"),
]


@pytest.mark.parametrize(("x", "t", "message"), REFUSED)
def test_targets_that_do_not_fit_are_refused_by_the_loss_layer(x, t, message):
    with pytest.raises(InputError, match=f"SoftmaxWithLoss.forward: .*{message}"):
        SoftmaxWithLoss().forward(x, t)


@pytest.mark.parametrize(("x", "t", "message"), REFUSED)
def test_targets_that_do_not_fit_are_refused_by_cross_entropy(x, t, message):
    with pytest.raises(InputError, match=f"cross_entropy_error: .*{message}"):
        cross_entropy_error(x, t)


def test_a_refused_batch_leaves_the_last_good_one_for_backward():
    loss = SoftmaxWithLoss()
    loss.forward(np.zeros((1, 2)), np.array([1]))
    with pytest.raises(InputError):
        loss.forward(np.ones((5, 2)), np.array([7] * 5))
    np.testing.assert_array_equal(loss.backward(), [[0.5, -0.5]])
