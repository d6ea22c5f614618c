"""Losses that return one value for each sample, and losses that forward keeps in an attribute."""

import numpy as np
import pytest

from elementwise import report_of
from gradproof import Case, Settings, Verdict, constant, floats, labels
from gradproof.report.lines import lines

pytestmark = pytest.mark.table

FEW = Settings(examples=3)


class PerSample:
    """Half the squared distance of each row, (n,); ``divisor`` of n rows and d columns is what backward divides by."""

    def forward(self, y, t):
        self.difference = y - t
        return 0.5 * np.sum(self.difference**2, axis=1)

    def backward(self):
        return self.difference / self.divisor(*self.difference.shape)


class OfTheSum(PerSample):
    def divisor(self, n, d):
        return 1


class OfTheMean(PerSample):
    def divisor(self, n, d):
        return n


class OfNeither(PerSample):
    def divisor(self, n, d):
        return 2 * n


class OfTheColumns(PerSample):
    def divisor(self, n, d):
        return d


class Column(OfTheMean):
    """The same as a column, (n, 1)."""

    def forward(self, y, t):
        return super().forward(y, t)[:, None]


class OfTheMeanByLength(PerSample):
    def backward(self):
        return 2 * self.difference / len(self.difference)


def of(loss):
    return report_of(Case(loss, y="n d", t=constant("n d"), settings=FEW))


@pytest.mark.parametrize(("loss", "word"), [(OfTheSum, "sum"), (OfTheMean, "mean"), (Column, "mean")])
def test_a_loss_of_each_sample_is_judged_by_what_backward_is_the_gradient_of(loss, word):
    report = of(loss)
    assert report.verdict is Verdict.PASS
    assert f"forward returns one loss for each sample: judged as the gradient of their {word}" in report.notes


@pytest.mark.parametrize("loss", [OfNeither, OfTheColumns])
def test_a_backward_that_is_the_gradient_of_neither_is_wrong(loss):
    report = of(loss)
    assert [finding.tensor for finding in report.findings if finding.severity == "error"] == ["y"]


def test_where_neither_fits_the_source_says_which_is_meant():
    (finding,) = [finding for finding in of(OfTheMeanByLength).findings if finding.severity == "error"]
    assert "yours / numeric = 2" in str(lines(finding))


class LocalSlope:
    """An activation whose backward returns its derivative: no loss, and no mean is looked for."""

    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self):
        return (1 - self.y**2) / len(self.y)


def test_a_derivative_of_each_entry_is_not_taken_for_that_of_a_mean():
    assert report_of(Case(LocalSlope, x="n", settings=FEW)).verdict is Verdict.FAIL


class Logistic:
    """forward returns probabilities, and keeps the mean loss; ``factor`` spoils the gradient."""

    factor = 1.0

    def __init__(self):
        self.loss = None

    def forward(self, x, t):
        self.t, self.y = t, 1 / (1 + np.exp(-x))
        self.loss = np.mean(np.logaddexp(0, x) - t * x)
        return self.y

    def backward(self):
        return self.factor * (self.y - self.t) / self.y.size


class WrongLogistic(Logistic):
    factor = 1.001


class WithADefault(Logistic):
    def backward(self, dout=1.0):
        return dout * super().backward()


class ReturnsNothing(Logistic):
    def forward(self, x, t):
        super().forward(x, t)


class Counts(LocalSlope):
    """An attribute that no loss bears the name of is none."""

    def forward(self, x):
        self.scale = float(np.abs(x).max())
        return super().forward(x)

    def backward(self):
        return 1 - self.y**2


BITS = constant(floats("n d", min_value=0.0, max_value=1.0))


@pytest.mark.parametrize("loss", [Logistic, WithADefault, ReturnsNothing])
def test_a_loss_that_forward_keeps_is_what_backward_is_judged_by(loss):
    report = report_of(Case(loss, x="n d", t=BITS, settings=FEW))
    assert report.verdict is Verdict.PASS
    note = "backward takes no dout: judged as the gradient of self.loss, where forward keeps the loss"
    assert note in report.notes


def test_a_wrong_gradient_of_a_loss_that_forward_keeps_is_accused():
    report = report_of(Case(WrongLogistic, x="n d", t=BITS, settings=FEW))
    assert [finding.tensor for finding in report.findings if finding.severity == "error"] == ["x"]


def test_another_number_in_an_attribute_is_no_loss():
    assert report_of(Case(Counts, x="n d", settings=FEW)).verdict is Verdict.PASS


class Labelled:
    """Of labels, each sample's own loss: (n,)."""

    def forward(self, x, t):
        self.t = t
        shifted = x - x.max(axis=1, keepdims=True)
        self.p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
        return -np.log(self.p[np.arange(len(x)), t])

    def backward(self):
        dx = self.p.copy()
        dx[np.arange(len(dx)), self.t] -= 1
        return dx / len(dx)


def test_the_losses_of_labelled_samples_are_judged_by_their_mean():
    assert report_of(Case(Labelled, x="n c", t=labels("n", "c"), settings=FEW)).verdict is Verdict.PASS
