"""The promises that every node, layer, loss and model of plainnet keeps, beside a right gradient."""

import copy
from itertools import combinations

import numpy as np
import pytest

import plainnet
from plainnet import (
    Add,
    Affine,
    AttentionWeight,
    AveragePool2D,
    BackwardBeforeForwardError,
    BatchNorm,
    Branch,
    Conv2D,
    Dot,
    Dropout,
    Embedding,
    InputError,
    LayerNorm,
    LSTMCell,
    MatMul,
    MaxPool2D,
    MeanSquaredError,
    Multiply,
    ReLU,
    Repeat,
    RNNCell,
    Sigmoid,
    SigmoidWithLoss,
    Softmax,
    SoftmaxWithLoss,
    Sum,
    Tanh,
    TimeLSTM,
    TimeRNN,
    TwoLayerNet,
    WeightSum,
)


def normal(*shape, dtype=np.float64):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(dtype)


def recurrent(gates, dtype):
    """Wx, Wh and b of a cell with three inputs and two hidden units."""
    return normal(3, 2 * gates, dtype=dtype), normal(2, 2 * gates, dtype=dtype), normal(2 * gates, dtype=dtype)


def images(dtype):
    return [normal(2, 3, 5, 4, dtype=dtype)]


LABELS = np.array([0, 2, 1, 1])
# name -> (constructor of the dtype, forward's arguments of the dtype)
NODES = {
    "MatMul": (lambda d: MatMul(normal(3, 2, dtype=d)), lambda d: [normal(4, 3, dtype=d)]),
    "Dot": (lambda d: Dot(), lambda d: [normal(3, dtype=d), normal(3, dtype=d) + 1]),
    "Add": (lambda d: Add(), lambda d: [normal(4, 3, dtype=d), normal(4, 3, dtype=d)]),
    "Add, broadcast": (lambda d: Add(), lambda d: [normal(4, 3, dtype=d), normal(3, dtype=d)]),
    "Multiply": (lambda d: Multiply(), lambda d: [normal(4, 3, dtype=d), normal(4, 3, dtype=d)]),
    "Multiply, broadcast": (lambda d: Multiply(), lambda d: [normal(4, 1, dtype=d), normal(3, dtype=d)]),
    "Branch": (lambda d: Branch(), lambda d: [normal(4, 3, dtype=d)]),
    "Repeat": (lambda d: Repeat(2), lambda d: [normal(4, 3, dtype=d)]),
    "Repeat, once": (lambda d: Repeat(1), lambda d: [normal(4, 3, dtype=d)]),
    "Repeat, new axis": (lambda d: Repeat(2, keepdims=False), lambda d: [normal(4, 3, dtype=d)]),
    "Sum": (lambda d: Sum(), lambda d: [normal(4, 3, dtype=d)]),
    "Sum, of one row": (lambda d: Sum(), lambda d: [normal(1, 3, dtype=d)]),
    "Sum, no axis": (lambda d: Sum(axis=()), lambda d: [normal(4, 3, dtype=d)]),
    "Sum, all": (lambda d: Sum(axis=None, keepdims=False), lambda d: [normal(4, 3, dtype=d)]),
    "Affine": (lambda d: Affine(normal(3, 2, dtype=d), normal(2, dtype=d)), lambda d: [normal(4, 3, dtype=d)]),
    "Sigmoid": (lambda d: Sigmoid(), lambda d: [normal(4, 3, dtype=d)]),
    "ReLU": (lambda d: ReLU(), lambda d: [normal(4, 3, dtype=d)]),
    "ReLU, all positive": (lambda d: ReLU(), lambda d: [1 + abs(normal(4, 3, dtype=d))]),
    "Tanh": (lambda d: Tanh(), lambda d: [normal(4, 3, dtype=d)]),
    "Softmax": (lambda d: Softmax(), lambda d: [normal(4, 3, dtype=d)]),
    "SoftmaxWithLoss": (lambda d: SoftmaxWithLoss(), lambda d: [normal(4, 3, dtype=d), LABELS]),
    "SigmoidWithLoss": (lambda d: SigmoidWithLoss(), lambda d: [normal(4, dtype=d), LABELS % 2]),
    "MeanSquaredError": (lambda d: MeanSquaredError(), lambda d: [normal(4, 3, dtype=d), normal(3, 4, dtype=d).T]),
    "LayerNorm": (
        lambda d: LayerNorm(normal(3, dtype=d), normal(3, dtype=d) + 1),
        lambda d: [normal(4, 3, dtype=d)],
    ),
    "BatchNorm": (
        lambda d: BatchNorm(normal(3, dtype=d), normal(3, dtype=d) + 1),
        lambda d: [normal(4, 3, dtype=d)],
    ),
    "Dropout": (lambda d: Dropout(0.5, np.random.default_rng(1)), lambda d: [normal(4, 3, dtype=d)]),
    "Dropout, of nothing": (lambda d: Dropout(0), lambda d: [normal(4, 3, dtype=d)]),
    "Embedding": (lambda d: Embedding(normal(3, 2, dtype=d)), lambda d: [LABELS]),
    "RNNCell": (lambda d: RNNCell(*recurrent(1, d)), lambda d: [normal(4, 3, dtype=d), normal(4, 2, dtype=d)]),
    "TimeRNN": (lambda d: TimeRNN(*recurrent(1, d)), lambda d: [normal(4, 5, 3, dtype=d)]),
    "LSTMCell": (
        lambda d: LSTMCell(*recurrent(4, d)),
        lambda d: [normal(4, 3, dtype=d), normal(4, 2, dtype=d), normal(2, 4, dtype=d).T.copy()],
    ),
    "TimeLSTM": (lambda d: TimeLSTM(*recurrent(4, d)), lambda d: [normal(4, 5, 3, dtype=d)]),
    "Conv2D": (lambda d: Conv2D(normal(2, 3, 3, 2, dtype=d), normal(2, dtype=d)), images),
    "Conv2D, padded": (lambda d: Conv2D(normal(2, 3, 3, 2, dtype=d), normal(2, dtype=d), 2, 1), images),
    "Conv2D, one pixel": (lambda d: Conv2D(normal(2, 3, 1, 1, dtype=d), normal(2, dtype=d)), images),
    "MaxPool2D": (lambda d: MaxPool2D(2), images),
    "MaxPool2D, one pixel": (lambda d: MaxPool2D(1), images),
    "AveragePool2D": (lambda d: AveragePool2D(3, 1), images),
    "AveragePool2D, one pixel": (lambda d: AveragePool2D(1), images),
    "AttentionWeight": (
        lambda d: AttentionWeight(),
        lambda d: [normal(4, 5, 3, dtype=d), normal(4, 3, dtype=d)],
    ),
    "WeightSum": (lambda d: WeightSum(), lambda d: [normal(4, 5, 3, dtype=d), normal(4, 5, dtype=d)]),
    "TwoLayerNet": (lambda d: TwoLayerNet(3, 5, 3), lambda d: [normal(4, 3, dtype=d), LABELS]),
}
every_node = pytest.mark.parametrize("name", NODES)
# a second forward of Dropout draws another mask: what it does then is tested in test_plainnet_dropout
every_repeatable_node = pytest.mark.parametrize("name", [name for name in NODES if name != "Dropout"])


