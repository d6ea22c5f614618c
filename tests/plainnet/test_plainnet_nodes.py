"""Tests of the nodes of the graph: values derived by hand, NumPy's own semantics, and the errors."""

import numpy as np
import pytest

from plainnet import Add, Branch, Dot, InputError, MatMul, Multiply, Repeat, Sum


def test_matmul_multiplies_rows_and_gathers_their_gradients():
    W = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    node = MatMul(W)
    np.testing.assert_array_equal(node.forward(np.array([[1.0, 0.0], [2.0, 1.0]])), [[1, 2, 3], [6, 9, 12]])
    dx = node.backward(np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]))
    np.testing.assert_array_equal(dx, [[1, 4], [5, 11]])
    np.testing.assert_array_equal(node.grads[0], [[1, 2, 2], [0, 1, 1]])


def test_dot_is_the_inner_product_and_each_vector_is_the_others_gradient():
    node = Dot()
    a, b = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0])
    assert node.forward(a, b) == 32
    da, db = node.backward(2.0)
    np.testing.assert_array_equal(da, 2 * b)
    np.testing.assert_array_equal(db, 2 * a)


@pytest.mark.parametrize(
    ("a", "b", "da", "db"),
    [
        pytest.param((2, 3), (2, 3), np.ones((2, 3)), np.ones((2, 3)), id="same shape"),
        pytest.param((2, 3), (3,), np.ones((2, 3)), np.full(3, 2), id="a row added to a batch"),
        pytest.param((2, 3), (2, 1), np.ones((2, 3)), np.full((2, 1), 3), id="a column added to a batch"),
        pytest.param((2, 1), (1, 3), np.full((2, 1), 3), np.full((1, 3), 2), id="both stretched"),
        pytest.param((), (2, 3), np.full((), 6), np.ones((2, 3)), id="a scalar"),
        pytest.param((0, 3), (3,), np.ones((0, 3)), np.zeros(3), id="an empty batch"),
        pytest.param((1, 3), (0, 3), np.zeros((1, 3)), np.ones((0, 3)), id="a row stretched over no rows"),
    ],
)
def test_the_gradient_of_add_counts_how_often_an_entry_was_used(a, b, da, db):
    node = Add()
    y = node.forward(np.zeros(a), np.zeros(b))
    assert y.shape == np.broadcast_shapes(a, b)
    for gradient, expected in zip(node.backward(np.ones(y.shape)), (da, db), strict=True):
        np.testing.assert_array_equal(gradient, expected, strict=False)
        assert gradient.shape == expected.shape


def test_multiply_sums_the_other_operand_over_the_axes_of_a_broadcast():
    a, b = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([10.0, 20.0])
    node = Multiply()
    np.testing.assert_array_equal(node.forward(a, b), [[10, 40], [30, 80]])
    da, db = node.backward(np.array([[1.0, 1.0], [1.0, -1.0]]))
    np.testing.assert_array_equal(da, [[10, 20], [10, -20]])
    np.testing.assert_array_equal(db, [1 + 3, 2 - 4])


@pytest.mark.parametrize("node", [Add(), Multiply()], ids=["Add", "Multiply"])
def test_shapes_that_do_not_broadcast_are_named(node):
    message = rf"{type(node).__name__}.forward: expected two shapes that broadcast, got \(2, 3\) and \(2,\)"
    with pytest.raises(InputError, match=message):
        node.forward(np.zeros((2, 3)), np.zeros(2))


def test_branch_gives_two_copies_and_adds_what_comes_back():
    x = np.array([1.0, 2.0])
    node = Branch()
    one, two = node.forward(x)
    assert not np.shares_memory(one, two)
    np.testing.assert_array_equal([one, two], [x, x])
    np.testing.assert_array_equal(node.backward(np.array([1.0, 0.5]), np.array([10.0, 5.0])), [11, 5.5])


@pytest.mark.parametrize(
    ("shape", "repeats", "axis"),
    [
        pytest.param((1, 8), 7, 0, id="one row, repeated down a batch"),
        pytest.param((3, 2), 4, 0, id="rows"),
        pytest.param((3, 2), 4, 1, id="columns"),
        pytest.param((3, 2), 4, -1, id="last axis"),
        pytest.param((2, 3, 4), 2, -2, id="middle axis"),
        pytest.param((3,), 1, 0, id="once"),
        pytest.param((0, 2), 3, 1, id="an empty batch"),
    ],
)
def test_repeat_with_keepdims_is_numpys_and_its_gradient_sums_the_copies(shape, repeats, axis):
    x = np.random.default_rng(5).standard_normal(shape)
    node = Repeat(repeats, axis=axis)
    y = node.forward(x)
    np.testing.assert_array_equal(y, np.repeat(x, repeats, axis=axis))
    np.testing.assert_allclose(node.backward(y), repeats * x, rtol=1e-15)


