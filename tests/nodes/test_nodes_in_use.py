"""A node that is used more than once: its gradients add up, whichever way the library writes it."""

from __future__ import annotations

import pytest

from autograd_libraries import ARRAYS_WITH_CLOSURES, BY_GENERATION, NUMBERS_WITH_CLOSURES, library, reports
from gradproof.infer.infer import infer
from gradproof.nodes.conventions import operation_of

pytestmark = pytest.mark.table

FAULTS = [
    (NUMBERS_WITH_CLOSURES, "other.grad += self.data * out.grad", "other.grad = self.data * out.grad", "GP701"),
    (NUMBERS_WITH_CLOSURES, "self.grad += out.grad / self.data", "self.grad = out.grad / self.data", "GP701"),
    (
        NUMBERS_WITH_CLOSURES,
        "            self.grad += other.data * out.grad\n            other.grad += self.data * out.grad",
        "            before = other.grad\n            self.grad += other.data * out.grad\n"
        "            other.grad = before + self.data * out.grad",
        "GP702",
    ),
    (ARRAYS_WITH_CLOSURES, "self.grad = grad if self.grad is None else self.grad + grad", "self.grad = grad", "GP701"),
]


@pytest.mark.parametrize(("source", "right", "wrong", "code"), FAULTS)
def test_a_gradient_that_is_lost_is_named(source: str, right: str, wrong: str, code: str) -> None:
    assert source.count(right) == 1
    found = reports(library(source.replace(right, wrong)))
    codes = {finding.code for report in found.values() for finding in report.findings}
    assert codes == {code}
    assert {str(report.verdict) for report in found.values() if report.findings} == {"FAIL"}


@pytest.mark.parametrize("source", [NUMBERS_WITH_CLOSURES, ARRAYS_WITH_CLOSURES, BY_GENERATION])
def test_nothing_is_said_of_a_library_that_adds_up(source: str) -> None:
    assert not any(report.findings for report in reports(library(source)).values())


def test_a_gradient_may_be_set_to_a_sum() -> None:
    added, summed = "self.grad += out.grad / self.data", "self.grad = self.grad + out.grad / self.data"
    assert not reports(library(NUMBERS_WITH_CLOSURES.replace(added, summed)))["Value.log"].findings


PARENTS = "                for parent in node.parents:\n                    visit(parent)\n"
APPEND = "                order.append(node)"
VISITED_FIRST = [(PARENTS + APPEND, f"{APPEND}\n{PARENTS.rstrip()}"), ("reversed(order)", "order")]


@pytest.mark.parametrize(
    ("source", "changes", "code"),
    [
        (NUMBERS_WITH_CLOSURES, VISITED_FIRST, "GP703"),
        (ARRAYS_WITH_CLOSURES, [("            if node not in order:\n", "            if True:\n")], "GP703"),
        (BY_GENERATION, [("x.grad = g if x.grad is None else Plus()(x.grad, g)", "x.grad = g")], "GP701"),
        (BY_GENERATION, [("key=lambda f: f.generation", "key=lambda f: -f.generation")], "GP703"),
    ],
)
def test_a_backward_that_loses_a_use_is_named(source: str, changes: list[tuple[str, str]], code: str) -> None:
    for right, wrong in changes:
        assert source.count(right) == 1
        source = source.replace(right, wrong)
    found = reports(library(source))
    assert {finding.code for report in found.values() for finding in report.findings} == {code}


def test_a_library_that_makes_no_order_is_in_doubt_and_not_accused() -> None:
    unordered = BY_GENERATION.replace("            todo.sort(key=lambda f: f.generation)\n", "")
    unordered = unordered.replace("generation", "number")
    module = library(unordered)
    engine = operation_of(vars(module)["Variable"].backward)
    assert engine is not None
    (doubt,) = infer((engine.forward, engine.backward)).doubts
    assert doubt.startswith("nodes are put in no order")
    assert not reports(module)["Variable.backward"].findings
