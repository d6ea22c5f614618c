"""A node that is used more than once: its gradients add up, whichever way the library writes it."""

from __future__ import annotations

import pytest

from autograd_libraries import ARRAYS_WITH_CLOSURES, NUMBERS_WITH_CLOSURES, library, reports

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


@pytest.mark.parametrize("source", [NUMBERS_WITH_CLOSURES, ARRAYS_WITH_CLOSURES])
def test_nothing_is_said_of_a_library_that_adds_up(source: str) -> None:
    assert not any(report.findings for report in reports(library(source)).values())


def test_a_gradient_may_be_set_to_a_sum() -> None:
    added, summed = "self.grad += out.grad / self.data", "self.grad = self.grad + out.grad / self.data"
    assert not reports(library(NUMBERS_WITH_CLOSURES.replace(added, summed)))["Value.log"].findings
