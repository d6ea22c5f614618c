"""Conventions of courses: what is handed over in attributes, and what a backward is handed beside dout."""

from __future__ import annotations

import numpy as np
import pytest

from elementwise import normal
from gradproof import GradientFault, Settings, check, cli
from gradproof.values import Verdict

pytestmark = pytest.mark.table

FEW = Settings(examples=6)


class Dense:
    """It hands nothing over, in capitals, and takes a flag that it never reads."""

    def __init__(self, n_inputs: int, n_neurons: int):
        self.weights = normal(n_inputs, n_neurons)
        self.biases = np.zeros((1, n_neurons))

    def forward(self, inputs: np.ndarray, training: bool) -> None:
        self.inputs = inputs
        self.output = inputs @ self.weights + self.biases

    def backward(self, dValues: np.ndarray) -> None:
        self.dWeights = self.inputs.T @ dValues
        self.dBiases = dValues.sum(axis=0, keepdims=True)
        self.dInputs = dValues @ self.weights.T


class DenseWrong(Dense):
    def backward(self, dValues: np.ndarray) -> None:
        super().backward(dValues)
        self.dInputs = 2.0 * self.dInputs


class Cell:
    """A step of a recurrent layer whose backward is handed the state that it made, and the one before."""

    def __init__(self, input_size, hidden_size):
        self.W_ih = normal(hidden_size, input_size)
        self.W_hh = normal(hidden_size, hidden_size)

    def forward(self, x, h):
        return np.tanh(x @ self.W_ih.T + h @ self.W_hh.T)

    def backward(self, delta, h, h_prev_l, h_prev_t):
        dz = delta * (1 - h**2)
        self.dW_ih = dz.T @ h_prev_l
        self.dW_hh = dz.T @ h_prev_t
        return dz @ self.W_ih, dz @ self.W_hh


class CellAveraged(Cell):
    """Every gradient is right but one: another way to call it makes them all wrong."""

    def backward(self, delta, h, h_prev_l, h_prev_t):
        dx, dh = super().backward(delta, h, h_prev_l, h_prev_t)
        self.dW_ih = self.dW_ih / len(delta)
        return dx, dh


class Identity:
    """Its backward is the derivative at x."""

    def forward(self, x):
        return x

    def backward(self, x):
        return np.ones_like(x)


class IdentityWrong(Identity):
    def backward(self, x):
        return 2.0 * np.ones_like(x)


@pytest.mark.parametrize("layer", [Dense, Cell, Identity])
def test_a_right_layer_passes(layer):
    assert check(layer, settings=FEW).verdict is Verdict.PASS


@pytest.mark.parametrize(("layer", "tensor"), [(DenseWrong, "inputs"), (CellAveraged, "W_ih"), (IdentityWrong, "x")])
def test_its_twin_is_accused_of_what_is_wrong_alone(layer, tensor):
    with pytest.raises(GradientFault) as caught:
        check(layer, settings=FEW)
    (subject,) = caught.value.report.subjects
    wrong = [each.name for each in subject.tensors if each.verdict is not Verdict.PASS]
    assert wrong == [tensor]


class Square:
    def __init__(self):
        self.W = np.ones((3, 3))

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T


class Net:
    """A net of its parts: what it would hand further nobody needs."""

    def __init__(self):
        self.layers = [Square()]

    def forward(self, x):
        return self.layers[0].forward(x)

    def backward(self, dout):
        self.layers[0].backward(dout)
        return NotImplemented


class NetWrong(Net):
    def backward(self, dout):
        self.layers[0].backward(2.0 * dout)


def test_a_net_that_hands_nothing_further_is_not_accused_of_that():
    assert check(Net, settings=FEW).verdict is not Verdict.FAIL


def test_its_parameters_are_judged():
    with pytest.raises(GradientFault) as caught:
        check(NetWrong, settings=FEW)
    assert {finding.tensor for finding in caught.value.report.findings} == {"layers[0].W"}


class TwoColumnLoss:
    """A loss of one probability for each sample, with the columns of both classes side by side."""

    def forward(self, x, t):
        self.y, self.t = 1 / (1 + np.exp(-x)), t
        both = np.c_[1 - self.y, self.y]
        return -np.log(both[np.arange(len(t)), t]).mean()

    def backward(self, dout=1.0):
        return (self.y - self.t) * dout / len(self.t)


class TwoColumnLossWrong(TwoColumnLoss):
    def backward(self, dout=1.0):
        return (self.y - self.t) * dout


def features_first_forward(A, W, b):
    Z = W.dot(A) + b
    assert Z.shape == (W.shape[0], A.shape[1])
    return Z, (A, W, b)


def features_first_backward(dZ, cache):
    A, W, b = cache
    db = dZ.sum(axis=1, keepdims=True)
    assert db.shape == b.shape
    return W.T @ dZ, dZ @ A.T, db


def features_first_backward_wrong(dZ, cache):
    dA, dW, db = features_first_backward(dZ, cache)
    return dA, dW, 2.0 * db


