"""Gradients that ignore dout, its sign or its size: what a layer shows, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradproof import Case, GradientFault, Settings, check
from gradproof.report.lines import lines
from gradproof.values import Dependence, Outcome
from outcomes import named, search

ALL, NONE = frozenset({"W"}), frozenset[str]()
FEW = Settings(examples=5)  # beside the corner shapes


def asked(negated: frozenset[str], rescaled: frozenset[str]) -> list[Outcome]:
    """Failing outcomes of W, whose gradient stayed the same under these changes of dout."""
    dependence = Dependence(np.ones(2), np.ones(2), False, negated, rescaled)
    return [replace(outcome, dependence=dependence) for outcome in search(lambda g, dims: np.exp(g))]


@pytest.mark.parametrize(
    ("negated", "rescaled", "likely"),
    [
        pytest.param(ALL, ALL, "backward computes dW without dout", id="both"),
        pytest.param(ALL, NONE, "dW ignores the sign of dout", id="sign"),
        pytest.param(NONE, ALL, "dW ignores the size of dout", id="size"),
    ],
)
def test_what_of_dout_is_ignored_is_named(negated: frozenset[str], rescaled: frozenset[str], likely: str) -> None:
    code, lines = named(asked(negated, rescaled))
    assert (code, lines["likely cause"]) == ("GP111", likely)


@pytest.mark.parametrize("other", [NONE, frozenset({"b"})], ids=["none", "another tensor"])
def test_a_gradient_that_follows_dout_is_not_accused_of_ignoring_it(other: frozenset[str]) -> None:
    assert named(asked(other, other))[0] == "GP101"


def test_one_example_that_follows_dout_refutes_the_cause() -> None:
    outcomes = asked(ALL, ALL)
    outcomes[-1] = replace(outcomes[-1], dependence=asked(NONE, NONE)[0].dependence)
    assert named(outcomes)[0] == "GP101"


def test_a_right_gradient_elsewhere_refutes_that_dout_is_ignored() -> None:
    assert named([*asked(ALL, ALL), *search(lambda g, dims: g)])[0] == "GP101"


def test_a_constant_zero_is_called_never_written_and_not_ignorant_of_dout() -> None:
    dependence = Dependence(np.ones(2), np.ones(2), False, ALL, ALL)
    assert named([replace(o, dependence=dependence) for o in search(lambda g, dims: 0 * g)])[0] == "GP104"


class Affine:
    """dx = seen(dout) W.T: right where ``seen`` is the identity."""

    seen: Callable[[Any], Any]

    def __init__(self, W):
        self.params, self.grads = [W], [np.zeros_like(W)]

    def forward(self, x):
        self.x = x
        return x @ self.params[0]

    def backward(self, dout):
        self.grads[0][...] = self.x.T @ dout
        return type(self).seen(dout) @ self.params[0].T


class WithoutDout(Affine):
    seen = np.ones_like


class WithoutSign(Affine):
    seen = np.abs


class SignOnly(Affine):
    seen = np.sign


class Offset(Affine):
    """Wrong, and not blind: it follows the sign and the size."""

    @staticmethod
    def seen(dout):
        return dout + 1


class ScalarLoss:
    """A loss whose backward takes no dout: there is none to ignore, and one term is missing."""

    def forward(self, x):
        self.x = x
        return float(np.sum(x**2 + np.sin(x)))

    def backward(self):
        return 2 * self.x


@pytest.mark.parametrize(
    ("layer", "likely"),
    [
        pytest.param(WithoutDout, "backward computes dx without dout", id="ignores it"),
        pytest.param(WithoutSign, "dx ignores the sign of dout", id="ignores its sign"),
        pytest.param(SignOnly, "dx ignores the size of dout", id="ignores its size"),
    ],
)
def test_a_layer_blind_to_dout_is_named_from_end_to_end(layer: type, likely: str) -> None:
    with pytest.raises(GradientFault) as caught:
        check(Case(layer, W="d h", x="n d", settings=FEW))
    (finding,) = caught.value.report.findings
    assert (finding.tensor, finding.code) == ("x", "GP111")
    assert dict(lines(finding))["likely cause"] == likely


def test_a_layer_that_adds_to_dout_follows_it_and_has_a_term_too_many() -> None:
    with pytest.raises(GradientFault) as caught:
        check(Case(Offset, W="d h", x="n d", settings=FEW))
    (finding,) = caught.value.report.findings
    assert (finding.tensor, finding.code) == ("x", "GP113")
    assert "something that is not multiplied by dout is added" in dict(lines(finding))["likely cause"]


def test_a_backward_that_takes_no_dout_does_not_ignore_it() -> None:
    with pytest.raises(GradientFault) as caught:
        check(Case(ScalarLoss, x="n d", settings=FEW))
    (finding,) = caught.value.report.findings
    assert finding.code == "GP113"
    assert dict(lines(finding))["likely cause"] == "a term of dx is missing, or one too many: the one with cos(x)"