def build(name, dtype=np.float64):
    constructor, arguments = NODES[name]
    return constructor(dtype), arguments(dtype)


def as_tuple(value):
    if value is None:  # the backward of a layer whose inputs have no gradient
        return ()
    return value if isinstance(value, tuple) else (value,)


def is_integer(array):
    return np.issubdtype(array.dtype, np.integer)


def douts_for(y, seed=0):
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.standard_normal(np.shape(part))) for part in as_tuple(y)]


def test_every_public_class_with_forward_and_backward_is_in_the_table():
    public = {name for name in plainnet.__all__ if hasattr(getattr(plainnet, name), "backward")}
    assert {name.split(",")[0] for name in NODES} == public


def test_every_public_name_exists_once():
    assert len(set(plainnet.__all__)) == len(plainnet.__all__)
    assert all(hasattr(plainnet, name) for name in plainnet.__all__)


@every_node
def test_backward_before_forward_says_so(name):
    node, _ = build(name)
    douts = [1.0, 1.0] if name in ("Branch", "LSTMCell") else [1.0]
    with pytest.raises(BackwardBeforeForwardError, match=r"\.backward was called before forward") as caught:
        node.backward(*douts)
    assert isinstance(caught.value, RuntimeError)


@every_node
def test_forward_and_backward_leave_inputs_douts_and_parameters_alone(name):
    node, inputs = build(name)
    douts = douts_for(node.forward(*inputs))
    before = copy.deepcopy((inputs, douts, node.params))
    node.forward(*inputs)
    node.backward(*douts)
    for seen, expected in zip((*inputs, *douts, *node.params), (*before[0], *before[1], *before[2]), strict=True):
        np.testing.assert_array_equal(seen, expected)


@every_node
def test_read_only_arrays_are_enough(name):
    node, inputs = build(name)
    douts = douts_for(node.forward(*inputs))
    for array in (*inputs, *douts, *node.params):
        array.flags.writeable = False
    node.forward(*inputs)
    node.backward(*douts)


@every_node
def test_results_share_no_memory_with_anything_of_the_caller(name):
    node, inputs = build(name)
    y = as_tuple(node.forward(*inputs))
    douts = douts_for(y)
    gradients = as_tuple(node.backward(*douts))
    for result in (*y, *gradients):
        for other in (*inputs, *douts, *node.params, *node.grads):
            assert not np.shares_memory(result, other)
    assert not any(np.shares_memory(g, part) for g in gradients for part in y)
    assert not any(np.shares_memory(one, two) for one, two in combinations(gradients, 2))


