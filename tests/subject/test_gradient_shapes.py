"""Gradients of another shape than their tensor's: which can be read, what an update makes of them, what is told."""

import functools

import numpy as np
import pytest

from gradproof import Case, Settings
from gradproof.checking import check_case
from gradproof.differentiate.claims import claims_of
from gradproof.infer.infer import infer
from gradproof.report.lines import lines
from gradproof.subject.gradient_shapes import consequence, is_readable, is_taken_in_place, read
from gradproof.values import Verdict

pytestmark = pytest.mark.table

# gradient, tensor, whether each entry can be told, whether param -= lr * grad works and means what is meant
SHAPES = [
    pytest.param((3,), (1, 3), True, True, id="a bias of a row, summed"),
    pytest.param((1, 3), (3,), True, False, id="keepdims"),
    pytest.param((3,), (3, 1), True, False, id="a column, flattened"),
    pytest.param((), (1,), True, True, id="a number"),
    pytest.param((1, 3), (3, 1), True, False, id="a row for a column"),
    pytest.param((6,), (2, 3), True, False, id="flattened"),
    pytest.param((2, 12), (2, 3, 4), True, False, id="images flattened"),
    pytest.param((6, 4), (2, 3, 4), True, False, id="a batch and time as one axis"),
    pytest.param((2, 3, 1, 4), (2, 12), True, False, id="not flattened"),
    pytest.param((3, 2), (2, 3), False, False, id="transposed"),
    pytest.param((4, 6), (2, 3, 4), False, False, id="axes of another order"),
    pytest.param((3,), (2, 3), False, False, id="summed too often"),
    pytest.param((2, 3), (3,), False, False, id="not summed"),
    pytest.param((), (3,), False, False, id="one number for three"),
]


@pytest.mark.parametrize(("found", "shape", "readable", "taken"), SHAPES)
def test_a_shape_is_readable_or_taken_by_an_update(found, shape, readable, taken):
    assert is_readable(found, shape) is readable
    assert is_taken_in_place(found, shape) is taken


@pytest.mark.parametrize(("found", "shape"), [parameter.values[:2] for parameter in SHAPES])
def test_what_an_update_makes_of_a_gradient_is_what_numpy_makes_of_it(found, shape):
    told = consequence("W", found, shape)
    W, dW = np.zeros(shape), np.ones(found)
    try:
        W -= 0.1 * dW
        raises = False
    except ValueError:
        raises = True
    if W.size == dW.size:
        assert (told is not None) is raises
    if told is not None and "makes" in told:
        assert str((W - 0.1 * dW).shape) in told


def test_entries_are_read_in_c_order():
    assert read(np.arange(6), (2, 3)).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert read(np.arange(6).reshape(3, 2), (2, 3)) is None
    assert read(None, (2, 3)) is None


def test_one_gradient_that_cannot_be_read_keeps_no_other_from_being_judged():
    values = {"x": np.ones((4, 2)), "W": np.ones((2, 3)), "b": np.ones((1, 3))}
    given = {"x": np.ones((4, 2)), "W": None, "b": np.ones(3)}
    found = claims_of(values, given, {name: np.dtype(float) for name in ("W", "b")})
    assert [tensor.name for tensor in found.tensors] == ["x", "b"]
    assert [tensor.name for tensor in found.unread] == ["W"]
    assert [(d.code, d.tensor, d.severity) for d in found.defects] == [
        ("GP202", "W", "error"),
        ("GP201", "b", "warning"),
    ]


class Dense:
    def __init__(self, W, b):
        self.W, self.b = W, b
        self.dW = self.db = None

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = self.of_bias(dout)
        return dout @ self.W.T

    def of_bias(self, dout):
        return dout.sum(axis=0)


class Kept(Dense):
    def of_bias(self, dout):
        return dout.sum(axis=0, keepdims=True)


class KeptAndAveraged(Dense):
    def of_bias(self, dout):
        return dout.mean(axis=0, keepdims=True)


class Averaged(Dense):
    def of_bias(self, dout):
        return dout.mean(axis=0)


