"""What the benchmark of causes reads out of a finding: it must not be kinder than a teacher."""

import re

import pytest
from causes_named import READINGS, UNKNOWN, causes_named

from faulty_base import CAUSES
from gradproof.codes import CODES
from gradproof.findings import Cause, Finding


def finding(code, likely=None):
    cause = None if likely is None else Cause(code, "slip", {"slips": (likely,)})
    return Finding(code, "Affine", tensor="W", cause=cause)


@pytest.mark.parametrize(
    ("code", "likely", "named"),
    [
        ("GP102", "dW is divided by the batch size n: a mean is taken", {"extra mean over the batch"}),
        ("GP102", "dW is divided by n: a mean is taken", {"extra mean over the batch"}),
        ("GP102", "dW is n times too large: the 1/n of a mean is missing", {"missing mean over the batch"}),
        ("GP102", "dW is divided by d: a mean is taken", {"a dim as factor"}),
        ("GP102", "dW is divided by sqrt(n)", {"a dim as factor", "a factor too many"}),
        ("GP102", "dW is twice the true gradient", {"constant factor"}),
        ("GP107", "backward goes wrong for the last row, and is right elsewhere", {"one row wrong"}),
        ("GP303", None, {"crash"}),
        ("GP206", None, {"not a number"}),
        ("GP201", None, {"wrong form"}),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_finding_names_the_causes_that_its_words_say(code, likely, named):
    assert causes_named(finding(code, likely)) == named


@pytest.mark.parametrize("code", ["GP101", "GP107", "GP102"])
def test_a_gradient_without_a_likely_cause_names_none(code):
    assert causes_named(finding(code)) == frozenset()


def test_words_that_the_benchmark_does_not_know_are_no_cause_that_a_teacher_accepts():
    assert causes_named(finding("GP102", "dW is a fish")) == {UNKNOWN}
    assert UNKNOWN not in CAUSES


def test_every_cause_that_can_be_read_is_one_that_faults_claim():
    assert {cause for _, _, causes in READINGS for cause in causes} <= CAUSES


def test_every_reading_belongs_to_a_code_that_exists():
    assert all(any(re.match(start, code) for code in CODES) for start, _, _ in READINGS)
