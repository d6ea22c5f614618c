"""The table of conventions: each row holds for its own example, and no row takes what belongs to another."""

import numpy as np
import pytest

from elementwise import normal, report_of
from gradproof import Verdict
from gradproof.convention import namings
from gradproof.convention.gradnames import LEVELS, pairs, partner
from gradproof.convention.leaves import path_of

pytestmark = pytest.mark.table

X = normal(4, 3)


def paired(parameters, gradients):
    found = pairs(map(path_of, parameters), map(path_of, gradients), LEVELS)
    return {parameter: found.get(path_of(parameter)) for parameter in parameters}


@pytest.mark.parametrize("row", namings.ALL, ids=lambda row: f"{row.written} as in {row.gradient}")
def test_the_example_of_each_row_is_read_as_it_says(row):
    assert paired([row.parameter], [row.gradient]) == {row.parameter: path_of(row.gradient)}


@pytest.mark.parametrize(
    ("parameters", "gradients", "wanted"),
    [
        (["W"], ["prev_dW"], {"W": None}),
        (["W"], ["sum_dW", "dW"], {"W": "dW"}),
        (["state"], ["grads['weight']"], {"state": None}),
        (["W", "gW"], ["grad_W", "grad_gW"], {"W": "grad_W", "gW": "grad_gW"}),
        (["v", "g"], ["dv", "dg"], {"v": "dv", "g": "dg"}),
    ],
    ids=["before", "sum", "hidden state", "gate", "weight norm"],
)
def test_a_likelier_name_goes_before_one_that_may_be_of_something_else(parameters, gradients, wanted):
    found = paired(parameters, gradients)
    assert found == {name: place and path_of(place) for name, place in wanted.items()}


def test_the_names_in_a_return_statement_are_read_by_the_same_table():
    assert [partner(name, ["x", "W", "b"]) for name in ("gx", "dW_total", "db", "out")] == ["x", "W", "b", None]


class Handing:
    """W and b, and their gradients, under names that say nothing; a method hands them out. ``factor`` spoils one."""

    def __init__(self, factor=1.0):
        self.factor, self.one, self.two = factor, normal(3, 2, seed=1), normal(2, seed=2)
        self.first, self.second = None, None

    def forward(self, x):
        self.x = x
        return x @ self.one + self.two

    def backward(self, dout):
        self.first, self.second = self.factor * self.x.T @ dout, dout.sum(0)
        return dout @ self.one.T


class InTwoLists(Handing):
    def get_params(self):
        return [self.one, self.two]

    def get_grads(self):
        return [self.first, self.second]


class InTwoDicts(Handing):
    @property
    def parameters(self):
        return {"one": self.one, "two": self.two}

    @property
    def gradients(self):
        return {"one": self.first, "two": self.second}


class InPairs(Handing):
    def params_and_grads(self):
        yield self.one, self.first
        yield self.two, self.second


class InDicts(Handing):
    def parameters(self):
        return [{"value": self.one, "grad": self.first}, {"value": self.two, "grad": self.second}]


class UnderAnotherName(Handing):
    """The current gradient of each, and, of the same shape, a first weight that no gradient is kept for."""

    def __init__(self, factor=1.0):
        super().__init__(factor)
        self._W, self._b, self.gate = self.one, self.two, np.zeros((3, 2))
        del self.one, self.two, self.first, self.second

    def forward(self, x):
        self.x = x
        return x @ self._W + self._b

    def backward(self, dout):
        self._grad_W_current, self._grad_b_current = self.factor * self.x.T @ dout, dout.sum(0)
        return dout @ self._W.T


@pytest.mark.parametrize("build", [InTwoLists, InTwoDicts, InPairs, InDicts, UnderAnotherName])
def test_what_methods_hand_out_and_qualified_names_are_judged(build):
    report = report_of(build(), X)
    assert report.verdict is Verdict.PASS
    assert len(report.tensors) == 3
    wrong = report_of(build(1.001), X)
    weight = "_W" if build is UnderAnotherName else "one"
    assert [finding.tensor for finding in wrong.findings if finding.severity == "error"] == [weight]


class Gated:
    """gW is a weight of its own, not the gradient of W; both gradients are returned."""

    def __init__(self, factor=1.0):
        self.factor, self.W, self.gW = factor, normal(3, 2, seed=1), normal(3, 2, seed=5)

    def forward(self, x):
        self.x = x
        self.gate = np.tanh(x @ self.gW)
        return self.gate * (x @ self.W)

    def backward(self, dout):
        da, dg = dout * self.gate, dout * (self.x @ self.W) * (1 - self.gate**2)
        return da @ self.W.T + dg @ self.gW.T, self.x.T @ da, self.factor * self.x.T @ dg


def test_a_name_that_may_be_a_gradients_is_none_where_backward_does_not_write_there():
    assert {tensor.name: tensor.verdict for tensor in report_of(Gated(), X).tensors} == dict.fromkeys(
        ("x", "W", "gW"), Verdict.PASS
    )
    assert [f.tensor for f in report_of(Gated(1.001), X).findings if f.severity == "error"] == ["gW"]


class Copies(Handing):
    """get_weights hands out copies: they are no parameters of their own."""

    def get_weights(self):
        return [self.one.copy(), self.two.copy()]

    def backward(self, dout):
        self.d_one, self.d_two = self.factor * self.x.T @ dout, dout.sum(0)
        return dout @ self.one.T


def test_copies_that_a_method_hands_out_are_no_parameters():
    assert [tensor.name for tensor in report_of(Copies(), X).tensors] == ["x", "one", "two"]
