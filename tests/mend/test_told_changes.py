"""What is told of a change is the mend, and can be pasted: not what only looks like one at the examples tried."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradproof import Case, labels
from gradproof.checking import check_case
from gradproof.findings import Finding
from gradproof.mend.change import parse
from gradproof.mend.change_tester import Mend
from gradproof.mend.changes.orders import _overwrites
from gradproof.mend.changes.signs import signs
from gradproof.mend.edited import parses
from gradproof.mend.hollow import _takes_back, _undoes
from gradproof.mend.mend import Mended
from gradproof.mend.suggested_changes import mended
from gradproof.mend.targets import trees_of
from gradproof.report.lines import lines
from gradproof.source.hints import code_of
from gradproof.values import Verdict

pytestmark = pytest.mark.table


def told(case: Case) -> tuple[str, list[str]]:
    """The cause that is told first, and the changed lines without their places."""
    report = check_case(case, location="layers.py::Layer", examples=6)
    finding = dict(lines(next(each for each in report.findings if each.severity == "error")))
    changed = finding.get("change to", "").split("\n")[:-1]
    return finding.get("likely cause", ""), [line.split("   ", 1)[1] for line in changed]


def squashed(x: Any) -> tuple[Any, Any]:
    o = 1 / (1 + np.exp(-x))
    return o, o


def squashed_with_a_term_too_many(dout: Any, o: Any) -> Any:
    return dout * o * (1 - o) + 0.1 * dout * o


def doubled(x: Any) -> tuple[Any, Any]:
    return 2 * x, x


def doubled_but_for_one_row(dout: Any, x: Any) -> Any:
    return 2 * dout if len(x) > 1 else 3 * dout


def doubled_in_a_branch(dout: Any, x: Any) -> Any:
    dx = 2 * dout
    if len(dout) > 2:
        dx = np.tanh(dout) + x
    return dx


def hinge(W: Any, X: Any, y: Any, reg: float) -> tuple[Any, Any]:
    n = X.shape[0]
    scores = X.dot(W)
    m = np.maximum(0, scores - scores[np.arange(n), y].reshape(-1, 1) + 1)
    m[np.arange(n), y] = 0
    z = (m > 0) * 1.0
    z[np.arange(n), y] = -np.sum(z, axis=1)
    dW = X.T.dot(z) / n
    return m.sum() / n, dW


def hinge_with_a_bare_penalty(W: Any, X: Any, y: Any, reg: float) -> tuple[Any, Any]:
    loss, dW = hinge(W, X, y, reg)
    dW = dW * 1.0
    dW += reg * W
    return loss, dW


@pytest.mark.parametrize(
    ("case", "likely", "change"),
    [
        pytest.param(
            Case(squashed, squashed_with_a_term_too_many, x="n d"),
            "too many",
            "return dout * o * (1 - o)",
            id="a term, and no factor that is 0 everywhere",
        ),
        pytest.param(
            Case(doubled, doubled_but_for_one_row, x="n d"), "", "return 2 * dout", id="a branch, and no constant test"
        ),
        pytest.param(
            Case(doubled, doubled_in_a_branch, x="n d"), "", "(without this", id="a statement that one case has alone"
        ),
        pytest.param(
            Case(hinge_with_a_bare_penalty, W="d c", X="n d", y=labels("n", "c"), reg=0.37, dims={"c": (2, 5)}),
            "one too many",
            "(without this line)",
            id="a line too many, and no two lines in the wrong order",
        ),
    ],
)
def test_it_is_told_as_what_it_is(case: Case, likely: str, change: str) -> None:
    cause, changed = told(case)
    assert likely in cause
    assert change in changed[0]
    assert "wrong order" not in cause


def framed(x: Any, pad: int) -> tuple[Any, Any]:
    padded = np.pad(x, ((0, 0), (pad, pad)))
    return padded * padded, (padded, pad)


def unframed_unless_nothing_was_added(dout: Any, cache: Any) -> Any:
    padded, pad = cache
    dpadded = 2 * dout * padded
    return dpadded[:, pad:-pad]


def unframed(dout: Any, cache: Any) -> Any:
    padded, pad = cache
    dpadded = 2 * dout * padded
    return dpadded[:, pad : -pad or None]


def test_an_end_of_minus_zero_is_told_as_what_it_is() -> None:
    case = Case(framed, unframed_unless_nothing_was_added, x="n d", pad=0)
    cause, changed = told(case)
    assert "at pad = 0 nothing is taken" in cause
    assert changed[0] == "return dpadded[:, pad:-pad or None]"


def mixed(x: Any, w: Any) -> tuple[Any, Any]:
    bend = 2.0
    return bend * x * w, (x, bend, w)


def mixed_with_too_few_names(dout: Any, cache: Any) -> Any:
    x, w = cache
    return 2.0 * dout * w, (2.0 * dout * x).sum(axis=0)


def mixed_with_a_part_taken_apart(dout: Any, cache: Any) -> Any:
    x, bend, w = cache[0]
    return bend * dout * w, (bend * dout * x).sum(axis=0)


def mixed_with_a_shape_called(dout: Any, cache: Any) -> Any:
    x, bend, w = cache
    return bend * dout * w, np.sum(bend * dout * x, axis=dout.ndim() - 2)


@pytest.mark.parametrize(
    ("backward", "cause", "change"),
    [
        (mixed_with_too_few_names, "cache holds 3 things", "x, _, w = cache"),
        (mixed_with_a_part_taken_apart, "cache[0] is one thing of it", "x, bend, w = cache"),
        (mixed_with_a_shape_called, "is no function", "axis=dout.ndim - 2)"),
    ],
)
def test_what_raises_wherever_it_runs_is_told_with_what_runs(
    backward: Callable[..., Any], cause: str, change: str
) -> None:
    likely, changed = told(Case(mixed, backward, x="n d", w="d"))
    assert cause in likely
    assert changed[0].endswith(change)


def right(dout: Any, o: Any) -> Any:
    return dout * o * (1 - o)


@pytest.mark.parametrize(
    ("forward", "backward", "specs"),
    [
        pytest.param(squashed, right, {"x": "n d"}, id="a factor that is never 0"),
        pytest.param(doubled, lambda dout, x: 2 * dout, {"x": "n d"}, id="no branch"),
        pytest.param(framed, unframed, {"x": "n d", "pad": 0}, id="an end of None"),
    ],
)
def test_a_right_neighbour_is_left_in_peace(
    forward: Callable[..., Any], backward: Callable[..., Any], specs: dict[str, Any]
) -> None:
    report = check_case(Case(forward, backward, **specs), location="x", examples=6)
    assert (report.verdict, report.findings) == (Verdict.PASS, ())


@pytest.mark.parametrize(
    ("text", "undoes"),
    [
        ("-(-dout @ W.T)", True),
        ("-(dout @ W.T)", False),
        ("x.swapaxes(1, 2).transpose(0, 2, 1)", True),
        ("x.swapaxes(1, 2)", False),
        ("3 * ((tau - 1) * e / e)", True),
        ("3 * ((tau - 1) * e / d)", False),
    ],
)
def test_a_formula_that_takes_back_what_it_does(text: str, undoes: bool) -> None:
    assert _undoes(parse(text)) is undoes


@pytest.mark.parametrize(
    ("line", "back"),
    [("y = dc - dh * o + dh * o", True), ("y = dc - dh * o + dh * f", False), ("y = a * (b - c) - a * (b - d)", False)],
)
def test_a_sum_that_takes_back_a_term(line: str, back: bool) -> None:
    statement = ast.parse(line).body[0]
    assert isinstance(statement, ast.Assign)
    assert isinstance(statement.value, ast.BinOp)
    assert _takes_back(statement, statement.value.left) is back


@pytest.mark.parametrize(
    ("first", "second", "overwrites"),
    [
        ("dW = x.T @ d", "dW += reg * W", True),
        ("dW = x.T @ d", "dW = d", True),
        ("dW = dW / n", "dW += reg * W", False),
        ("dW = x.T @ d", "db = d", False),
        ("dW *= 2", "dW += reg * W", False),
    ],
)
def test_a_line_behind_another_that_leaves_nothing_of_it(first: str, second: str, overwrites: bool) -> None:
    assert _overwrites(ast.parse(first).body[0], ast.parse(second).body[0]) is overwrites


@pytest.mark.parametrize(
    ("line", "is_python"),
    [
        ("np.add.at(dx, (:, j:j + k), d)", False),
        ("np.add.at(dx, np.s_[:, j:j + k], d)", True),
        ("return dout * np.where(x > 0, 1, ...", False),
        ("for t in reversed(range(n)):", True),
        ("dw = 0  # before this line", True),
        ("(without this line)", True),
    ],
)
def test_a_told_line_is_python(line: str, is_python: bool) -> None:
    assert parses(line) is is_python


def spelled(x: Any, w: Any) -> tuple[Any, Any]:
    return x**2 * w, (x, w)


# fmt: off
def spelled_in_its_own_way(dout: Any, cache: Any) -> Any:
    x, w = cache
    dx = dout*w * (3*x)  # a comment
    return dx, (dout *
                x**2)
# fmt: on


def test_only_the_span_that_changes_is_written_anew() -> None:
    _, changed = told(Case(spelled, spelled_in_its_own_way, x="n", w="n"))
    assert changed == ["dx = dout*w * (2*x)"]


def gated(x: Any, w: Any) -> tuple[Any, Any]:
    return np.tanh(x) * w, (np.tanh(x), w)


def gated_with_two_slips(dout: Any, cache: Any) -> Any:
    t, w = cache
    d = dout + 1
    dw = (d * t).sum(axis=0)
    dx = d * w * (1 - t)
    return dx, dw


def test_the_second_of_two_slips_is_told_with_the_first() -> None:
    report = check_case(Case(gated, gated_with_two_slips, x="n d", w="d"), location="x", examples=6)
    changes = {each.tensor: dict(lines(each)).get("change to", "") for each in report.findings}
    assert "d = dout" in changes["w"]
    assert "(1 - t ** 2)" in changes["x"]
    assert "d = dout" in changes["x"]


class MovesItself:
    """Its rate of learning is ours where it is checked, and may be any number."""

    def __init__(self, W):
        self.W = W

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout, lr):
        dx, n = dout @ self.W.T, len(self.x)
        self.dW = 1 / n * np.einsum("nd, nh -> dh", self.x, dout)
        self.W = self.W - lr * self.dW
        return dx


def test_the_rate_of_learning_stands_in_no_change():
    report = check_case(Case(MovesItself, W="d h", x="n d"), location="x")
    (told,) = [dict(lines(finding)) for finding in report.findings if finding.severity == "error"]
    assert "self.dW = np.einsum" in told["change to"]
    assert "lr" not in told["change to"]


class SoftmaxWithAnEpsilon:
    """Right but for 1e-10: with the epsilon in its sum, the maximum that is taken off matters a little."""

    def forward(self, x):
        self.exp = np.exp(x - np.max(x, axis=-1, keepdims=True))
        self.total = self.exp.sum(axis=-1, keepdims=True) + 1e-10
        return self.exp / self.total

    def backward(self, dout):
        dtotal = -(dout * self.exp).sum(axis=-1, keepdims=True) / self.total**2
        return self.exp * (dout / self.total + dtotal)


def test_no_other_forward_is_told_where_backward_is_nearly_the_derivative_of_this_one():
    report = check_case(Case(SoftmaxWithAnEpsilon, x="n d"), location="here")
    assert report.verdict is Verdict.FAIL
    assert all(finding.code != "GP110" and not finding.edits for finding in report.findings)


def test_a_change_that_was_not_tried_where_backward_raises_is_not_told_for_that() -> None:
    tree = trees_of(code_of(gated, gated_with_two_slips)).backward[0]
    mend = Mend(next(iter(signs(tree))), tree, frozenset({"w"}), 5)
    raises = Finding("GP303", "gated")
    (tried,) = mended([raises], Mended((mend,), wrong=mend.tensors, raising=True))
    (not_tried,) = mended([raises], Mended((mend,), wrong=mend.tensors))
    assert (len(tried.edits), len(not_tried.edits)) == (1, 0)
