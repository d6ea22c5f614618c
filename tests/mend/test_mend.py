"""Small changes of the source that are tried out: what they mend is told, and nothing else is touched."""

from __future__ import annotations

import ast
import re
from typing import Any

import numpy as np
import pytest

import mended
import mended_branches
import mended_lines
from gradproof import Case
from gradproof.checking import check_case
from gradproof.findings import Finding
from gradproof.mend.change import parse
from gradproof.mend.kinds import KEPT, KEPT_FIRST, TIERS
from gradproof.mend.patch import compiled, patched
from gradproof.mend.targets import trees_of
from gradproof.mend.tree import tree_of
from gradproof.report.lines import lines
from gradproof.source.hints import code_of, place_of
from gradproof.source.source import code_of_class, function_of
from gradproof.values import Example, Outcome, Verdict
from mended import Slip

pytestmark = pytest.mark.slow

SLIPS = (*mended.SLIPS, *mended_lines.SLIPS, *mended_branches.SLIPS)


def first_error(case: Case, examples: int = 3) -> Finding:
    report = check_case(case, location="layers.py::Layer", examples=examples)
    return next(finding for finding in report.findings if finding.severity == "error")


def changed_to(finding: Finding) -> str:
    return dict(lines(finding)).get("change to", "")


def plain(told: str) -> str:
    """The statement of a told line without its author's spelling; raises where it is no Python."""
    line = told.split("   ", 1)[1]
    if line.startswith("("):
        return line
    *lines, last = ast.unparse(ast.parse(f"{line} pass" if line.endswith(":") else line)).split("\n")
    return "; ".join([*lines, last]).removesuffix(";     pass")


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip.backward.__name__)
def test_the_change_that_mends_a_slip_is_told_and_undone(slip: Slip) -> None:
    before = slip.forward.__code__, slip.backward.__code__
    tree = ast.dump(function_of(slip.backward, "backward").node)
    finding = first_error(slip.case)
    assert slip.likely in dict(lines(finding)).get("likely cause", "")
    *places, tried = changed_to(finding).split("\n")
    assert any(slip.change in plain(place) for place in places)
    assert len(places) >= 1 + ("; or " in dict(lines(finding))["likely cause"])
    assert re.fullmatch(
        r"tried: d.* (is|are) then right in (all \d+ examples|the example)(; forward must keep \w+ for it)?", tried
    )
    assert (slip.forward.__code__, slip.backward.__code__) == before
    assert ast.dump(function_of(slip.backward, "backward").node) == tree


def test_two_changes_that_mend_the_same_are_told_as_a_tie() -> None:
    finding = first_error(Case(mended_lines.nearer, mended_lines.nearer_by_one_of_two, a="n", near="n", far="n"))
    told = dict(lines(finding))["likely cause"]
    assert told == "a stands where far belongs; or a term is missing: - (2 * dout * (a - far))"
    first, second, tried = changed_to(finding).split("\n")
    assert "da = 2 * dout * (far - near)" in first
    assert "da = 2 * dout * (a - near) - 2 * dout * (a - far)" in second
    assert tried.startswith("tried: da is then right in all ")


class StepsDownAtOnce:
    def __init__(self, W):
        self.W = W

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout, learning_rate):
        self.W -= learning_rate * (self.x.T @ dout)
        return dout @ self.W.T


def test_what_is_changed_before_it_is_read_is_told() -> None:
    finding = first_error(Case(StepsDownAtOnce, W="d h", x="n d"))
    assert dict(lines(finding))["likely cause"].startswith("self.W is changed before line ")
    assert "dx = dout @ self.W.T; self.W -= learning_rate" in changed_to(finding)


def unrelated(x):
    return np.tanh(x), x


def unrelated_backward(dout, x):
    return dout * np.cosh(0.37 * x - 1.9) ** 0.31


def test_a_gradient_that_no_small_change_mends_is_given_none() -> None:
    finding = first_error(Case(unrelated, unrelated_backward, x="n d"))
    assert (finding.code, changed_to(finding)) == ("GP101", "")


class KeepsItsOutput:
    def __init__(self, W):
        self.params, self.grads = [W], [np.zeros_like(W)]

    def forward(self, x):
        x = x @ self.params[0]
        self.x = x
        return x.copy()

    def backward(self, dout):
        self.grads[0][...] = self.x.T @ dout
        return dout @ self.params[0].T


class BindsItsGradient:
    def __init__(self, W, b):
        self.params, self.grads = [W, b], [np.zeros_like(W), np.zeros_like(b)]

    def forward(self, x):
        self.x = x
        return x @ self.params[0] + self.params[1]

    def backward(self, dout):
        dW, db = self.grads
        dW[...] = self.x.T @ dout
        db = dout.sum(axis=0)  # noqa: F841  the slip
        return dout @ self.params[0].T


