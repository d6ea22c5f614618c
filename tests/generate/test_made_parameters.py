"""Parameters that a layer makes itself are drawn: a fault behind a gamma of 1 or a bias of 0 shows, and no other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradproof import Case, GradientFault, Settings, check, size
from gradproof.checking import check_case
from gradproof.generate import parameters
from gradproof.generate.arrays import Style
from gradproof.report.lines import lines
from gradproof.values import Example, Made, Verdict

pytestmark = pytest.mark.table

FEW = Settings(examples=4)


class Scaled:
    """y = g tanh(x) + b with g made of ones and b of zeros."""

    def __init__(self, d):
        self.g, self.b = np.ones(d), np.zeros(d)

    def forward(self, x):
        self.t = np.tanh(x + self.b)
        return self.g * self.t

    def backward(self, dout):
        self.dg = (dout * self.t).sum(axis=0)
        ds = dout * self.g * (1 - self.t**2)
        self.db = ds.sum(axis=0)
        return ds


class ScaledWithoutGain(Scaled):
    def backward(self, dout):
        super().backward(dout)
        return dout * (1 - self.t**2)


class Lazy:
    """W of zeros, made at the first forward, and kept in two dicts."""

    def __init__(self, units):
        self.units, self.params, self.grads = units, {}, {}

    def forward(self, x):
        if not self.params:
            self.params["W"] = np.zeros((x.shape[1], self.units))
        self.x, self.h = x, np.tanh(x @ self.params["W"])
        return self.h

    def backward(self, dout):
        dz = dout * self.slope()
        self.grads["W"] = self.x.T @ dz
        return dz @ self.params["W"].T

    def slope(self):
        return 1 - self.h**2


class LazyWithoutSquare(Lazy):
    def slope(self):
        return 1 - self.h


class Gate:
    """y = x + a x^2 with a, a Python number that is 0 at first."""

    def __init__(self):
        self.a, self.da = 0.0, 0.0

    def forward(self, x):
        self.x = x
        return x + self.a * x**2

    def backward(self, dout):
        self.da = float(np.sum(dout * self.x**2))
        return dout * (1 + 2 * self.a * self.x)


class GateWithoutTwo(Gate):
    def backward(self, dout):
        super().backward(dout)
        return dout * (1 + self.a * self.x)


class Tied:
    """y = x W W^T: one array under two names, and in a list."""

    def __init__(self, d, h):
        self.W = 0.01 * np.random.default_rng(d).standard_normal((d, h))
        self.params, self.grads = [self.W], [np.zeros_like(self.W)]

    def forward(self, x):
        self.x = x
        return x @ self.W @ self.W.T

    def backward(self, dout):
        W = self.params[0]
        self.grads[0][...] = self.x.T @ (dout @ W) + dout.T @ (self.x @ W)
        return dout @ W @ W.T


class Deviation:
    """y = x / s + log(s) with s, a standard deviation."""

    def __init__(self, d):
        self.s = np.full(d, 2.0)

    def forward(self, x):
        self.x = x
        return x / self.s + np.log(self.s)

    def backward(self, dout):
        self.ds = (dout * (1 / self.s - self.x / self.s**2)).sum(axis=0)
        return dout / self.s


class Clipped:
    """y = p x with p near 1, which forward keeps between 1/2 and 3/2, as it always is."""

    def __init__(self, d):
        self.p = np.full(d, 1.0)

    def forward(self, x):
        self.x = x
        return np.clip(self.p, 0.5, 1.5) * x

    def backward(self, dout):
        self.dp = (dout * self.x).sum(axis=0)
        return dout * np.clip(self.p, 0.5, 1.5)


class Positions:
    """A table that no optimizer moves is left alone: backward counts on its rows of length 1."""

    def __init__(self, d):
        self.table = np.ones(d) / np.sqrt(d)
        self.g = np.ones(d)

    def forward(self, x):
        self.x = x
        return self.g * x * (self.table @ self.table)

    def backward(self, dout):
        self.dg = (dout * self.x).sum(axis=0)
        return dout * self.g


@pytest.mark.parametrize(
    ("layer", "arguments", "tensor"),
    [
        (ScaledWithoutGain, {"d": size("d")}, "x"),
        (LazyWithoutSquare, {"units": size("h")}, "W"),
        (GateWithoutTwo, {}, "x"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_fault_that_the_first_values_hide_is_found(layer: Any, arguments: Any, tensor: str):
    with pytest.raises(GradientFault) as caught:
        check(layer, **arguments, x="n d", settings=FEW)
    findings = caught.value.report.findings
    assert tensor in {name for finding in findings for name in (finding.tensor, *finding.also)}


@pytest.mark.parametrize(
    ("layer", "arguments"),
    [
        (Scaled, {"d": size("d")}),
        (Lazy, {"units": size("h")}),
        (Gate, {}),
        (Tied, {"d": size("d"), "h": size("h")}),
        (Deviation, {"d": size("d")}),
        (Clipped, {"d": size("d")}),
        (Positions, {"d": size("d")}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_right_layer_is_right_at_other_parameters(layer: Any, arguments: Any):
    report = check(layer, **arguments, x="n d", settings=FEW)
    assert report.verdict is Verdict.PASS


def test_the_smallest_case_shows_the_values_that_were_put_in():
    with pytest.raises(GradientFault) as caught:
        check(GateWithoutTwo, x="n d", settings=FEW)
    (finding,) = [f for f in caught.value.report.findings if f.tensor == "x"]
    assert dict(lines(finding))["values"] == "a = 1, x = [[1]]"


def test_the_same_seed_draws_the_same_parameters():
    first, second = (_told(Case(ScaledWithoutGain, d=size("d"), x="n d", settings=FEW)) for _ in range(2))
    assert first == second


def _told(case: Case) -> list[Any]:
    with pytest.raises(GradientFault) as caught:
        check(case)
    found = [dict(lines(finding)) for finding in caught.value.report.findings]
    return [(told["worst entry"], told["law"], told["values"]) for told in found]


def test_values_keep_the_domain_of_the_authors_own():
    own = {
        "variance": Made((), np.array([1.0, 4.0])),
        "share": Made((), np.array([0.5, 0.1])),
        "slope": Made((), np.array([-1.0, -2.0])),
    }
    own = {name: parameters.with_domain(made) for name, made in own.items()}
    for style in (Style.SIMPLE, Style.NORMAL, Style.NEGATIVE):
        found = parameters.drawn(own, style, np.random.default_rng(0))
        assert (found["variance"].value > 0).all()
        assert (found["slope"].value < 0).all()
        assert ((found["share"].value > 0) & (found["share"].value < 1)).all()


def test_values_are_cut_to_other_shapes():
    wide, narrow = Made((), np.arange(6.0).reshape(2, 3)), Made((), np.zeros((1, 2)))
    assert parameters.fitted({"W": wide}, {"W": narrow})["W"].value.tolist() == [[0.0, 1.0]]


def test_an_example_has_the_authors_own_values_where_it_names_none():
    assert Example({}, {}, {}, 0).made == {}


class TwoLayers:
    """Its last weights begin at 0, where the gradient of the first is 0 whatever backward makes of it."""

    def __init__(self, d, h):
        self.V, self.W = np.ones((d, h)), np.zeros((h, 1))

    def forward(self, x):
        self.x = x
        self.a = np.tanh(x @ self.V)
        return self.a @ self.W

    def backward(self, dout):
        self.dW = self.a.T @ dout
        da = dout @ self.W.T * (1 - self.a**2)
        self.dV = self.x.T @ da
        return (da @ self.V.T)[None]


class TwoLayersWrong(TwoLayers):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dV = 2.0 * self.dV
        return dx


@pytest.mark.parametrize(("layer", "wrong"), [(TwoLayers, {"x"}), (TwoLayersWrong, {"x", "V"})])
def test_another_form_of_one_gradient_hides_no_other(layer, wrong):
    report = check_case(Case(layer, d=size("d"), h=size("h"), x="n d"), location="x", examples=4)
    assert {finding.tensor for finding in report.findings if finding.severity == "error"} == wrong