@pytest.mark.parametrize("target", [(TwoColumnLoss,), (features_first_forward, features_first_backward)])
def test_what_backward_takes_settles_what_forward_leaves_open(target):
    assert check(*target, settings=FEW).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("target", "tensor"),
    [((TwoColumnLossWrong,), "x"), ((features_first_forward, features_first_backward_wrong), "b")],
)
def test_and_hides_no_fault(target, tensor):
    with pytest.raises(GradientFault) as caught:
        check(*target, settings=FEW)
    assert {finding.tensor for finding in caught.value.report.findings if finding.severity == "error"} == {tensor}


def propagate(X, W):
    A = 1 / (1 + np.exp(-W @ X))
    return A, (A, X)


def propagate_backward(X, Y, cache):
    A, X = cache
    return {"dW": (A - Y) @ X.T / X.shape[1]}


def test_labels_whose_loss_stands_elsewhere_are_no_upstream_gradient():
    report = check(propagate, propagate_backward, settings=FEW)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert report.subjects[0].reason.endswith(
        "Check a propagate that takes Y as well and returns the loss, with Y in its cache"
    )


FILE_OF_TESTS = """
import numpy as np

def scale_forward_test_case():
    return np.ones(3)

def scale_backward_test_case():
    return np.ones(3)

def empty_forward():
    return np.ones(3), None

def empty_backward(dout, cache):
    return dout
"""


def test_cases_of_tests_are_no_layers_and_what_takes_nothing_has_no_gradient(tmp_path, capsys):
    (tmp_path / "cases.py").write_text(FILE_OF_TESTS, encoding="utf-8")
    assert cli.main([str(tmp_path / "cases.py")]) == 3
    told = " ".join(capsys.readouterr().out.split())
    assert "test_case" not in told
    assert "takes no named argument" in told


class HandingOn:
    """A softmax whose loss has the gradient for the logits."""

    def forward(self, x):
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        self.y = e / e.sum(axis=-1, keepdims=True)
        return self.y

    def backward(self, dout):
        return dout


class WithoutCoupling(HandingOn):
    def backward(self, dout):
        return dout * self.y


@pytest.mark.slow
def test_a_softmax_that_hands_on_what_it_is_given_is_in_doubt_and_no_other():
    report = check(HandingOn, settings=FEW)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert "right as a softmax that hands on what it is given" in report.subjects[0].reason
    with pytest.raises(GradientFault):
        check(WithoutCoupling, settings=FEW)


class Recurrent:
    """Its backward returns the gradient of the state that forward begins with, and none of x."""

    def __init__(self, input_size, hidden_size):
        self.W = normal(input_size, hidden_size)

    def forward(self, x, h_0=None):
        n, steps, _ = x.shape
        self.x = x
        h = np.zeros((n, self.W.shape[1])) if h_0 is None else h_0
        for t in range(steps):
            h = 0.5 * h + x[:, t] @ self.W
        return h

    def backward(self, dout):
        self.dW = np.zeros_like(self.W)
        for t in reversed(range(self.x.shape[1])):
            self.dW += self.x[:, t].T @ dout
            dout = 0.5 * dout
        return dout


class RecurrentWrong(Recurrent):
    def backward(self, dout):
        dh = super().backward(dout)
        self.dW *= 2.0
        return dh


@pytest.mark.slow
def test_the_gradient_of_a_state_that_forward_makes_is_no_other_form_of_dx():
    report = check(Recurrent, settings=FEW)
    assert report.verdict is Verdict.INCONCLUSIVE
    with pytest.raises(GradientFault) as caught:
        check(RecurrentWrong, settings=FEW)
    assert {f.tensor for f in caught.value.report.findings if f.severity == "error"} == {"W"}


class TwoDirections:
    """Two hidden sizes in its weights; its backward cuts dout in half."""

    def __init__(self, W1, W2):
        self.params, self.grads = [W1, W2], [np.zeros_like(W1), np.zeros_like(W2)]

    def forward(self, x):
        self.x = x
        return np.concatenate([x @ W for W in self.params], axis=1)

    def backward(self, dout):
        half = dout.shape[1] // 2
        halves = dout[:, :half], dout[:, half:]
        for grad, own in zip(self.grads, halves, strict=True):
            grad[...] = self.x.T @ own
        return sum(own @ W.T for own, W in zip(halves, self.params, strict=True))


class TwoDirectionsWrong(TwoDirections):
    def backward(self, dout):
        return 2.0 * super().backward(dout)


@pytest.mark.slow
def test_two_sizes_that_backward_takes_for_one_are_in_doubt_and_hide_no_fault():
    report = check(TwoDirections, settings=FEW)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert "forward takes both" in report.subjects[0].reason
    with pytest.raises(GradientFault):
        check(TwoDirectionsWrong, settings=FEW)


@pytest.mark.parametrize("layer", [Net, NetWrong])
def test_a_declared_input_whose_gradient_nobody_returns_is_no_pass(layer):
    with pytest.raises(GradientFault) as caught:
        check(layer, x="n 3", settings=FEW)
    assert "GP202" in {finding.code for finding in caught.value.report.findings}
