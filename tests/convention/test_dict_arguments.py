"""Parameters that come to forward in a dict: each array of it is a tensor of its own."""

import numpy as np
import pytest

from elementwise import report_of
from gradproof import Case, Settings, UsageError, Verdict, arrays, check, labels

FEW = Settings(examples=3)


def cell_forward(x, h, parameters):
    """x: (d, m), h: (k, m): features first"""
    z = parameters["U"] @ h + parameters["W"] @ x + parameters["b"]
    return np.tanh(z), (x, h, np.tanh(z), parameters)


def slopes(dnext, cache, factor=1.0):
    x, h, out, parameters = cache
    dz = (1 - out**2) * dnext
    dx, dh = parameters["W"].T @ dz, parameters["U"].T @ dz
    return dx, dh, {"dW": dz @ x.T, "dU": factor * dz @ h.T, "db": dz.sum(axis=1, keepdims=True)}


def in_one_dict(dnext, cache, factor=1.0):
    dx, dh, gradients = slopes(dnext, cache, factor)
    return {"dx": dx, "dh": dh, **gradients}


def in_a_tuple(dnext, cache, factor=1.0):
    dx, dh, gradients = slopes(dnext, cache, factor)
    return dx, dh, gradients


def one_by_one(dnext, cache, factor=1.0):
    dx, dh, gradients = slopes(dnext, cache, factor)
    dW, dU, db = gradients["dW"], gradients["dU"], gradients["db"]
    return db, dU, dW, dh, dx


def given_again(dnext, cache, parameters):
    x, h, out, _ = cache
    return in_one_dict(dnext, (x, h, out, parameters))


def spoilt(backward):
    def cell_backward(dnext, cache):
        return backward(dnext, cache, 1.001)

    return cell_backward


PARTS = arrays({"W": "k d", "U": "k k", "b": "k 1"})


def cell_case(backward):
    return Case(cell_forward, backward, x="d m", h="k m", parameters=PARTS, settings=FEW)


@pytest.mark.parametrize("backward", [in_one_dict, in_a_tuple, one_by_one, given_again])
def test_the_parts_of_a_dict_are_judged_however_their_gradients_come_back(backward):
    report = report_of(cell_case(backward))
    names = ["x", "h", "parameters['W']", "parameters['U']", "parameters['b']"]
    assert sorted(tensor.name for tensor in report.tensors) == sorted(names)
    assert report.verdict is Verdict.PASS


@pytest.mark.parametrize("backward", [in_one_dict, in_a_tuple])
def test_the_part_whose_gradient_is_wrong_is_named(backward):
    report = report_of(cell_case(spoilt(backward)))
    assert [finding.tensor for finding in report.findings if finding.severity == "error"] == ["parameters['U']"]


class Dense:
    """The constructor takes the dict."""

    def __init__(self, params):
        self.params, self.grads = params, {}

    def forward(self, x):
        self.x = x
        return x @ self.params["weight"] + self.params["bias"]

    def backward(self, dout):
        self.grads["weight"], self.grads["bias"] = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.params["weight"].T


def test_a_constructor_may_take_a_dict_of_arrays():
    report = check(Dense, params=arrays({"weight": "d h", "bias": "h"}), x="n d", settings=FEW).subjects[0]
    assert [tensor.name for tensor in report.tensors] == ["x", "params['weight']", "params['bias']"]


def scores_loss(theta, x, y, lr=0.1):
    """A loss with all its parameters in a dict, which holds a number as well."""
    z = x @ theta["W"] * theta["scale"]
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    rows = np.arange(len(x))
    loss = -np.log(p[rows, y]).mean()
    p[rows, y] -= 1
    return loss, {"W": x.T @ p / len(x) * theta["scale"]}


def test_a_loss_may_return_the_gradients_of_the_parts_alone():
    theta = arrays({"W": "d c", "scale": 2.0})
    report = check(scores_loss, theta=theta, x="n d", y=labels("n", "c"), settings=FEW).subjects[0]
    assert [tensor.name for tensor in report.tensors] == ["theta['W']"]
    assert "no gradient is returned for x: not checked" in report.notes


def test_the_declaration_of_a_dict_is_source_that_can_be_run():
    case = cell_case(in_one_dict)
    written = 'parameters=arrays({"W": "k d", "U": "k k", "b": "k 1"})'
    assert written in case.declaration()


@pytest.mark.parametrize("given", [{}, "d h", {1: "d h"}, {"W": "d -"}])
def test_what_is_no_dict_of_shapes_is_refused(given):
    with pytest.raises(UsageError):
        arrays(given)
