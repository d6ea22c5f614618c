"""Models whose loss is given data and whose gradient method returns the gradients of their own parameters alone."""

import numpy as np
import pytest

from elementwise import report_of
from gradproof import Settings, Verdict
from gradproof.infer.infer import infer

pytestmark = pytest.mark.table


class Regression:
    """Least squares with one output: targets of more columns than one would broadcast, which nobody means."""

    factor = 2.0

    def __init__(self, d):
        self.W = np.full((d, 1), 0.1)

    def loss(self, X, y):
        return np.mean((X @ self.W - y) ** 2)

    def gradient(self, X, y):
        return self.factor * X.T @ (X @ self.W - y) / len(X)


class HalfRegression(Regression):
    factor = 1.0


class Classifier:
    """A linear softmax classifier of labels."""

    def __init__(self, d, c):
        self.W, self.b = np.full((d, c), 0.1), np.zeros(c)

    def loss(self, X, y):
        scores = np.exp(X @ self.W + self.b)
        self.p = scores / scores.sum(axis=1, keepdims=True)
        return -np.mean(np.log(self.p[np.arange(len(y)), y]))

    def gradient(self, X, y):
        difference = self.p.copy()
        difference[np.arange(len(y)), y] -= 1
        difference /= self.count(len(y))
        return X.T @ difference, difference.sum(axis=0)

    def count(self, n):
        return n


class SummedClassifier(Classifier):
    def count(self, n):
        return 1


class WithANumber(Regression):
    """Its bias is a plain number, whose gradient stands nowhere beside it."""

    def __init__(self, d):
        self.w, self.b = np.full(d, 0.1), 0.0

    def loss(self, X, y):
        return np.mean((X @ self.w + self.b - y) ** 2)

    def gradient(self, X, y):
        difference = X @ self.w + self.b - y
        return 2 * X.T @ difference / len(X), 2 * np.mean(difference)


def report(model):
    case = infer(model).case
    assert case is not None
    return report_of(case.under(Settings(examples=3)))


@pytest.mark.parametrize("model", [Regression, Classifier])
def test_a_right_model_passes_and_its_data_have_no_gradient(model):
    assert 'X=constant("n k")' in infer(model).declaration
    assert report(model).verdict is Verdict.PASS


def test_the_gradients_of_a_wrong_model_are_accused():
    for model, tensors in ((HalfRegression, {"W"}), (SummedClassifier, {"W", "b"})):
        wrong = {tensor.name for tensor in report(model).tensors if tensor.verdict is Verdict.FAIL}
        assert wrong == tensors


def test_labels_and_the_rows_that_they_choose_from_keep_sizes_of_their_own():
    assert 'y=labels("n", "c")' in infer(Classifier).declaration


def test_a_gradient_of_a_number_that_is_told_from_nothing_neither_passes_nor_fails():
    assert report(WithANumber).verdict is Verdict.INCONCLUSIVE