@every_node
def test_the_second_backward_equals_the_first(name):
    node, inputs = build(name)
    douts = douts_for(node.forward(*inputs))
    first = copy.deepcopy((as_tuple(node.backward(*douts)), node.grads))
    second = as_tuple(node.backward(*douts)), node.grads
    for one, two in zip((*first[0], *first[1]), (*second[0], *second[1]), strict=True):
        np.testing.assert_array_equal(one, two)


@every_repeatable_node
def test_backward_belongs_to_the_latest_forward(name):
    node, inputs = build(name)
    fresh, _ = build(name)
    others = [x[::-1] if is_integer(x) else 2 * x - 0.5 for x in inputs]
    douts = douts_for(node.forward(*inputs))
    node.backward(*douts)
    node.forward(*others)
    fresh.forward(*others)
    for one, two in zip(as_tuple(node.backward(*douts)), as_tuple(fresh.backward(*douts)), strict=True):
        np.testing.assert_array_equal(one, two)
    for one, two in zip(node.grads, fresh.grads, strict=True):
        np.testing.assert_array_equal(one, two)


@every_node
def test_gradients_are_written_into_the_same_arrays(name):
    node, inputs = build(name)
    held = list(node.grads)
    assert [g.shape for g in held] == [p.shape for p in node.params]
    assert [g.dtype for g in held] == [p.dtype for p in node.params]
    douts = douts_for(node.forward(*inputs))
    node.backward(*douts)
    assert all(one is two for one, two in zip(held, node.grads, strict=True))
    assert all(g.any() for g in held)


# the parameters of TwoLayerNet are float64 by construction: the dtype of its gradient is tested below
@pytest.mark.parametrize("name", [name for name in NODES if name != "TwoLayerNet"])
@pytest.mark.parametrize("dout_dtype", [np.float32, np.float64], ids=["dout float32", "dout float64"])
def test_float32_stays_float32(name, dout_dtype):
    node, inputs = build(name, np.float32)
    y = as_tuple(node.forward(*inputs))
    gradients = as_tuple(node.backward(*[dout.astype(dout_dtype) for dout in douts_for(y)]))
    assert {np.asarray(a).dtype for a in (*y, *gradients, *node.params, *node.grads)} == {np.dtype(np.float32)}


def test_each_gradient_has_the_dtype_of_its_input_where_dtypes_are_mixed():
    add = Add()
    y = add.forward(np.zeros((2, 3), dtype=np.float32), np.zeros(3))
    da, db = add.backward(np.ones_like(y))
    assert (y.dtype, da.dtype, db.dtype) == (np.float64, np.float32, np.float64)
    net = TwoLayerNet(3, 5, 3)
    net.forward(normal(4, 3, dtype=np.float32), LABELS)
    assert net.backward().dtype == np.float32


@every_node
def test_integers_are_computed_as_float64(name):
    node, inputs = build(name)
    y = as_tuple(node.forward(*[x if is_integer(x) else np.round(4 * x).astype(int) for x in inputs[:1]], *inputs[1:]))
    gradients = as_tuple(node.backward(*douts_for(y)))
    assert {np.asarray(a).dtype for a in (*y, *gradients)} == {np.dtype(np.float64)}


@every_repeatable_node
def test_the_memory_layout_of_the_input_does_not_matter(name):
    node, inputs = build(name)
    y = as_tuple(node.forward(*inputs))
    douts = douts_for(y)
    gradients = copy.deepcopy((*as_tuple(node.backward(*douts)), *node.grads))

    def strided(x):
        wide = np.repeat(np.flip(x), 2, axis=-1) if x.ndim else x
        return np.flip(wide[..., ::2]) if x.ndim else x

    again = as_tuple(node.forward(*map(strided, inputs)))
    for one, two in zip(y, again, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-14)
    for one, two in zip(gradients, (*as_tuple(node.backward(*map(strided, douts))), *node.grads), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-12)


@every_node
def test_a_dout_of_another_shape_is_named(name):
    node, inputs = build(name)
    douts = [np.zeros((9, 9)) for _ in as_tuple(node.forward(*inputs))]
    with pytest.raises(
        InputError, match=r"\.backward: (dout1?|dh): expected the shape of the output, .* got shape \(9, 9\)"
    ):
        node.backward(*douts)


@pytest.mark.parametrize(
    "node", [MatMul(np.ones((3, 2))), Affine(np.ones((3, 2)), np.ones(2)), Sigmoid(), ReLU(), Tanh(), Softmax()],
    ids=lambda node: type(node).__name__,
)  # fmt: skip
def test_an_empty_batch_goes_through_and_leaves_no_gradient(node):
    y = node.forward(np.zeros((0, 3)))
    assert node.backward(np.zeros_like(y)).shape == (0, 3)
    assert not any(g.any() for g in node.grads)