def test_a_gradient_that_is_bound_anew_is_told_from_one_that_is_overwritten() -> None:
    finding = first_error(Case(BindsItsGradient, W="d h", b="h", x="n d"))
    assert (finding.code, finding.tensor) == ("GP104", "b")
    assert "db is bound to a new array here" in dict(lines(finding))["likely cause"]
    assert "db[...] = dout.sum(axis=0)" in changed_to(finding)


class Counter:
    """Its backward is wrong, and loops as often as a number of its source says."""

    def forward(self, x):
        self.x = x
        return x**2

    def backward(self, dout):
        i = 0
        while i != 3:
            i += 1
        return 5 * dout * self.x**1.5 / i


def test_what_forward_keeps_too_late_is_told_with_its_line() -> None:
    finding = first_error(Case(KeepsItsOutput, W="d d", x="n d"))
    assert (finding.code, finding.tensor) == ("GP112", "W")
    first, second = changed_to(finding).splitlines()[:2]
    assert first.endswith("self.x = x")
    assert second.endswith("x = x @ self.params[0]")


def test_a_change_that_would_never_end_costs_no_verdict() -> None:
    report = check_case(Case(Counter, x="n d"), location="x", examples=4)
    assert (report.verdict, report.reason) == (Verdict.FAIL, None)
    assert {finding.code for finding in report.findings} <= {"GP101", "GP102", "GP117", "GP206"}


class SpendsItsCache:
    def __init__(self, W):
        self.params, self.grads = [W], [np.zeros_like(W)]

    def forward(self, x):
        self.x = x.copy()
        return x @ self.params[0]

    def backward(self, dout):
        x = self.x
        self.grads[0][...] = x.T @ dout
        x *= 0
        return dout @ self.params[0].T


def test_a_cache_that_is_used_up_is_copied_first() -> None:
    finding = first_error(Case(SpendsItsCache, W="d h", x="n d"))
    assert finding.code == "GP514"
    assert "x = self.x.copy()" in changed_to(finding)


class Private:
    __scale = 2.0

    def outer(self, factor):
        class Inner:
            def inner(self):
                return factor * self.__class__.__name__.__len__()

        return Inner

    def scaled(self, x):
        return super().__sizeof__() * 0 + self.__scale * x


def test_a_changed_function_keeps_its_class_and_what_stands_around_it() -> None:
    code = code_of_class(Private, "scaled", "scaled")
    tree = tree_of(code.forward, code)
    tree.node.body[-1].value = parse("super().__sizeof__() * 0 + self.__scale * x * 10")
    ast.fix_missing_locations(tree.node)
    changed = compiled(Private.scaled, tree.node)
    with patched(Private.scaled, changed):
        assert Private().scaled(1.0) == 20.0
    assert Private().scaled(1.0) == 2.0


def test_code_that_does_not_fit_is_not_put_in() -> None:
    code = code_of_class(Private, "scaled", "scaled")
    tree = tree_of(code.forward, code)
    tree.node.body[-1].value = parse("x")  # without super() it needs no class
    ast.fix_missing_locations(tree.node)
    assert compiled(Private.scaled, tree.node) is None


class TwoGradients:
    def forward(self, x, y):
        self.x, self.y = x, y
        return x * y

    def backward(self, dout):
        first = dout * self.y
        dx = first + 0
        dy = dout * self.x
        return dx, dy


def test_the_statements_of_a_wrong_gradient_alone_are_changed_first() -> None:
    code = code_of(TwoGradients)
    inputs = {"x": np.ones(1), "y": np.ones(1)}
    outcomes = [Outcome(Example({}, {}, inputs, 0, frozenset(inputs)))]
    places = [place_of(code, name, outcomes) for name in ("x", "y")]
    near = trees_of(code).feeding(places[:1], places[1:])
    (tree,) = near.backward
    assert {ast.unparse(slot.statement) for slot in tree.slots} == {"first = dout * self.y", "dx = first + 0"}


class WritesALog:
    def forward(self, x):
        self.x = x
        return x**2

    def backward(self, dout):
        self.logged(dout)
        return 3 * dout * self.x

    def logged(self, dout):
        with open(self.path + "log", "w") as log:
            log.write(f"{dout}")


def test_a_function_that_writes_files_is_not_changed() -> None:
    assert [tree.function.name for tree in trees_of(code_of(WritesALog)).backward] == ["backward"]


def test_every_kind_of_change_is_listed_once_in_its_table() -> None:
    for table in (*TIERS, (*KEPT_FIRST, *KEPT)):
        assert len(set(table)) == len(table)
    tried = [kind for tier in TIERS for kind in tier]
    assert len(set(tried)) == len(tried)


def test_a_function_whose_source_is_unknown_is_not_changed() -> None:
    made: dict[str, Any] = {}
    exec("def backward(dout, cache):\n    return 2 * dout", made)
    assert trees_of(code_of(unrelated, made["backward"])).backward == ()
