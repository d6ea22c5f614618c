"""Losses with nothing declared: which argument is the answer, in either order, by many names."""

import numpy as np
import pytest

from elementwise import report_of
from gradproof import Case, Settings, Verdict, constant, size
from gradproof.infer.answers import answer_of
from gradproof.infer.infer import infer

pytestmark = pytest.mark.table

FEW = Settings(examples=4)  # beside the corner shapes


@pytest.mark.parametrize(
    ("names", "answer"),
    [
        ("y_pred y_true", "y_true"),
        ("y_true y_pred", "y_true"),
        ("y t", "t"),
        ("t y", "t"),
        ("y y_hat", "y"),
        ("yhat y", "y"),
        ("y p", "y"),
        ("a y", "y"),
        ("x y", "y"),
        ("target output", "target"),
        ("predicted actual", "actual"),
        ("logits labels", "labels"),
        ("scores y", "y"),
        ("anchor positive negative", None),
        ("x1 x2", None),
    ],
)
def test_the_answer_of_a_loss_is_read_off_its_names(names, answer):
    assert answer_of(names.split(), loss=True) == answer


def test_a_bare_y_is_an_answer_only_of_what_is_a_loss_or_beside_a_prediction():
    assert answer_of(["x", "y"], loss=False) is None
    assert answer_of(["y", "y_pred"], loss=False) == "y"


class TargetsFirst:
    factor = 1.0

    def loss(self, y, y_pred):
        return np.mean((y - y_pred) ** 2)

    def gradient(self, y, y_pred):
        return self.factor * 2 * (y_pred - y) / y.size


class Reversed(TargetsFirst):
    factor = -1.0


class OtherNames:
    def calculate_loss(self, target, output):
        return np.sum((target - output) ** 2) / 2

    def calculate_gradient(self, target, output):
        return output - target


def test_a_loss_with_its_targets_first_is_judged_by_the_gradient_of_its_predictions():
    assert 'y=constant("n d"), y_pred="n d"' in (infer(TargetsFirst).declaration or "")
    assert report_of(TargetsFirst, settings=FEW).verdict is Verdict.PASS
    assert [f.tensor for f in report_of(Reversed, settings=FEW).findings if f.severity == "error"] == ["y_pred"]


def test_losses_under_other_names_of_their_two_methods_are_found():
    assert 'target=constant("n d"), output="n d"' in (infer(OtherNames).declaration or "")


class Regression:
    """A model: its gradient method is given data, and returns the gradients of its parameters in their order."""

    factor = 1.0

    def __init__(self, d):
        self.w, self.b = np.ones((d, 1)), np.zeros((1, 1))

    def loss(self, X, y):
        return np.mean((X @ self.w + self.b - y) ** 2)

    def gradient(self, X, y):
        error = X @ self.w + self.b - y
        return self.factor * 2 * X.T @ error / error.size, 2 * np.mean(error).reshape(1, 1)


class WrongRegression(Regression):
    factor = 2.0


@pytest.mark.parametrize(("model", "wrong"), [(Regression, []), (WrongRegression, ["w"])])
def test_a_model_that_returns_the_gradients_of_its_parameters_alone_is_judged_by_them(model, wrong):
    case = Case(model, d=size("d"), X="n d", y=constant("n 1"), settings=FEW, dims={"n": (2, 6)})
    report = report_of(case)
    assert [f.tensor for f in report.findings if f.severity == "error"] == wrong
    assert [tensor.name for tensor in report.tensors] == ["w", "b"]


class HandedItsPredictions:
    """backward is given the predictions again, under a name that is often dout's."""

    factor = 1.0

    def forward(self, y_pred, y_true):
        return np.mean((y_true - y_pred) ** 2, axis=-1)

    def backward(self, dvalues, y_true):
        samples, outputs = dvalues.shape
        self.dinputs = self.factor * 2 * (dvalues - y_true) / outputs / samples


class WrongHandedItsPredictions(HandedItsPredictions):
    factor = -1.0


class HandedItsOutput:
    """A softmax with its cross entropy: what backward is given again is what forward kept."""

    def forward(self, inputs, y_true):
        shifted = np.exp(inputs - inputs.max(axis=1, keepdims=True))
        self.output = shifted / shifted.sum(axis=1, keepdims=True)
        return np.mean(-np.log(self.output[np.arange(len(inputs)), y_true]))

    def backward(self, dvalues, y_true):
        self.dinputs = dvalues.copy()
        self.dinputs[np.arange(len(dvalues)), y_true] -= 1
        self.dinputs = self.dinputs / len(dvalues)


@pytest.mark.parametrize("loss", [HandedItsPredictions, HandedItsOutput])
def test_a_loss_that_is_handed_its_predictions_again_is_right(loss):
    report = report_of(loss, settings=FEW)
    assert report.verdict is Verdict.PASS
    assert any("backward is called with dvalues=" in note for note in report.notes)


def test_a_wrong_loss_that_is_handed_its_predictions_again_is_accused_of_its_gradient():
    report = report_of(WrongHandedItsPredictions, settings=FEW)
    assert [f.tensor for f in report.findings if f.severity == "error"] == ["y_pred"]
