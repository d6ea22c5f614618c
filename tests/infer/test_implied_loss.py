"""A backward that is given the answer: the loss behind it is found, or nothing is said."""

import numpy as np
import pytest

from gradproof import GradientFault, Settings, check
from gradproof.infer.infer import infer
from gradproof.values import Verdict

FEW = Settings(examples=8)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


class SoftmaxOutput:
    def forward(self, x):
        self.out = softmax(x)
        return self.out

    def backward(self, y):
        return (self.out - y) / len(y)


class SoftmaxOutputOfWrongSign(SoftmaxOutput):
    """Of which loss it is the gradient, nobody can tell: it is not accused."""

    def backward(self, y):
        return (y - self.out) / len(y)


class ColumnsOfClasses:
    """Samples stand in columns, and backward updates nothing with the rate that it is given."""

    def forward(self, x):
        e = np.exp(x - x.max(axis=0))
        self.out = e / e.sum(axis=0)
        return self.out

    def backward(self, Y, lr):
        return self.out - Y


class SigmoidOutput:
    def forward(self, x):
        self.out = 1 / (1 + np.exp(-x))
        return self.out

    def backward(self, target):
        return self.out - target


class LinearOutput:
    """backward is given forward's input, its output and the answer."""

    def __init__(self, d):
        self.w = np.random.default_rng(0).normal(size=d)

    def forward(self, x):
        return x @ self.w

    def backward(self, x, y_hat, y):
        self.dw = 2 * x.T @ (y_hat - y) / len(y)


class Net:
    """Labels choose what one is taken off."""

    def __init__(self, n_in, n_hidden, n_out):
        self.W1, self.b1 = np.random.default_rng(0).normal(size=(n_in, n_hidden)), np.zeros(n_hidden)
        self.W2, self.b2 = np.random.default_rng(0).normal(size=(n_hidden, n_out)), np.zeros(n_out)

    def forward(self, x):
        self.x = x
        self.h = np.tanh(x @ self.W1 + self.b1)
        self.p = softmax(self.h @ self.W2 + self.b2)
        return self.p

    def backward(self, labels):
        d = self.p.copy()
        d[np.arange(len(labels)), labels] -= 1
        d /= len(labels)
        self.dW2, self.db2 = self.h.T @ d, d.sum(axis=0)
        dh = (d @ self.W2.T) * (1 - self.h**2)
        self.dW1, self.db1 = self.x.T @ dh, dh.sum(axis=0)


class NetWithoutSquare(Net):
    def backward(self, labels):
        d = self.p.copy()
        d[np.arange(len(labels)), labels] -= 1
        d /= len(labels)
        self.dW2, self.db2 = self.h.T @ d, d.sum(axis=0)
        dh = (d @ self.W2.T) * (1 - self.h)
        self.dW1, self.db1 = self.x.T @ dh, dh.sum(axis=0)


class NetWithPenalty(Net):
    """Right, where the loss holds a penalty of the weights, as a trainer may add it; forward returns none."""

    def backward(self, labels):
        super().backward(labels)
        self.dW1 = self.dW1 + 0.01 * self.W1
        self.dW2 = self.dW2 + 0.01 * self.W2


class OfAnotherLoss:
    """Right with a loss that is not usual. What moves nothing is right with every loss, and settles none."""

    def __init__(self, n_in, n_out):
        self.W, self.b = np.random.default_rng(0).normal(size=(n_in, n_out)), np.zeros(n_out)
        self.s, self.t = np.zeros(n_out), np.zeros(n_out)

    def forward(self, x):
        self.x = x
        self.out = x @ self.W + self.b + 0 * self.s + 0 * self.t
        return self.out

    def backward(self, target):
        d = np.tanh(self.out - target)
        self.dW, self.db = self.x.T @ d, d.sum(axis=0)
        self.ds, self.dt = 0 * self.db, 0 * self.db


class TakesDout:
    def forward(self, x):
        return x * 3.0

    def backward(self, dout):
        return dout * 3.0


@pytest.mark.parametrize(
    ("layer", "loss"),
    [
        pytest.param(SoftmaxOutput, "mean cross entropy of the samples", id="softmax"),
        pytest.param(ColumnsOfClasses, "the cross entropy summed", id="softmax over columns"),
        pytest.param(SigmoidOutput, "binary cross entropy summed", id="sigmoid"),
        pytest.param(LinearOutput, "mean squared error of the samples", id="given forward's values again"),
        pytest.param(Net, "mean cross entropy of the samples", id="a net with labels"),
    ],
)
def test_what_is_right_with_a_usual_loss_behind_it_passes_and_the_report_says_with_which(layer, loss):
    report = check(layer, settings=FEW)
    assert report.verdict is Verdict.PASS
    assert any(loss in note for note in report.subjects[0].notes)


@pytest.mark.slow
def test_where_the_loss_is_settled_by_some_gradients_the_others_are_wrong():
    with pytest.raises(GradientFault) as raised:
        check(NetWithoutSquare, settings=FEW)
    (finding,) = raised.value.report.findings
    assert {finding.tensor, *finding.also} == {"W1", "b1"}
    (change,) = finding.edits[0].replacements
    assert change.new == "dh = (d @ self.W2.T) * (1 - self.h ** 2)"


@pytest.mark.parametrize("layer", [SoftmaxOutputOfWrongSign, OfAnotherLoss])
def test_a_backward_that_fits_no_loss_is_not_accused(layer):
    assert check(layer, settings=FEW).verdict is Verdict.INCONCLUSIVE


@pytest.mark.slow
def test_weights_alone_may_be_penalised_and_are_not_accused():
    (subject,) = check(NetWithPenalty, settings=FEW).subjects
    assert subject.verdict is Verdict.INCONCLUSIVE
    assert subject.reason is not None
    assert subject.reason.startswith("W1, W2: not the gradient of that loss")
    assert all(finding.severity != "error" for finding in subject.findings)


def test_a_layer_between_others_has_no_loss_behind_it():
    assert infer(TakesDout).implied is None


class HandsLabelsToItsBase(Net):
    """Nothing in its own source says that it is given labels: that they index is no fault of its own."""

    def backward(self, y):
        super().backward(y)
        self.db1 = self.db1 * 1.0


class IndexesWithFractions:
    """What must be whole numbers is its own."""

    def forward(self, x):
        self.order = np.argsort(x, axis=0).astype(float)
        return np.sort(x, axis=0)

    def backward(self, dout):
        dx = np.empty_like(dout)
        np.put_along_axis(dx, self.order, dout, axis=0)
        return dx


def test_an_argument_that_must_be_whole_numbers_accuses_nobody():
    assert check(HandsLabelsToItsBase, settings=FEW).verdict is Verdict.INCONCLUSIVE
    with pytest.raises(GradientFault):
        check(IndexesWithFractions, settings=FEW)
