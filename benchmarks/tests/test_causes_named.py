"""What the benchmark of causes reads out of a finding: it must not be kinder than a teacher."""

import pytest
from causes_named import PREFIXES, UNKNOWN, causes_named

from faulty.base import CAUSES
from gradproof.codes import CODES
from gradproof.contract.contract import PROMISES
from gradproof.findings import Cause, Confidence, Fact, Finding
from gradproof.mend import slip_kinds
from gradproof.mend.named_slips import SLIPS
from gradproof.report.sentences import KINDS

FACTOR = slip_kinds.FACTOR_MISSING(factor="self.x").fact
SIGN = slip_kinds.SIGN_OF_TERM(mine="- x", other="+ x").fact
LAST_ROW = Fact("last-slice", {"axis": 0, "axes": 2})
OPEN = frozenset({"unexplained", "unmeasured", "zero-beside-others", "unexplained-region", "another-array"})
OPEN |= {"not-zero-where-saturated", "zero-where-it-is-not"}  # what was measured, and nothing more
OPEN |= {"slip", "broken-promise", "not-finite"}  # what words, a code or the form of a gradient say


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
        (finding("GP117", "slip", slips=(FACTOR,)), {"a factor left out"}),
        (finding("GP513", "slip", slips=(SIGN,)), {"sign", "accumulates"}),
        (finding("GP117", "slip", slips=(FACTOR, SIGN)), {"a factor left out", "sign"}),
        (
            finding("GP117", "slip", slips=(Fact("slip-in-a-branch", {"slip": FACTOR}),)),
            {"a factor left out", "one region of values wrong"},
        ),
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
    assert causes_named(finding("GP102", "fish")) == {UNKNOWN}
    assert UNKNOWN not in CAUSES


def named(kind, **about):
    """What a teacher would call a cause of this kind."""
    return {*KINDS[kind].names(about)}


# kinds of which it hangs on the parameters, each with some
WITH_PARAMETERS = {
    "divided-by-the-batch-size": {"size": "n"},
    "divided-by-a-size": {"size": "d"},
    "multiplied-by-the-batch-size": {"size": "n"},
    "multiplied-by-a-size": {"size": "d"},
    "region": {"region": LAST_ROW},
    "output-unused": {"where": Fact("outputs", {"numbers": (1,)})},
    "share-by-share": {"slips": (Fact("factor-missing", {"factor": "x"}),)},
    "dout-multiplied": {"factor": "1/n"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_cause_has_the_names_of_causes_that_faults_claim(kind):
    names = named(kind, **WITH_PARAMETERS.get(kind, {}))
    assert names <= CAUSES
    assert bool(names) is (kind not in OPEN)


@pytest.mark.parametrize(("told", "names"), [
    (named("region", region=Fact("values-by-sign")), {"one region of values wrong"}),
    (named("region", region=Fact("last-entry")), {"one entry wrong"}),
    (named("region", region=Fact("last-slice", {"axis": 1, "axes": 2})), {"one column wrong"}),
    (named("region", region=Fact("last-slice", {"axis": 0, "axes": 1})), {"one entry wrong"}),
    (named("region", region=Fact("slice", {"axis": 1, "axes": 4})),
     {"one row wrong", "one column wrong", "one channel wrong"}),
    (named("output-unused", where=Fact("some-entries")), {"not summed", "a term missing"}),
    (named("share-by-share", slips=(Fact("derivative-twice"), Fact("derivative-of-the-pre-activation"))),
     {"a factor too many", "wrong power", "pre-activation used for post-activation"}),
    (named("dout-multiplied", factor="2"), {"constant factor", "a dim as factor", "not summed"}),
    (named("dout-multiplied", factor="1/n"), {"extra mean over the batch", "constant factor"}),
])  # fmt: skip
def test_a_name_that_hangs_on_what_the_cause_is_about(told, names):
    assert told == names


def test_every_cause_that_is_read_out_of_words_and_codes_is_one_that_faults_claim():
    assert {cause for causes in PREFIXES.values() for cause in causes} <= CAUSES


@pytest.mark.parametrize("kind", SLIPS.values(), ids=lambda kind: kind.name)
def test_a_slip_has_the_names_of_causes_that_faults_claim(kind):
    about = dict.fromkeys(("mine", "other", "size", "role", "function", "target"), "1")
    names = kind.names(about)
    assert names
    assert {*names} <= CAUSES


@pytest.mark.parametrize(("told", "names"), [
    (slip_kinds.SIZE_MISSING(size="len(x)", role="division by"),
     {"missing mean over the batch", "a dim as factor", "a factor left out"}),
    (slip_kinds.SIZE_MISSING(size="len(x)", role="factor"), {"a dim as factor", "a factor left out"}),
    (slip_kinds.SIZE_TOO_MANY(size="x.shape[0]", role="division by"),
     {"extra mean over the batch", "a dim as factor", "a factor too many"}),
    (slip_kinds.SIZE_TOO_MANY(size="x.shape[1]", role="division by"), {"a dim as factor", "a factor too many"}),
    (slip_kinds.POWER(mine="x", other="x ** 2"), {"wrong power", "a factor left out"}),
    (slip_kinds.POWER(mine="x ** 3", other="x"), {"wrong power"}),
    (slip_kinds.NOT_SUMMED(mine="-1", other="x.sum()"), {"not summed", "a term missing", "a factor left out"}),
    (slip_kinds.NOT_SUMMED(mine="x", other="x.sum()"), {"not summed"}),
])  # fmt: skip
def test_a_slip_whose_names_hang_on_what_it_is_about(told, names):
    assert {*told.kind.names(dict(told.about))} == names


def test_every_cause_that_a_promise_has_the_name_of_is_one_that_faults_claim():
    tables = [table for promise in PROMISES for table in (promise.codes, promise.kinds)]
    assert {cause for table in tables for names in table.values() for cause in names} <= CAUSES


def test_every_reading_belongs_to_a_code_that_exists():
    assert all(any(code.startswith(start) for code in CODES) for start in PREFIXES)


@pytest.mark.parametrize(("kind", "named"), [
    ("", {"not linear in dout"}),
    ("ignores dout", {"ignores dout"}),
    ("ignores the size of dout", {"ignores the scale of dout"}),
])  # fmt: skip
def test_a_promise_may_be_broken_in_several_ways(kind, named):
    assert causes_named(Finding("GP509", "Loss", tensor="x", kind=kind)) == named
    assert causes_named(Finding("GP509", "Loss", tensor="x", because=Finding("GP509", "Loss", kind=kind))) == named
