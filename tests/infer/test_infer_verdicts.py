"""What an inferred Case may not be made to carry: blanks, exceptions at some sizes, flags that backward needs."""

from __future__ import annotations

import numpy as np
import pytest

from gradproof.checking import check_case
from gradproof.infer.infer import infer
from gradproof.infer.inference import judged
from gradproof.values import Verdict

pytestmark = pytest.mark.table

BLANK = "the output is the same for every input, as if forward were not written yet"


def said(subject):
    found = infer(subject)
    assert found.case is not None, found.problem
    return judged(check_case(found.case, location=subject_name(subject), examples=12), found)


def subject_name(subject):
    return subject[0].__name__ if isinstance(subject, tuple) else subject.__name__


def hinge_loss_blank(W, X, y, reg):
    return 0.0, np.zeros_like(W)


def hinge_loss_penalty_only(W, X, y, reg):
    return 0.5 * reg * np.sum(W * W), reg * W


def softmax_loss_written(W, X, y, reg):
    scores = X @ W
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    rows = np.arange(len(y))
    loss = -np.log(p[rows, y]).mean() + 0.5 * reg * np.sum(W * W)
    p[rows, y] -= 1
    return loss, X.T @ p / len(y) + reg * W


def affine_blank_forward(x, w, b):
    return np.zeros((len(x), w.shape[1])), (x, w, b)


def affine_blank_backward(dout, cache):
    return tuple(np.zeros_like(array) for array in cache)


class Base:
    """A promise of a layer: it returns what a subclass is to compute."""

    def __init__(self, size):
        self.w, self.dw = np.ones(size), np.zeros(size)
        self.y = np.ones(size)

    def forward(self, x):
        return self.y

    def backward(self, dout):
        self.dw = np.zeros_like(self.w)
        return np.zeros(3)


class BaseOfIndices(Base):
    def forward(self, x):
        if x.dtype.kind != "i":
            raise IndexError("arrays used as indices must be of integer (or boolean) type")
        return self.y

    def backward(self, dout):
        self.dw = np.zeros_like(self.w)


class Picks:
    """Right: the nearest thing to BaseOfIndices that reads its indices."""

    def __init__(self, size):
        self.w, self.dw = np.linspace(1, 2, size), np.zeros(size)

    def forward(self, ids):
        self.ids = ids
        return self.w[ids]

    def backward(self, dout):
        self.dw = np.zeros_like(self.w)
        np.add.at(self.dw, self.ids, dout)


class StartsAtZero:
    """Right: its output is zero for every input only as long as its weights are."""

    def __init__(self, n_in, n_out):
        self.W, self.dW = np.zeros((n_in, n_out)), np.zeros((n_in, n_out))

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param(hinge_loss_blank, id="a loss that is not written"),
        pytest.param(hinge_loss_penalty_only, id="a loss whose penalty alone is written"),
        pytest.param((affine_blank_forward, affine_blank_backward), id="a pair that is not written"),
        pytest.param(BaseOfIndices, id="a base that is given indices"),
    ],
)
def test_an_output_that_is_the_same_for_every_input_is_no_pass(subject):
    report = said(subject)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert report.reason.startswith(f"{BLANK}. Where its shapes are right, declare it: Case(")


@pytest.mark.parametrize("subject", [softmax_loss_written, Picks, StartsAtZero])
def test_a_right_layer_whose_output_moves_passes(subject):
    report = said(subject)
    assert (report.verdict, BLANK in report.notes) == (Verdict.PASS, False)


def test_a_base_that_returns_what_it_stores_is_no_pass():
    found = infer(Base)
    assert found.case is None or said(Base).verdict is not Verdict.PASS


class Neighbours:
    """Right; raises where there is one frame only, which its sizes explain."""

    slope = 1.0

    def forward(self, frames):
        n, t, d = frames.shape
        self.shape = (n, t, d)
        return frames[:, 0] + 3 * frames[:, 1]

    def backward(self, dout):
        dframes = np.zeros(self.shape)
        dframes[:, 0] += self.slope * dout
        dframes[:, 1] += 3 * dout
        return dframes


class WrongNeighbours(Neighbours):
    slope = 2.0


class RefusesOneRow:
    """Right; raises for a batch of one."""

    def forward(self, x):
        if len(x) == 1:
            raise ValueError("a batch of one")
        return 2 * x

    def backward(self, dout):
        return 2 * dout


class WrongAndRefusesOneRow(RefusesOneRow):
    def backward(self, dout):
        return 3 * dout


class MisspeltForOneRow:
    """Wrong: one of its ways reads a name that is not there."""

    def forward(self, x):
        return 2 * x if len(x) != 1 else 2 * xs  # noqa: F821

    def backward(self, dout):
        return 2 * dout


