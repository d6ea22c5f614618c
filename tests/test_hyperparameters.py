"""Hyper-parameters vary within their plain domain: a fault that shows only away from the default is told as such."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradproof import Case, GradientFault, Settings, check, size
from gradproof.check import check_case
from gradproof.diagnose.departures import departure
from gradproof.infer.variations import alternatives, variations
from gradproof.values import Example, Varied, Verdict

FEW = Settings(examples=8)


class Swish:
    def __init__(self, beta=1.0):
        self.beta = beta

    def forward(self, x):
        self.x, self.s = x, 1 / (1 + np.exp(-self.beta * x))
        return x * self.s

    def backward(self, dout):
        return dout * (self.s + self.beta * self.x * self.s * (1 - self.s))


class SwishWithoutBeta(Swish):
    def backward(self, dout):
        return dout * (self.s + self.x * self.s * (1 - self.s))


class Subsample:
    """Every stride-th step; it refuses what does not divide the length."""

    def __init__(self, stride=2):
        self.stride = stride

    def forward(self, x):
        if x.shape[1] % self.stride:
            raise ValueError("the stride must divide the length")
        self.shape = x.shape
        return x[:, :: self.stride]

    def backward(self, dout):
        dx = np.zeros(self.shape)
        dx[:, :: self.stride] = dout
        return dx


def mean_pool_forward(x, pool_param):
    width, stride = pool_param["width"], pool_param["stride"]
    steps = (x.shape[1] - width) // stride + 1
    out = np.stack([x[:, i * stride : i * stride + width].mean(axis=1) for i in range(steps)], axis=1)
    return out, (x, pool_param)


def mean_pool_backward(dout, cache):
    x, pool_param = cache
    width, stride = pool_param["width"], pool_param["stride"]
    dx = np.zeros_like(x)
    for i in range(dout.shape[1]):
        dx[:, i * stride : i * stride + width] += dout[:, i : i + 1] / width
    return dx


class HalvedDropout:
    """2 stands for 1 / (1 - p), which is right for p = 0.5 alone."""

    def __init__(self, p=0.5):
        self.p = p

    def forward(self, x):
        self.mask = np.random.default_rng(1).random(x.shape) > self.p
        return x * self.mask / (1 - self.p)

    def backward(self, dout):
        return dout * self.mask


def test_a_fault_away_from_the_default_is_told_with_its_law():
    with pytest.raises(GradientFault) as caught:
        check(SwishWithoutBeta, x="n d", settings=FEW)
    (finding,) = caught.value.report.findings
    assert dict(finding.lines)["law"] == "fails whenever beta != 1, passes at beta = 1"
    assert dict(finding.lines)["values"].startswith("beta = 0.5, x = [[")


def test_what_was_varied_is_told():
    report = check(Swish, x="n d", settings=FEW)
    assert report.verdict is Verdict.PASS
    assert any(note.startswith("beta = 1, and 0.5, 2 in ") for note in report.subjects[0].notes)


def test_a_value_with_which_the_layer_does_not_run_is_not_used():
    report = check(Subsample, x="n 2*t", settings=FEW)
    assert report.verdict is Verdict.PASS
    assert report.subjects[0].tensors[0].entries > 0


def test_a_declared_value_stays():
    report = check(SwishWithoutBeta, beta=1.0, x="n d", settings=FEW)
    assert report.verdict is Verdict.PASS


def test_the_entries_of_a_dict_that_was_guessed_vary():
    pool = {"width": 2, "stride": 2}
    case = Case(mean_pool_forward, mean_pool_backward, x="n t", pool_param=pool, dims={"t": (3, 6)}, settings=FEW)
    assert not variations(case, inferred=False)
    report = check_case(case, location="mean_pool", inferred=True)
    assert report.verdict is Verdict.PASS
    assert any(note.startswith("pool_param['stride'] = 2, and 1, 3 in ") for note in report.notes)


def test_a_change_that_fits_the_default_alone_is_not_told():
    with pytest.raises(GradientFault) as caught:
        check(HalvedDropout, x="n d", settings=Settings(examples=16))
    told = " ".join(text for finding in caught.value.report.findings for _, text in finding.lines)
    assert "* 2" not in told
    assert "2 *" not in told


@pytest.mark.parametrize(
    ("name", "own", "others"),
    [
        ("alpha", 1.0, (0.5, 2.0)),
        ("alpha", 1, (2, 3)),
        ("slope", 0.01, (0.3, 0.7)),
        ("p", 0.5, (0.3, 0.7)),
        ("p", 0.0, (0.3,)),
        ("eps", 1e-5, (1e-4,)),
        ("eps", 1e-12, (1e-10,)),
        ("eps", 0.1, (0.3, 0.7)),
        ("stride", 1, (2, 3)),
        ("padding", 0, (1, 2)),
        ("kernel_size", 2, (1, 3)),
        ("kernel_size", (2, 2), ((2, 3), (3, 2), (2, 1))),
        ("axis", -1, (0,)),
        ("use_bias", True, (False,)),
        ("training", True, ()),
        ("seed", 1, ()),
        ("lr", 0.1, ()),
        ("threshold", 20.0, ()),
        ("hidden_dim", 64, ()),
        ("dim", 1, ()),
        ("name", "relu", ()),
        ("mask", None, ()),
    ],
    ids=str,
)
def test_other_values_stay_in_the_plain_domain(name: str, own: Any, others: tuple[Any, ...]):
    found = alternatives(name, own, rank=2)
    assert len(found) == len(others)
    assert np.allclose(found, others) if found else True


def test_the_law_needs_passing_examples_at_the_default():
    at, away = (_example(value) for value in (1.0, 2.0))
    assert departure([away], [at]) is None
    assert departure([away], [at, at]) == "fails whenever alpha != 1, passes at alpha = 1"
    assert departure([away], [at, at, away]) == "fails only where alpha != 1, passes at alpha = 1"
    assert departure([away, at], [at, at]) is None


def _example(value: float) -> Example:
    return Example({}, {}, {}, 0, varied={"alpha": Varied("alpha", value, 1.0, of_constructor=True)})


def test_sizes_are_no_hyperparameters():
    assert not variations(Case(Sized, d=size("d"), x="n d"), inferred=True)


class Sized:
    def __init__(self, d, hidden=3):
        self.W = np.ones((d, hidden))

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T
