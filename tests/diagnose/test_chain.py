"""Composites: the part that is wrong by itself, else the place where the chain breaks; told once for all gradients."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from elementwise import normal
from gradproof import Case
from gradproof.diagnose.chain import weak_link
from gradproof.explain.ranking import told_once
from gradproof.findings import Cause, Finding
from gradproof.report import sentences
from gradproof.report.lines import headline, lines
from gradproof.subject.subject import subject_of
from gradproof.values import Entry, Example


class Affine:
    def __init__(self, W):
        self.params, self.grads = [W], [np.zeros_like(W)]

    def forward(self, x):
        self.x = x
        return x @ self.params[0]

    def backward(self, dout):
        self.grads[0][...] = self.x.T @ dout
        return dout @ self.params[0].T


class AffineOverBatch(Affine):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads[0] /= len(self.x)
        return dx


class Tanh:
    def __init__(self):
        self.params, self.grads = [], []

    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, dout):
        return dout * (1 - self.out**2)


class Net:
    """Affine, tanh, affine."""

    first = last = Affine

    def __init__(self, W1, W2):
        self.layers = [self.first(W1), Tanh(), self.last(W2)]
        self.params = [p for layer in self.layers for p in layer.params]
        self.grads = [g for layer in self.layers for g in layer.grads]

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dout):
        for layer in reversed(self.layers):
            dout = layer.backward(dout)
        return dout


class FirstPartWrong(Net):
    first = AffineOverBatch


class LastPartWrong(Net):
    last = AffineOverBatch


class InForwardOrder(Net):
    def backward(self, dout):
        for layer in self.layers:
            dout = layer.backward(dout)
        return dout


class ActivationSkipped(Net):
    def backward(self, dout):
        return self.layers[0].backward(self.layers[2].backward(dout))


class AveragedAtTheEnd(Net):
    def backward(self, dout):
        return super().backward(dout / len(dout))


class DoubledInBetween(Net):
    def backward(self, dout):
        first, middle, last = self.layers
        return first.backward(middle.backward(2 * last.backward(dout)))


class InADict(Net):
    """The parts by name, the last of them wrong."""

    def __init__(self, W1, W2):
        super().__init__(W1, W2)
        self.named = {"one": self.layers[0], "two": self.layers[1], "three": AffineOverBatch(W2)}
        self.layers = None

    def forward(self, x):
        for layer in self.named.values():
            x = layer.forward(x)
        return x

    def backward(self, dout):
        for layer in reversed(list(self.named.values())):
            dout = layer.backward(dout)
        return dout


class BranchDropped:
    """a(x) + b(x); the dout of b does not come back."""

    def __init__(self, W1, W2):
        self.a, self.b = Affine(W1), Affine(W2)
        self.params, self.grads = [W1, W2], [*self.a.grads, *self.b.grads]

    def forward(self, x):
        return self.a.forward(x) + self.b.forward(x)

    def backward(self, dout):
        self.b.backward(dout)
        return self.a.backward(dout)


class OneForBoth:
    """tanh(a W) - tanh(b W), both by one layer, which remembers its last call alone."""

    def __init__(self, W):
        self.affine, self.params, self.grads = Affine(W), [W], [np.zeros_like(W)]

    def forward(self, a, b):
        self.a, self.b = (np.tanh(self.affine.forward(x)) for x in (a, b))
        return self.a - self.b

    def backward(self, dout):
        db = self.affine.backward(-dout * (1 - self.b**2))
        self.grads[0][...] = self.affine.grads[0]
        da = self.affine.backward(dout * (1 - self.a**2))
        self.grads[0] += self.affine.grads[0]
        return da, db


class OneForBothOfAnotherSlip(OneForBoth):
    """It gives the layer back what the first call needs; what is wrong is the derivative of tanh."""

    def backward(self, dout):
        db = self.affine.backward(-dout * (1 - self.b**2))
        self.grads[0][...] = self.affine.grads[0]
        self.affine.forward(self.x)
        da = self.affine.backward(dout * (1 - self.a))
        self.grads[0] += self.affine.grads[0]
        return da, db

    def forward(self, a, b):
        self.x = a
        return super().forward(a, b)


@pytest.mark.parametrize("net", [OneForBoth, OneForBothOfAnotherSlip])
def test_a_part_that_remembers_its_last_call_alone_is_named_where_a_memory_mends_it(net: type) -> None:
    case = Case(net, W="d d", a="n d", b="n d")
    inputs = {"a": normal(4, 3), "b": normal(4, 3, seed=1)}
    example = Example({"n": 4, "d": 3}, {"W": normal(3, 3, seed=2)}, inputs, 0, frozenset(inputs))
    found = weak_link(example, functools.partial(subject_of, case, example))
    assert (found is not None and found.proven) is (net is OneForBoth)
    if net is OneForBoth:
        told = "Affine in affine is called several times in one forward, and remembers the last call alone"
        assert (found.cause.code, sentences.likely(found.cause, "x")) == ("GP121", told)


def link(net: type) -> Any:
    case = Case(net, W1="d d", W2="d d", x="n d")
    weights = {"W1": normal(3, 3, seed=1), "W2": normal(3, 3, seed=2)}
    example = Example({"n": 4, "d": 3}, weights, {"x": normal(4, 3)}, 0, frozenset({"x"}))
    return weak_link(example, functools.partial(subject_of, case, example))


BROKEN: Mapping[type, tuple[str, str]] = {
    FirstPartWrong: ("GP120", "AffineOverBatch in layers[0] is wrong by itself"),
    LastPartWrong: ("GP120", "AffineOverBatch in layers[2] is wrong by itself"),
    InADict: ("GP120", "AffineOverBatch in named['three'] is wrong by itself"),
    InForwardOrder: ("GP121", "the chaining between the dout of the whole and Affine in layers[2] is wrong"),
    AveragedAtTheEnd: ("GP121", "between the dout of the whole and Affine in layers[2], dout is multiplied by 1/n"),
    DoubledInBetween: ("GP121", "between Affine in layers[2] and Tanh in layers[1], dout is multiplied by 2"),
    ActivationSkipped: ("GP121", "backward leaves Tanh in layers[1] out of the chain"),
    BranchDropped: ("GP121", "a branch not added to dx"),
}


@pytest.mark.parametrize(("net", "told"), BROKEN.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_the_weak_link_of_a_composite_is_named(net: type, told: tuple[str, str]) -> None:
    found = link(net)
    assert found.cause.code == told[0]
    assert told[1] in f"{sentences.headline(found.cause, 'x')}; {sentences.likely(found.cause, 'x')}"
    assert found.forwards > 0


class Moving:
    """It moves its own weights in backward, as many courses write it."""

    def __init__(self, W):
        self.W = W

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout, learning_rate):
        dx = dout @ self.W.T
        self.W -= learning_rate * self.x.T @ dout
        return dx


class MovingDoubled:
    """Its parts and their chain are right; what it returns in the end is twice the gradient."""

    def __init__(self, W1, W2):
        self.first, self.last = Moving(W1), Moving(W2)

    def forward(self, x):
        return self.last.forward(np.tanh(self.first.forward(x)))

    def backward(self, dout, learning_rate):
        dh = self.last.backward(dout, learning_rate)
        h = self.last.x
        return 2 * self.first.backward(dh * (1 - h**2), learning_rate)


def test_of_a_net_that_updates_itself_no_chaining_is_called_wrong() -> None:
    assert link(MovingDoubled) is None


def test_a_layer_without_parts_has_no_weak_link() -> None:
    case = Case(AffineOverBatch, W="d h", x="n d")
    example = Example({}, {"W": normal(3, 2)}, {"x": normal(4, 3)}, 0, frozenset({"x"}))
    assert weak_link(example, functools.partial(subject_of, case, example)) is None


DIVIDED = Cause("GP102", "divided-by-a-size", {"size": "n", "sign": 1}, {"ratio": 0.5, "factors": ("1/n",)})
BY_D = replace(DIVIDED, parameters={"size": "d", "sign": 1})
CHAINING = Cause("GP121", "wrongly-collected")
PART = Cause("GP120", "wrong-part", {"part": "Affine", "path": "a", "tensors": ("x",)}, of=DIVIDED, tensor="x")


def finding(code: str, tensor: str | None, cause: Cause | None = None) -> Finding:
    worst = None if tensor is None else Entry((0,), 1.0, 2.0, 1e-9)
    return Finding(code, "Net", tensor=tensor, cause=cause, worst=worst)


def test_one_cause_of_several_gradients_is_told_once() -> None:
    found = told_once([finding("GP102", name, DIVIDED) for name in ("x", "W1", "b1")])
    assert [headline(f) for f in found] == ["the gradients of x, W1 and b1 are wrong"]
    assert ("the same for", "W1, b1") in lines(found[0])


def test_two_causes_of_two_gradients_are_told_both() -> None:
    found = told_once([finding("GP102", "x", DIVIDED), finding("GP102", "W", BY_D)])
    assert [f.tensor for f in found] == ["x", "W"]


def test_a_wrong_part_stands_for_every_gradient_of_the_whole() -> None:
    found = told_once([finding("GP101", "x"), finding("GP102", "W", DIVIDED), finding("GP120", None, PART)])
    assert [(f.code, f.tensor) for f in found] == [("GP120", "x")]
    assert ("accounts for", "the wrong gradient of x, W") in lines(found[0])


def test_gradients_without_a_cause_stay_apart_where_no_chaining_explains_them() -> None:
    assert [f.tensor for f in told_once([finding("GP101", "x"), finding("GP101", "W")])] == ["x", "W"]


def test_a_gradient_with_a_cause_comes_before_one_without() -> None:
    assert [
        f.code for f in told_once([finding("GP101", "x"), finding("GP103", "W", Cause("GP103", "wrong-sign"))])
    ] == ["GP103", "GP101"]


def test_a_broken_chain_comes_before_gradients_without_a_cause() -> None:
    found = told_once([finding("GP101", "x"), finding("GP101", "W"), finding("GP121", None, CHAINING)])
    assert [(f.code, f.tensor) for f in found] == [("GP121", None), ("GP101", "x")]
