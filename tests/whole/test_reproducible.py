"""The same seed gives the same report, however fast the clock runs beside the work."""

from __future__ import annotations

import functools
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

import faulty
from gradproof import deadlines
from gradproof.checking import check_case
from gradproof.deadlines import Expired
from gradproof.findings import Finding
from gradproof.mend import mend
from gradproof.mend.budget import TURNS, Budget, Lines, SpentError, Turns, counted
from gradproof.mend.suggested_changes import mended
from gradproof.report import text
from gradproof.report.report import Report

pytestmark = pytest.mark.slow

NAMES = ("LSTMCellOutputGateLeftOut", "LayerNormWithoutMeanTerm", "DivisorNotSquared")
FAULTS = {fault.name: fault for fault in faulty.FAULTS if fault.name in NAMES}
RUNS = 300  # of backward in one search: enough to end several kinds of change
FASTER = 100


def told(name: str) -> tuple[str, str]:
    """The report of a faulty layer without its seconds, as text and as JSON."""
    fault = FAULTS[name]
    found = check_case(fault.case(fault.wrong), location=name, examples=3, timeout=1e6)
    found = replace(found, seconds=0.0)
    return text.report([found]), Report((found,), found.seed, None, "").to_json()


@pytest.mark.parametrize("name", NAMES)
def test_a_clock_that_runs_fast_changes_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mend, "Budget", functools.partial(Budget, RUNS))
    plain = told(name)
    fast = SimpleNamespace(monotonic=lambda: FASTER * time.monotonic())
    monkeypatch.setattr(deadlines, "time", fast)
    assert told(name) == plain


def test_time_in_which_others_had_the_processor_does_not_count(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pytest.TempPathFactory
) -> None:
    clock = deadlines._Clock(until=10.0, began=0.0, waits=str(tmp_path / "schedstat"))
    monkeypatch.setattr(deadlines, "time", SimpleNamespace(monotonic=lambda: 15.0))
    assert clock.over()
    (tmp_path / "schedstat").write_text("9000000000 6000000000 123\n")
    assert not clock.over()
    (tmp_path / "schedstat").write_text("9000000000 4000000000 123\n")
    assert clock.over()


def test_work_is_counted_by_the_lines_of_the_author() -> None:
    def rounds(number: int) -> int:
        total = 0
        for step in range(number):
            total += step
        return total

    def lines_of(number: int) -> Lines:
        with counted() as lines:
            rounds(number)
        return lines

    assert lines_of(10).run == lines_of(10).run
    assert lines_of(110).run - lines_of(10).run == 200


def test_a_budget_ends_and_a_loop_in_circles_too() -> None:
    budget = Budget(2)
    budget.spend(1.5)
    budget.spend(1.5)
    with pytest.raises(SpentError):
        budget.spend(1)
    turns = Turns()
    for _ in range(TURNS):
        turns()
    with pytest.raises(BaseException, match=f"more than {TURNS} rounds"):
        turns()


def test_what_the_clock_cut_off_is_told() -> None:
    wrong = Finding("GP101", "Layer", tensor="x")
    warned = replace(wrong, severity="warning")
    cut, kept = mended([wrong, warned], mend.Mended(cut_off=60.0))
    assert cut.remarks == (("not tried", "changes of the source may make it right: the search was cut off after 60 s"),)
    assert kept.remarks == ()
    assert mended([wrong], mend.Mended()) == [wrong]


def test_a_search_that_the_clock_ends_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*_: object) -> None:
        expired = Expired()
        expired.seconds = 60.0
        raise expired

    monkeypatch.setattr(mend.SearchOrder, "run", late)
    fault = FAULTS["LayerNormWithoutMeanTerm"]
    report = check_case(fault.case(fault.wrong), location="x", examples=3)
    assert any("cut off after 60 s" in dict(finding.remarks).get("not tried", "") for finding in report.findings)
