"""What the benchmark of causes reads out of a finding: it must not be kinder than a teacher."""

import pytest
from causes_named import CHANGES, KINDS, PREFIXES, READ, SHARES, UNKNOWN, causes_named

from faulty.base import CAUSES
from gradproof.codes import CODES
from gradproof.findings import Cause, Confidence, Fact, Finding
from gradproof.report import sentences

LAST_ROW = Fact("last-slice", {"axis": 0, "axes": 2})
OPEN = frozenset({"unexplained", "unmeasured", "zero-beside-others", "unexplained-region", "another-array"})
OPEN |= {"not-zero-where-saturated", "zero-where-it-is-not"}  # what was measured, and nothing more


def finding(code, kind=None, **about):
    return Finding(code, "Affine", tensor="W", cause=None if kind is None else Cause(code, kind, about))


@pytest.mark.parametrize(
    ("told", "named"),
    [
        (finding("GP102", "divided-by-the-batch-size", size="n"), {"extra mean over the batch"}),
        (finding("GP102", "divided-by-a-size", size="n"), {"extra mean over the batch"}),
        (finding("GP102", "multiplied-by-a-size", size="n"), {"missing mean over the batch"}),
        (finding("GP102", "divided-by-a-size", size="d"), {"a dim as factor"}),
        (finding("GP102", "divided-by-a-root", size="sqrt(n)"), {"a dim as factor", "a factor too many"}),
        (finding("GP102", "twice"), {"constant factor"}),
        (finding("GP107", "region", region=LAST_ROW), {"one row wrong"}),
        (finding("GP107", "region", region=Fact("diagonal")), {UNKNOWN}),
        (finding("GP117", "slip", slips=("the factor self.x is missing",)), {"a factor left out"}),
        (finding("GP513", "slip", slips=("the sign of a term is wrong",)), {"sign", "accumulates"}),
        (finding("GP303"), {"crash"}),
        (finding("GP206"), {"not a number"}),
        (finding("GP201"), {"wrong form"}),
    ],
    ids=lambda value: " or ".join(sorted(value)) if isinstance(value, set) else value.code,
)
def test_a_finding_names_the_causes_that_its_kind_says(told, named):
    assert causes_named(told) == named


@pytest.mark.parametrize("code", ["GP101", "GP107", "GP102"])
def test_a_gradient_without_a_cause_names_none(code):
    assert causes_named(finding(code)) == frozenset()
    measured = Cause(code, "unexplained-region", confidence=Confidence.OPEN)
    assert causes_named(Finding(code, "Affine", tensor="W", cause=measured)) == frozenset()


def test_what_the_benchmark_does_not_know_is_no_cause_that_a_teacher_accepts():
    assert causes_named(finding("GP102", "slip", slips=("dW is a fish",))) == {UNKNOWN}
    assert causes_named(finding("GP102", "fish")) == {UNKNOWN}
    assert UNKNOWN not in CAUSES


def test_every_cause_that_can_be_read_is_one_that_faults_claim():
    tables = [*KINDS.values(), *SHARES.values(), *(causes for _, _, causes in PREFIXES), *(c for _, c in CHANGES)]
    assert {cause for causes in tables for cause in causes} <= CAUSES


def test_every_kind_of_cause_that_is_named_can_be_read():
    known = {*KINDS, *READ, *OPEN, "broken-promise", "not-finite"}
    assert known == {*sentences.CAUSES}


def test_every_reading_belongs_to_a_code_that_exists():
    assert all(any(code.startswith(start) for code in CODES) for start, _, _ in PREFIXES)
