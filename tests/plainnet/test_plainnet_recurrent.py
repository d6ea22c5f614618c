"""Tests of the recurrent layers: values derived by hand, the way back through time, states, and the errors."""

import numpy as np
import pytest

from plainnet import InputError, LSTMCell, RNNCell, TimeLSTM, TimeRNN

TIMES = {"TimeRNN": (TimeRNN, 1), "TimeLSTM": (TimeLSTM, 4)}
every_time = pytest.mark.parametrize("name", TIMES)


def parameters(gates, d=3, h=2):
    rng = np.random.default_rng(gates)
    return [rng.standard_normal(shape) for shape in ((d, gates * h), (h, gates * h), (gates * h,))]


def build(name, **options):
    kind, gates = TIMES[name]
    return kind(*parameters(gates), **options)


def test_a_cell_is_the_tanh_of_input_state_and_bias():
    cell = RNNCell(np.array([[1.0]]), np.array([[2.0]]), np.array([0.5]))
    x = np.log([[2.0]]) - 1
    np.testing.assert_allclose(cell.forward(x, np.array([[0.25]])), [[0.6]], rtol=1e-15)  # tanh(log 2)
    dx, dh = cell.backward(np.array([[1.0]]))
    np.testing.assert_allclose([dx, dh], [[[0.64]], [[1.28]]], rtol=1e-14)
    np.testing.assert_allclose(cell.grads[0], 0.64 * x, rtol=1e-14)
    np.testing.assert_allclose(cell.grads[1], [[0.16]], rtol=1e-14)
    np.testing.assert_allclose(cell.grads[2], [0.64], rtol=1e-14)


def test_gates_half_open_halve_the_memory_and_the_state():
    cell = LSTMCell(np.zeros((1, 4)), np.zeros((1, 4)), np.zeros(4))
    h, c = cell.forward(np.zeros((1, 1)), np.zeros((1, 1)), np.array([[2 * np.log(2)]]))
    np.testing.assert_allclose([h, c], [[[0.3]], [[np.log(2)]]], rtol=1e-15)
    dx, dh, dc = cell.backward(np.array([[1.0]]), np.array([[1.0]]))
    np.testing.assert_array_equal([dx, dh], [[[0]], [[0]]])
    np.testing.assert_allclose(dc, [[0.66]], rtol=1e-14)  # (1 + 0.5 (1 - 0.6^2)) / 2
    np.testing.assert_allclose(cell.grads[2], [0.66 * np.log(2), 0.66, 0, 0.15], rtol=1e-14)  # f, g, i, o


def test_what_leaves_at_a_step_comes_from_all_steps_before():
    # at zero the cell is h' = x + h to first order
    layer = TimeRNN(np.eye(1), np.eye(1), np.zeros(1))
    layer.forward(np.zeros((1, 3, 1)))
    np.testing.assert_array_equal(layer.backward(np.array([[[1.0], [10.0], [100.0]]]))[0, :, 0], [111, 110, 100])
    np.testing.assert_array_equal(layer.grads[2], [321])


def test_one_step_is_a_cell_that_starts_at_zero():
    rng = np.random.default_rng(2)
    x, dh = rng.standard_normal((4, 3)), rng.standard_normal((4, 2))
    layer, cell = build("TimeRNN"), RNNCell(*parameters(1))
    np.testing.assert_array_equal(layer.forward(x[:, np.newaxis])[:, 0], cell.forward(x, np.zeros((4, 2))))
    np.testing.assert_array_equal(layer.backward(dh[:, np.newaxis])[:, 0], cell.backward(dh)[0])
    for one, two in zip(layer.grads, cell.grads, strict=True):
        np.testing.assert_array_equal(one, two)


@every_time
def test_a_stateful_layer_goes_on_where_it_ended(name):
    xs = np.random.default_rng(3).standard_normal((4, 6, 3))
    whole, parts = build(name).forward(xs), build(name, stateful=True)
    np.testing.assert_array_equal(parts.forward(xs[:, :2]), whole[:, :2])
    np.testing.assert_array_equal(parts.forward(xs[:, 2:]), whole[:, 2:])
    parts.reset_state()
    np.testing.assert_array_equal(parts.forward(xs[:, :2]), whole[:, :2])


