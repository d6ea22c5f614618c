"""Habits of schools: what is handed over in attributes under other names, and what a backward is handed beside dout."""

from __future__ import annotations

import numpy as np
import pytest

from elementwise import normal
from gradproof import GradientFault, Settings, check
from gradproof.values import Verdict

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


@pytest.mark.parametrize("layer", [Dense, Cell])
def test_a_right_layer_passes(layer):
    assert check(layer, settings=FEW).verdict is Verdict.PASS


@pytest.mark.parametrize(("layer", "tensor"), [(DenseWrong, "inputs"), (CellAveraged, "W_ih")])
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
