"""Layers that hand nothing over: forward stores its output, backward the gradient of its input; both return None."""

from __future__ import annotations

import numpy as np
import pytest

from elementwise import normal, report_of
from gradproof import Verdict

pytestmark = pytest.mark.table

X = normal(4, 3)


def storing(output, slope):
    """An affine layer that stores its output and the gradient of its input under these names."""

    class Storing:
        def __init__(self, factor=1.0):
            self.factor = factor
            self.weights, self.biases = normal(3, 2, seed=1), normal(1, 2, seed=2)

        def forward(self, inputs):
            self.inputs = inputs
            setattr(self, output, inputs @ self.weights + self.biases)

        def backward(self, dvalues):
            self.dweights = self.inputs.T @ dvalues
            self.dbiases = np.sum(dvalues, axis=0, keepdims=True)
            setattr(self, slope, self.factor * dvalues @ self.weights.T)

    return Storing


class Loss:
    """Returns its value, takes no dout, and stores the gradient of its input."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def forward(self, inputs):
        self.inputs = inputs
        return np.mean(inputs**2)

    def backward(self):
        self.dinputs = self.factor * 2 * self.inputs / self.inputs.size


class InPlace(storing("output", "dinputs")):
    """Writes both into buffers that are there from the beginning."""

    def __init__(self, factor=1.0):
        super().__init__(factor)
        self.output, self.dinputs = np.zeros((4, 2)), np.zeros((4, 3))

    def forward(self, inputs):
        self.inputs = inputs
        self.output[...] = inputs @ self.weights + self.biases

    def backward(self, dvalues):
        self.dweights, self.dbiases = self.inputs.T @ dvalues, np.sum(dvalues, axis=0, keepdims=True)
        self.dinputs[...] = self.factor * dvalues @ self.weights.T


STORING = {
    "output and dinputs": storing("output", "dinputs"),
    "out and dx": storing("out", "dx"),
    "y and grad_input": storing("y", "grad_input"),
    "outputs and input_grad": storing("outputs", "input_grad"),
    "a loss": Loss,
    "in place": InPlace,
}


@pytest.mark.parametrize("build", STORING.values(), ids=STORING)
def test_what_a_right_layer_stores_is_read_and_told(build):
    report = report_of(build(), X)
    assert [finding for finding in report.findings if finding.severity == "error"] == []
    assert {tensor.verdict for tensor in report.tensors} == {Verdict.PASS}
    assert [note for note in report.notes if note.startswith("the gradient of the input is read from self.")]


@pytest.mark.parametrize("build", STORING.values(), ids=STORING)
def test_a_wrong_gradient_that_is_stored_is_found(build):
    errors = [finding for finding in report_of(build(1.001), X).findings if finding.severity == "error"]
    assert [finding.tensor for finding in errors] == ["inputs"]


class ForgetsToReturn:
    """Its backward returns dx, so its forward forgot to return the output that it stores as a cache."""

    def forward(self, x):
        self.out = np.tanh(x)

    def backward(self, dout):
        return dout * (1 - self.out**2)


class ForgetsInABookLayer:
    """A net of the book's layers passes on what backward returns."""

    def __init__(self):
        self.params, self.grads = [], []

    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, dout):
        self.dx = dout * (1 - self.out**2)


@pytest.mark.parametrize(("layer", "code"), [(ForgetsToReturn, "GP207"), (ForgetsInABookLayer, "GP202")])
def test_a_forgotten_return_is_accused_though_the_value_is_stored(layer, code):
    assert [finding.code for finding in report_of(layer(), X).findings if finding.severity == "error"] == [code]
