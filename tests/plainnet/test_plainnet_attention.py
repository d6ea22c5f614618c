"""Tests of AttentionWeight and WeightSum: values derived by hand, and the errors."""

import numpy as np
import pytest

from plainnet import AttentionWeight, InputError, WeightSum


def test_weights_are_the_softmax_of_the_inner_products():
    node = AttentionWeight()
    hs = np.log([[[1.0], [1.0], [2.0]]])
    np.testing.assert_allclose(node.forward(hs, np.ones((1, 1))), [[0.25, 0.25, 0.5]], rtol=1e-15)
    dhs, dh = node.backward(np.array([[1.0, 0.0, 0.0]]))
    np.testing.assert_allclose(dhs[0, :, 0], [3 / 16, -1 / 16, -1 / 8], rtol=1e-15)
    np.testing.assert_allclose(dh, [[-np.log(2) / 8]], rtol=1e-15)


def test_a_sum_weights_each_step():
    node = WeightSum()
    y = node.forward(np.array([[[1.0, 2.0], [3.0, 4.0]]]), np.array([[0.5, 2.0]]))
    np.testing.assert_array_equal(y, [[6.5, 9]])
    dhs, da = node.backward(np.array([[1.0, 10.0]]))
    np.testing.assert_array_equal(dhs, [[[0.5, 5], [2, 20]]])
    np.testing.assert_array_equal(da, [[21, 43]])


def test_huge_scores_give_finite_weights():
    with np.errstate(over="raise", invalid="raise"):
        a = AttentionWeight().forward(np.array([[[1e10], [-1e10]]]), np.array([[1e10]]))
    np.testing.assert_array_equal(a, [[1, 0]])


HS = np.zeros((4, 5, 3))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        pytest.param(
            lambda: AttentionWeight().forward(HS[0], HS[:, 0]),
            r"AttentionWeight.forward: hs: expected shape \(n, t, d\), got shape \(5, 3\)",
            id="no batch",
        ),
        pytest.param(
            lambda: AttentionWeight().forward(HS, HS[0, 0]),
            r"AttentionWeight.forward: h: expected shape \(4, 3\), got shape \(3,\)",
            id="one state",
        ),
        pytest.param(
            lambda: WeightSum().forward(HS, np.zeros((5, 4))),
            r"WeightSum.forward: a: expected shape \(4, 5\), got shape \(5, 4\)",
            id="weights transposed",
        ),
        pytest.param(lambda: AttentionWeight().forward(HS[:, :0], HS[:, 0]), "at least one", id="no step"),
    ],
)
def test_what_does_not_fit_attention_is_refused_with_its_name(call, message):
    with pytest.raises(InputError, match=message):
        call()
