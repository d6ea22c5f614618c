"""Where several readings run, the one that is meant: a derivative called with nothing, targets that are one-hot."""

from __future__ import annotations

import numpy as np
import pytest

from gradproof.checking import check_case
from gradproof.infer.infer import infer
from gradproof.infer.inference import judged
from gradproof.values import Verdict

pytestmark = pytest.mark.slow


def said(subject):
    """The report of a subject with nothing declared."""
    found = infer(subject)
    assert found.case is not None, found.problem
    cases = (found.case, *found.others, *(each.case for each in found.readings))
    report, *reports = [check_case(case, location="here", examples=8, inferred=True) for case in cases]
    others, readings = reports[: len(found.others)], reports[len(found.others) :]
    return judged(report, found, others, readings)


class Squash:
    """Its backward is the derivative at a state that may be given, as a cell does for its earlier steps."""

    def forward(self, x):
        self.state = np.tanh(x)
        return self.state

    def backward(self, state=None):
        return 1 - (self.state if state is None else state) ** 2


class SquashOnce(Squash):
    def backward(self, state=None):
        return 1 - (self.state if state is None else state)


class TakesAGradient(Squash):
    def backward(self, upstream=None):
        return (1 - self.state**2) * (1.0 if upstream is None else upstream)


@pytest.mark.parametrize(
    ("layer", "verdict"),
    [(Squash, Verdict.PASS), (SquashOnce, Verdict.FAIL), (TakesAGradient, Verdict.PASS)],
)
def test_what_backward_need_not_be_given_is_perhaps_not_its_gradient(layer, verdict):
    assert said(layer).verdict is verdict


class CrossEntropy:
    """The softmax is written with matrix products, so that nothing is called a sum."""

    def forward(self, A, Y):
        self.Y, ones = Y, np.ones((Y.shape[1], 1))
        powers = np.exp(A)
        self.softmax = powers / (powers @ ones @ ones.T)
        return np.ones((1, len(Y))) @ (Y * np.log(self.softmax)) @ ones / -len(Y)

    def backward(self):
        return (self.softmax - self.Y) / len(self.Y)


class CrossEntropyOfASum(CrossEntropy):
    def backward(self):
        return self.softmax - self.Y


def test_a_loss_that_is_wrong_for_all_targets_is_told_for_those_that_are_meant():
    assert said(CrossEntropy).verdict is Verdict.PASS
    report = said(CrossEntropyOfASum)
    assert [finding.code for finding in report.findings if finding.severity == "error"] == ["GP102"]
    assert any('Y=one_hot("n", "c")' in note for note in report.notes)


class OfTheLargest:
    """Rows of targets are taken for their largest entry."""

    def forward(self, x, t):
        self.t = t
        powers = np.exp(x - x.max(axis=1, keepdims=True))
        self.y = powers / powers.sum(axis=1, keepdims=True)
        ids = t.argmax(axis=1) if t.ndim == 2 else t
        return -np.log(self.y[np.arange(len(x)), ids]).mean()

    def backward(self, dout=1):
        dx = self.y.copy()
        if self.t.ndim == 1:
            dx[np.arange(len(dx)), self.t] -= 1
        else:
            dx -= self.t
        return dx * dout / len(dx)


class OfTheLargestWithoutMean(OfTheLargest):
    def backward(self, dout=1):
        return super().backward(dout) * len(self.y)


def test_targets_of_which_the_largest_entry_counts_are_one_hot():
    assert said(OfTheLargest).verdict is Verdict.PASS
    report = said(OfTheLargestWithoutMean)
    assert [finding.code for finding in report.findings if finding.severity == "error"] == ["GP102"]


class CellOfVectors:
    """Four gates in one matrix, of x beside h: at some sizes, the rows are as many as the columns by accident."""

    def __init__(self, input_dim, hidden_dim):
        self.W = np.random.default_rng(0).standard_normal((4 * hidden_dim, input_dim + hidden_dim))
        self.H = hidden_dim

    def forward(self, x, h):
        self.xh = np.concatenate([x, h])
        self.raw = np.tanh(self.W @ self.xh)
        i, f, g, o = self.raw.reshape(4, self.H)
        self.gates = i, f, g, o
        return i * f + g * o * h

    def backward(self, dout):
        i, f, g, o = self.gates
        h = self.xh[-self.H :]
        draw = np.concatenate([dout * f, dout * i, dout * o * h, dout * g * h]) * (1 - self.raw**2)
        self.dW = np.outer(draw, self.xh)
        dxh = self.W.T @ draw
        return dxh[: -self.H], dxh[-self.H :] + dout * g * o


class CellOfVectorsThatForgets(CellOfVectors):
    def backward(self, dout):
        dx, dh = super().backward(dout)
        return dx, dh - dout * self.gates[2] * self.gates[3]


def test_what_is_side_by_side_is_what_the_constructor_is_given_for_each():
    report = said(CellOfVectors)
    assert report.verdict is Verdict.PASS
    assert any('input_dim=size("d"), hidden_dim=size("h"), x="d", h="h"' in note for note in report.notes)
    assert [(f.tensor, f.severity) for f in said(CellOfVectorsThatForgets).findings] == [("h", "error")]


class SharesOfAll:
    """A softmax of one sample."""

    def forward(self, x):
        powers = np.exp(x - np.max(x))
        self.y = powers / np.sum(powers)
        return self.y

    def backward(self, dout):
        return self.y * (dout - (self.y * dout).sum(axis=-1, keepdims=True))


class SharesOfAllWithoutTheSum(SharesOfAll):
    def backward(self, dout):
        return self.y * dout


class SharesOfRows(SharesOfAll):
    def forward(self, x):
        powers = np.exp(x - np.max(x, axis=-1, keepdims=True))
        self.y = powers / np.sum(powers, axis=-1, keepdims=True)
        return self.y

    def backward(self, dout):
        return self.y * (dout - (self.y * dout).sum(axis=-1))


@pytest.mark.parametrize(
    ("layer", "verdict"),
    [
        (SharesOfAll, Verdict.INCONCLUSIVE),
        (SharesOfAllWithoutTheSum, Verdict.FAIL),
        (SharesOfRows, Verdict.FAIL),
    ],
)
def test_a_softmax_over_all_may_be_of_one_sample(layer, verdict):
    assert said(layer).verdict is verdict


class Attending:
    """Each step of one sequence attends to all of another one."""

    def forward(self, keys, queries):
        self.keys, self.queries = keys, queries
        n, t, d = keys.shape
        out = np.empty((len(queries), queries.shape[1], t))
        for step in range(queries.shape[1]):
            out[:, step] = (keys * queries[:, step].reshape(n, 1, d)).sum(axis=2)
        return out

    def backward(self, dout):
        n, _, d = self.keys.shape
        dkeys, dqueries = np.zeros_like(self.keys), np.empty_like(self.queries)
        for step in range(dout.shape[1]):
            dkeys += dout[:, step, :, None] * self.queries[:, step].reshape(n, 1, d)
            dqueries[:, step] = (dout[:, step, :, None] * self.keys).sum(axis=1)
        return dkeys, dqueries


class AttendingToTheFirst(Attending):
    def backward(self, dout):
        dkeys, dqueries = super().backward(dout)
        dqueries[..., 1:] = dqueries[..., :1]
        return dkeys, dqueries


def test_a_step_of_a_sequence_that_meets_another_has_its_width():
    report = said(Attending)
    assert report.verdict is Verdict.PASS
    assert any('keys="n t d", queries="n s d"' in note for note in report.notes)
    assert said(AttendingToTheFirst).verdict is Verdict.FAIL