class LacksForOneRow:
    """Wrong: one of its ways reads an attribute that is never set."""

    def forward(self, x):
        return 2 * x if len(x) != 1 else self.twice * x

    def backward(self, dout):
        return 2 * dout


def test_an_exception_below_one_size_narrows_the_case():
    found = infer(Neighbours)
    assert found.declaration == "Case(Neighbours, frames=\"n t d\", dims={'t': (2, 6)})"
    report = said(Neighbours)
    assert report.verdict is Verdict.PASS
    assert report.notes[1].startswith("below t = 2, forward raises IndexError (index 1 is out of bounds")


def test_a_narrowed_case_still_finds_a_wrong_gradient():
    assert said(WrongNeighbours).verdict is Verdict.FAIL


def test_an_exception_at_some_sizes_is_a_warning():
    report = said(RefusesOneRow)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert report.reason.startswith("forward raises ValueError at n=1")
    assert [(f.code, f.severity) for f in report.findings] == [("GP302", "warning")]


def test_an_exception_at_some_sizes_excuses_no_wrong_gradient():
    report = said(WrongAndRefusesOneRow)
    assert report.verdict is Verdict.FAIL
    assert {f.severity for f in report.findings if f.code == "GP302"} == {"warning"}


@pytest.mark.parametrize("subject", [MisspeltForOneRow, LacksForOneRow])
def test_an_exception_that_no_arguments_avoid_stays_a_fault(subject):
    report = said(subject)
    assert report.verdict is Verdict.FAIL
    assert [(f.code, f.severity) for f in report.findings] == [("GP302", "error")]


class KeepsOnDemand:
    """Right, where it is asked to keep what backward needs."""

    power = 2

    def __init__(self):
        self.cache = {}

    def forward(self, Z, save_cache=False):
        if save_cache:
            self.cache["Z"] = Z
        return Z**2

    def backward(self, dout):
        return self.power * self.cache["Z"] * dout


class KeepsOnDemandAndIsWrong(KeepsOnDemand):
    power = 3


class SetsOnDemand(KeepsOnDemand):
    """The same, kept in an attribute."""

    def forward(self, Z, save_cache=False):
        if save_cache:
            self.Z = Z
        return Z**2

    def backward(self, dout):
        return self.power * self.Z * dout


class NeedsNoFlag(KeepsOnDemand):
    """Right without: the flag stays as it is by default."""

    def forward(self, Z, verbose=False):
        self.cache["Z"] = Z
        return Z**2


class NeverKeeps(KeepsOnDemand):
    """Wrong: no flag makes it keep what backward reads."""

    def forward(self, Z, save_cache=False):
        return Z**2


@pytest.mark.parametrize(
    ("subject", "flag", "verdict"),
    [
        (KeepsOnDemand, ", save_cache=True", Verdict.PASS),
        (SetsOnDemand, ", save_cache=True", Verdict.PASS),
        (NeedsNoFlag, "", Verdict.PASS),
        (KeepsOnDemandAndIsWrong, ", save_cache=True", Verdict.FAIL),
    ],
)
def test_a_flag_that_backward_needs_is_switched_on(subject, flag, verdict):
    assert infer(subject).declaration == f'Case({subject.__name__}, Z="n d"{flag})'
    assert said(subject).verdict is verdict


def test_a_flag_that_helps_nothing_is_left_alone():
    assert infer(NeverKeeps).declaration == 'Case(NeverKeeps, Z="n d")'


def columns_forward(x, w, b):
    out = np.zeros((len(x), w.shape[1]))
    for j in range(w.shape[1]):
        out[:, j] = x @ w[:, j] + b[j]
    return out, (x, w)


def columns_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)


def test_an_exception_at_one_set_of_sizes_says_more_than_a_wrong_shape_at_another():
    found = infer((columns_forward, columns_backward))
    assert found.declaration == 'Case(columns_forward, columns_backward, x="n d", w="d h", b="h")'


class TimesAndForgets:
    """A product of two inputs; backward returns the gradient of the first alone."""

    def forward(self, x, y):
        self.y = y
        return x * y

    def backward(self, dout):
        return dout * self.y


class Times(TimesAndForgets):
    def forward(self, x, y):
        self.x = x
        return super().forward(x, y)

    def backward(self, dout):
        return super().backward(dout), dout * self.x


class Masks(TimesAndForgets):
    """The same product with what has no gradient by its name."""

    def forward(self, x, mask):
        return super().forward(x, mask)


@pytest.mark.parametrize(("layer", "left_out"), [(TimesAndForgets, ["y"]), (Times, []), (Masks, [])])
def test_an_input_whose_gradient_is_left_out_keeps_an_inferred_case_in_doubt(layer, left_out):
    expected = [f"backward returns no gradient for {name}, which was taken for a constant" for name in left_out]
    assert list(infer(layer).doubts) == expected