class Nothing(Dense):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dW, self.db = 2 * self.dW, None
        return dx


@functools.cache
def told_of(cls, b):
    case = Case(cls, W="d h", b=b, x="n d", settings=Settings(examples=6))
    report = check_case(case, location="here")
    return report, {(f.code, f.tensor, f.severity) for f in report.findings}


@pytest.mark.parametrize(
    ("cls", "b", "verdict", "findings"),
    [
        pytest.param(Dense, "h", Verdict.PASS, set(), id="right"),
        pytest.param(Dense, "1 h", Verdict.PASS, {("GP201", "b", "warning")}, id="an update takes it"),
        pytest.param(Kept, "1 h", Verdict.PASS, set(), id="a row for a row"),
        pytest.param(Kept, "h", Verdict.FAIL, {("GP201", "b", "error")}, id="an update raises"),
        pytest.param(
            Averaged, "1 h", Verdict.FAIL, {("GP201", "b", "warning"), ("GP102", "b", "error")}, id="wrong, taken"
        ),
        pytest.param(
            KeptAndAveraged, "h", Verdict.FAIL, {("GP201", "b", "error"), ("GP102", "b", "error")}, id="wrong, raises"
        ),
        pytest.param(
            Nothing, "h", Verdict.FAIL, {("GP202", "b", "error"), ("GP102", "W", "error")}, id="missing beside wrong"
        ),
    ],
)
def test_the_form_of_a_gradient_and_its_values_are_told_apart(cls, b, verdict, findings):
    report, told = told_of(cls, b)
    assert (report.verdict, told) == (verdict, findings)


def test_a_gradient_that_is_missing_counts_as_not_judged():
    report, _ = told_of(Nothing, "h")
    judged = {tensor.name: (tensor.judged, tensor.verdict) for tensor in report.tensors}
    assert judged["b"] == (0, Verdict.INCONCLUSIVE)
    assert judged["x"][0] > 0


@pytest.mark.slow
def test_the_change_mends_the_shape_or_the_values_whichever_is_wrong():
    changes = {}
    for cls, b in ((Kept, "h"), (KeptAndAveraged, "h"), (Averaged, "1 h")):
        report, _ = told_of(cls, b)
        changes[cls] = [dict(lines(f)).get("change to", "").split("\n")[0] for f in report.findings]
    assert [change.rpartition("return ")[2] for change in changes[Kept]] == ["dout.sum(axis=0)"]
    assert any(change.endswith("dout.sum(axis=0, keepdims=True)") for change in changes[KeptAndAveraged])
    assert any(change.endswith("dout.sum(axis=0)") for change in changes[Averaged])


def pair_forward(x, w, b):
    return x @ w + b, (x, w)


def pair_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=0, keepdims=True)


class ColumnError:
    def forward(self, y, t):
        assert y.shape[1] == t.shape[1] == 1
        self.difference = y[:, 0] - t[:, 0]
        return 0.5 * np.sum(self.difference**2)

    def backward(self):
        return self.difference


@pytest.mark.parametrize(
    ("subject", "declared"),
    [
        pytest.param(Kept, infer(Dense).declaration.replace("Dense", "Kept"), id="of a layer"),
        pytest.param(
            (pair_forward, pair_backward), 'Case(pair_forward, pair_backward, x="n d", w="d h", b="h")', id="of a pair"
        ),
        pytest.param(ColumnError, 'Case(ColumnError, y="n 1", t=constant("n 1"))', id="of a loss"),
    ],
)
def test_no_shape_is_inferred_for_the_sake_of_a_gradient(subject, declared):
    assert infer(subject).declaration == declared


def summed_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout, np.sum(dout)


class Summed(Dense):
    def of_bias(self, dout):
        return np.sum(dout)


@pytest.mark.parametrize("subject", [(pair_forward, summed_backward), Summed], ids=["of a pair", "of a layer"])
def test_a_sum_over_all_axes_makes_no_bias_one_number(subject):
    assert 'b="h"' in infer(subject).declaration
