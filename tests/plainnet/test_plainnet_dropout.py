"""Tests of Dropout: what stays, what it is scaled by, and that both passes agree about it."""

import numpy as np
import pytest

from plainnet import Dropout, InputError

X = np.random.default_rng(0).standard_normal((50, 40))


def test_forward_and_backward_drop_the_same_entries_and_scale_the_others():
    layer = Dropout(0.75, np.random.default_rng(1))
    y = layer.forward(X)
    stays = y != 0
    np.testing.assert_array_equal(y[stays], 4 * X[stays])
    np.testing.assert_array_equal(layer.backward(np.ones_like(X)), 4.0 * stays)


def test_the_share_that_is_dropped_is_the_ratio():
    dropped = np.mean(Dropout(0.3, np.random.default_rng(2)).forward(X) == 0)
    assert abs(dropped - 0.3) < 5 * np.sqrt(0.3 * 0.7 / X.size)  # five standard deviations of a share


def test_each_forward_draws_another_mask_and_backward_follows_it():
    layer = Dropout(0.5, np.random.default_rng(3))
    first, second = layer.forward(X) != 0, layer.forward(X) != 0
    assert (first != second).any()
    np.testing.assert_array_equal(layer.backward(np.ones_like(X)) != 0, second)


def test_without_training_nothing_changes_and_nothing_is_drawn():
    layer, twin = Dropout(0.5, np.random.default_rng(4)), Dropout(0.5, np.random.default_rng(4))
    np.testing.assert_array_equal(layer.forward(X, train=False), X)
    np.testing.assert_array_equal(layer.backward(2 * X), 2 * X)
    np.testing.assert_array_equal(layer.forward(X), twin.forward(X))


def test_two_layers_without_a_generator_agree():
    np.testing.assert_array_equal(Dropout(0.5).forward(X), Dropout(0.5).forward(X))


def test_a_dropped_infinity_is_zero_and_not_nan():
    y = Dropout(0.5).forward(np.full(100, np.inf))
    assert set(y) == {0, np.inf}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        pytest.param(lambda: Dropout(1), r"Dropout: ratio: expected a number in \[0, 1\), got 1 \(int\)", id="all"),
        pytest.param(lambda: Dropout(-0.1), r"Dropout: ratio: .* got -0.1", id="negative"),
        pytest.param(lambda: Dropout(0.5, 42), r"Dropout: rng: .* got 42 \(int\); use np.random", id="seed"),
        pytest.param(lambda: Dropout().forward("x"), r"Dropout.forward: x: expected real numbers", id="text"),
    ],
)
def test_what_dropout_cannot_take_is_refused_with_its_name(call, message):
    with pytest.raises(InputError, match=message):
        call()