def test_repeat_gathers_each_copy_for_its_own_entry():
    node = Repeat(2, axis=0)
    np.testing.assert_array_equal(node.forward(np.array([1.0, 2.0])), [1, 1, 2, 2])
    np.testing.assert_array_equal(node.backward(np.array([1.0, 10.0, 100.0, 1000.0])), [11, 1100])


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3], ids=str)
def test_repeat_and_sum_without_keepdims_are_each_others_derivative(axis):
    rng = np.random.default_rng(6)
    x, dout = rng.standard_normal((2, 3)), rng.standard_normal((2, 3))
    repeat, total = Repeat(4, axis=axis, keepdims=False), Sum(axis=axis, keepdims=False)
    y = repeat.forward(x)
    assert y.shape[axis] == 4
    np.testing.assert_allclose(total.forward(y), 4 * x, rtol=1e-15)
    np.testing.assert_array_equal(total.backward(dout), Repeat(4, axis=axis, keepdims=False).forward(dout))
    np.testing.assert_array_equal(repeat.backward(y), total.forward(y))


def test_a_scalar_repeats_along_a_new_axis():
    node = Repeat(3, axis=0, keepdims=False)
    np.testing.assert_array_equal(node.forward(2.0), [2, 2, 2])
    assert node.backward(np.array([1.0, 2.0, 4.0])) == 7


@pytest.mark.parametrize("keepdims", [True, False], ids=["keepdims", "no keepdims"])
@pytest.mark.parametrize("axis", [0, 1, -1, (0, 2), (2, 0), (-1, 0), (), None], ids=str)
def test_sum_is_numpys_and_its_gradient_is_dout_in_every_summed_entry(axis, keepdims):
    rng = np.random.default_rng(7)
    x = rng.standard_normal((2, 3, 4))
    node = Sum(axis, keepdims)
    y = node.forward(x)
    np.testing.assert_array_equal(y, np.sum(x, axis=axis, keepdims=keepdims), strict=axis is not None)
    dout = rng.standard_normal(y.shape)
    kept = np.sum(x, axis=axis, keepdims=True).shape
    np.testing.assert_array_equal(node.backward(dout), np.broadcast_to(dout.reshape(kept), x.shape))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        pytest.param(lambda: MatMul([[1.0]]), r"MatMul: W: expected a NumPy array, got .* \(list\)", id="W is a list"),
        pytest.param(
            lambda: MatMul(np.eye(2, dtype=int)), r"expected floats, got dtype int64; use .astype", id="W int"
        ),
        pytest.param(lambda: MatMul(np.zeros(3)), r"MatMul: W: expected 2 axes, got shape \(3,\)", id="W is a vector"),
        pytest.param(
            lambda: MatMul(np.zeros((3, 2))).forward(np.zeros((4, 2))),
            r"MatMul.forward: x: expected shape \(..., 3\), as W has 3 rows, got shape \(4, 2\)",
            id="x does not fit W",
        ),
        pytest.param(lambda: Dot().forward(np.zeros(3), np.zeros(2)), r"shapes \(3,\) and \(2,\)", id="unlike vectors"),
        pytest.param(lambda: Dot().forward(np.eye(2), np.eye(2)), r"expected two vectors", id="Dot of matrices"),
        pytest.param(lambda: Repeat(0), r"Repeat: repeats: expected a whole number of at least 1, got 0", id="never"),
        pytest.param(lambda: Repeat(2.0), r"got 2.0 \(float\)", id="repeats is a float"),
        pytest.param(lambda: Repeat(True), r"got True \(bool\)", id="repeats is a bool"),
        pytest.param(
            lambda: Repeat(2, axis=2).forward(np.eye(2)),
            r"Repeat: axis=2 for x of shape \(2, 2\): expected whole numbers from -2 to 1",
            id="no such axis to repeat",
        ),
        pytest.param(lambda: Repeat(2).forward(1.0), r"expected no axis, as there is none", id="a scalar has no axis"),
        pytest.param(lambda: Sum(3).forward(np.eye(2)), r"Sum: axis=3 for x of shape \(2, 2\)", id="no such axis"),
        pytest.param(lambda: Sum((0, -2)).forward(np.eye(2)), r"expected each axis once", id="an axis twice"),
        pytest.param(lambda: Sum("0").forward(np.eye(2)), r"axis='0' .* expected whole numbers", id="axis is text"),
    ],
)
def test_what_a_node_cannot_take_is_refused_with_its_name(call, message):
    with pytest.raises(InputError, match=message):
        call()
