"""Hyper-parameters vary within their plain domain: a fault that shows only away from the default is told as such."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradproof import Case, GradientFault, Settings, check, constant, size
from gradproof.checking import check_case
from gradproof.diagnose.departures import departure
from gradproof.findings import Fact
from gradproof.infer.infer import infer
from gradproof.infer.variations import alternatives, variations
from gradproof.report.lines import lines
from gradproof.values import Example, Varied, Verdict

pytestmark = pytest.mark.table

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
    assert dict(lines(finding))["law"].endswith(" beta != 1, passes at beta = 1")
    assert dict(lines(finding))["values"].startswith("beta = 0.5, x = [[")


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
    told = " ".join(text for finding in caught.value.report.findings for _, text in lines(finding))
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
    alpha = {"name": "alpha", "value": "1"}
    assert departure([away], [at, at]) == Fact("fails-away-from", alpha)
    assert departure([away], [at, at, away]) == Fact("fails-only-away-from", alpha)
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


def cut_to_the_middle_forward(x, pad_param):
    pad = pad_param["pad"]
    padded = np.pad(x, ((0, 0), (pad, pad)))
    return padded**2, (padded, pad)


def cut_to_the_middle_backward(dout, cache):
    padded, pad = cache
    return (dout * 2 * padded)[:, pad : padded.shape[1] - pad]


def empty_without_a_pad_backward(dout, cache):
    padded, pad = cache
    return (dout * 2 * padded)[:, pad:-pad]


def raising_without_a_pad_backward(dout, cache):
    padded, pad = cache
    return (dout * 2 * padded)[:, pad:-pad].reshape(len(padded), padded.shape[1] - 2 * pad)


def checked_with_a_guessed_pad(backward):
    case = Case(cut_to_the_middle_forward, backward, x="n t", pad_param={"pad": 1}, settings=Settings(examples=16))
    return check_case(case, location="cut", inferred=True)


@pytest.mark.parametrize(
    ("backward", "code"), [(empty_without_a_pad_backward, "GP201"), (raising_without_a_pad_backward, "GP303")]
)
def test_a_backward_that_does_not_run_where_forward_does_is_wrong_at_that_value(backward, code):
    report = checked_with_a_guessed_pad(backward)
    (finding,) = [finding for finding in report.findings if finding.severity == "error"]
    assert (report.verdict, finding.code) == (Verdict.FAIL, code)
    assert dict(lines(finding))["law"] == "fails whenever pad_param['pad'] = 0, passes at other values"


def test_a_backward_that_runs_at_each_of_these_values_passes():
    assert checked_with_a_guessed_pad(cut_to_the_middle_backward).verdict is Verdict.PASS


class Ridge:
    """A loss with a penalty on its weight."""

    def __init__(self, w, reg=0.0):
        self.w, self.reg = w, reg

    def forward(self, x, t):
        self.x, self.d = x, x @ self.w - t
        return 0.5 * np.sum(self.d**2) + 0.5 * self.reg * np.sum(self.w**2)

    def backward(self, dout=1):
        self.dw = dout * (self.x.T @ self.d + self.reg * self.w)
        return dout * np.outer(self.d, self.w)


class RidgeWithoutHalf(Ridge):
    def backward(self, dout=1):
        self.dw = dout * (self.x.T @ self.d + 2 * self.reg * self.w)
        return dout * np.outer(self.d, self.w)


class Decayed:
    """A layer whose net adds the penalty to the loss."""

    def __init__(self, w, weight_decay=0.0):
        self.w, self.weight_decay = w, weight_decay

    def forward(self, x):
        self.x = x
        return x @ self.w

    def backward(self, dout):
        self.dw = self.x.T @ dout + self.weight_decay * self.w
        return dout @ self.w.T


def test_the_strength_of_a_penalty_varies_where_forward_has_it():
    assert check(Ridge, w="d", x="n d", t=constant("n"), settings=FEW).verdict is Verdict.PASS
    with pytest.raises(GradientFault) as caught:
        check(RidgeWithoutHalf, w="d", x="n d", t=constant("n"), settings=FEW)
    (finding,) = caught.value.report.findings
    assert dict(lines(finding))["law"] == "fails whenever reg != 0, passes at reg = 0"


def test_a_penalty_that_a_layer_leaves_to_its_net_stays_at_nothing():
    report = check(Decayed, w="d h", x="n d", settings=FEW)
    assert report.verdict is Verdict.PASS
    assert not any("weight_decay" in note for note in report.subjects[0].notes)


def by_groups_forward(x, G):
    n, c = x.shape
    parts = x.reshape(n, G, c // G)
    mean = parts.mean(axis=2, keepdims=True)
    return (parts - mean).reshape(n, c), G


def by_groups_backward(dout, G):
    n, c = dout.shape
    parts = dout.reshape(n, G, c // G)
    return (parts - parts.mean(axis=2, keepdims=True)).reshape(n, c)


def by_groups_backward_wrong(dout, G):
    return by_groups_backward(dout, G) if G > 1 else dout


def test_one_group_is_tried_as_well():
    def judged(backward):
        case = infer((by_groups_forward, backward)).case
        return check_case(case, location="x", inferred=True)

    assert judged(by_groups_backward).verdict is Verdict.PASS
    report = judged(by_groups_backward_wrong)
    assert report.verdict is Verdict.FAIL
    assert "G" in dict(lines(report.findings[0]))["law"]