@every_time
def test_a_layer_without_state_starts_from_zero_each_time(name):
    xs, layer = np.random.default_rng(4).standard_normal((4, 5, 3)), build(name)
    np.testing.assert_array_equal(layer.forward(xs), layer.forward(xs))


def test_the_gradient_of_a_stateful_layer_ends_where_its_block_begins():
    rng = np.random.default_rng(5)
    xs, dout = rng.standard_normal((4, 2, 3)), rng.standard_normal((4, 1, 2))
    layer, cell = build("TimeRNN", stateful=True), RNNCell(*parameters(1))
    h = layer.forward(xs[:, :1])[:, 0]
    layer.forward(xs[:, 1:])
    cell.forward(xs[:, 1], h)
    np.testing.assert_allclose(layer.backward(dout)[:, 0], cell.backward(dout[:, 0])[0], rtol=1e-14)
    np.testing.assert_allclose(layer.grads[1], cell.grads[1], rtol=1e-14)


@every_time
def test_no_step_gives_no_state_and_no_gradient(name):
    layer = build(name)
    assert layer.forward(np.zeros((4, 0, 3))).shape == (4, 0, 2)
    assert layer.backward(np.zeros((4, 0, 2))).shape == (4, 0, 3)
    assert not any(grad.any() for grad in layer.grads)


@every_time
def test_another_batch_size_needs_a_new_state_and_a_refused_one_changes_nothing(name):
    layer, xs = build(name, stateful=True), np.random.default_rng(6).standard_normal((4, 5, 3))
    layer.forward(xs[:, :2])
    message = rf"{name}.forward: expected 4 samples, as in the state .* got 3; call reset_state\(\)"
    with pytest.raises(InputError, match=message):
        layer.forward(np.zeros((3, 2, 3)))
    np.testing.assert_array_equal(layer.forward(xs[:, 2:]), build(name).forward(xs)[:, 2:])
    layer.reset_state()
    assert layer.forward(np.zeros((3, 2, 3))).shape == (3, 2, 2)


RX, RH, RB = parameters(1)
LX, LH, LB = parameters(4)
X, H = np.zeros((4, 3)), np.zeros((4, 2))


def after_forward():
    cell = LSTMCell(LX, LH, LB)
    cell.forward(X, H, H)
    return cell


@pytest.mark.parametrize(
    ("call", "message"),
    [
        pytest.param(
            lambda: RNNCell(RX, RH[:, :1], RB),
            r"RNNCell: Wh: expected shape \(2, 2\), as Wh has 2 rows, got shape \(2, 1\)",
            id="Wh not square",
        ),
        pytest.param(
            lambda: LSTMCell(RX, LH, LB),
            r"LSTMCell: Wx: expected shape \(3, 8\), as Wh has 2 rows, got shape \(3, 2\)",
            id="Wx of one gate",
        ),
        pytest.param(lambda: TimeLSTM(LX, LH, RB), r"TimeLSTM: b: expected shape \(8,\)", id="b of one gate"),
        pytest.param(lambda: TimeRNN(RX, RH, 0.0), r"TimeRNN: b: expected a NumPy array, got 0.0", id="b number"),
        pytest.param(
            lambda: RNNCell(RX, RH, RB).forward(X[:, :2], H),
            r"RNNCell.forward: x: expected shape \(n, 3\), got shape \(4, 2\)",
            id="x does not fit Wx",
        ),
        pytest.param(
            lambda: RNNCell(RX, RH, RB).forward(X, H[:1]),
            r"RNNCell.forward: h: expected shape \(4, 2\), got shape \(1, 2\)",
            id="a state of one sample",
        ),
        pytest.param(
            lambda: LSTMCell(LX, LH, LB).forward(X, H, H[0]),
            r"LSTMCell.forward: c: expected shape \(4, 2\), got shape \(2,\)",
            id="a memory without batch",
        ),
        pytest.param(
            lambda: TimeRNN(RX, RH, RB).forward(X),
            r"TimeRNN.forward: xs: expected shape \(n, t, 3\), got shape \(4, 3\)",
            id="no sequence",
        ),
        pytest.param(
            lambda: after_forward().backward(H, H[:1]),
            r"LSTMCell.backward: dc: expected the shape of the output, \(4, 2\), got shape \(1, 2\)",
            id="dc of one sample",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_its_name(call, message):
    with pytest.raises(InputError, match=message):
        call()
