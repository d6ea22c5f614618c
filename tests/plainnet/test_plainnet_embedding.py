"""Tests of Embedding: rows looked up, rows added up, and the indices that are refused."""

import numpy as np
import pytest

from plainnet import Embedding, InputError

W = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


def test_rows_are_looked_up_in_any_shape_of_indices():
    layer = Embedding(W)
    np.testing.assert_array_equal(layer.forward(np.array([[2, 0], [0, 0]])), [[[5, 6], [1, 2]], [[1, 2], [1, 2]]])
    np.testing.assert_array_equal(layer.forward(1), [3, 4])


def test_gradients_of_a_duplicate_index_add_up_and_unused_rows_get_none():
    layer = Embedding(W)
    layer.forward(np.array([0, 2, 0]))
    assert layer.backward(np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 40.0]])) is None
    np.testing.assert_array_equal(layer.grads[0], [[5, 50], [0, 0], [2, 20]])


def test_the_gradient_of_the_batch_before_is_gone():
    layer = Embedding(W)
    for ids in ([0], [1]):
        layer.forward(np.array(ids))
        layer.backward(np.ones((1, 2)))
    np.testing.assert_array_equal(layer.grads[0], [[0, 0], [1, 1], [0, 0]])


def test_no_index_leaves_no_gradient():
    layer = Embedding(W)
    assert layer.forward(np.zeros(0, dtype=int)).shape == (0, 2)
    layer.backward(np.zeros((0, 2)))
    assert not layer.grads[0].any()


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64], ids=["int8", "uint8", "int64"])
def test_any_integer_dtype_is_an_index(dtype):
    np.testing.assert_array_equal(Embedding(W).forward(np.array([1], dtype=dtype)), [[3, 4]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        pytest.param(lambda: Embedding(W[0]), r"Embedding: W: expected 2 axes, got shape \(2,\)", id="vector"),
        pytest.param(lambda: Embedding(W).forward([0.0]), "expected integers, got dtype float64; use ids", id="floats"),
        pytest.param(lambda: Embedding(W).forward([True]), "expected integers, got dtype bool", id="booleans"),
        pytest.param(
            lambda: Embedding(W).forward([3]), "from 0 to 2, as W has 3 rows, got 3", id="behind the last row"
        ),
        pytest.param(lambda: Embedding(W).forward([-1]), "from 0 to 2, as W has 3 rows, got -1", id="negative"),
    ],
)
def test_what_cannot_be_looked_up_is_refused_with_its_name(call, message):
    with pytest.raises(InputError, match=message):
        call()
