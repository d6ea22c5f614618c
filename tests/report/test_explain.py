"""The pages of the codes: each code has one, and every example in them does what its page says."""

from __future__ import annotations

import re

import pytest

from gradproof.codes import CODES
from gradproof.errors import UsageError
from gradproof.report.code_pages import explain, listing
from gradproof.values import Verdict
from pages import SECTIONS, WRITTEN, page

pytestmark = pytest.mark.table

# what these stand for happens to a file, not to a layer: their pages have no example of a layer
OF_A_FILE = frozenset({"GP305", "GP306", "GP307"})
CHECKABLE = [code for code in WRITTEN if code not in OF_A_FILE]


def test_every_code_has_its_page_and_every_page_its_code():
    assert sorted(CODES) == WRITTEN


@pytest.mark.parametrize("code", WRITTEN)
def test_a_page_has_its_title_and_its_sections(code):
    found = page(code)
    assert found.title == f"{code} {CODES[code].name}"
    if code not in OF_A_FILE:
        assert found.sections == SECTIONS
        assert set(found.blocks) == {"Wrong", "Right", "See it by hand"}


@pytest.mark.parametrize("code", CHECKABLE)
def test_the_wrong_example_gives_its_code_and_no_other(code):
    assert {finding.code for finding in page(code).checked("Wrong").findings} == {code}


@pytest.mark.parametrize("code", CHECKABLE)
def test_the_right_example_passes_without_any_finding(code):
    report = page(code).checked("Right")
    assert (report.verdict, report.findings) == (Verdict.PASS, ())


@pytest.mark.parametrize("code", CHECKABLE)
def test_the_calculation_by_hand_prints_what_it_says(code):
    printed, promised = page(code).printed()
    assert printed == promised
    assert printed


@pytest.mark.parametrize("code", WRITTEN)
def test_a_page_fits_a_terminal(code):
    lines = explain(code).splitlines()
    assert max(map(len, lines)) <= 120
    assert len(lines) <= 150  # a net with its layers, twice


@pytest.mark.parametrize("written", ["GP102", "gp102", " GP102 ", "missing-factor", "Missing-Factor"])
def test_a_page_is_found_by_code_and_by_name(written):
    assert explain(written).startswith("# GP102 missing-factor")


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("GP102a", "did you mean GP102 "),
        ("mising-factor", "did you mean GP102 "),
        ("102", "did you mean GP102 "),
        ("", "got '': gradproof explain lists the codes"),
        ("affine.py", "got 'affine.py': gradproof explain lists the codes"),
    ],
)
def test_an_unknown_code_is_refused_with_those_that_look_like_it(written, hint):
    with pytest.raises(UsageError, match=hint):
        explain(written)


def test_the_listing_has_every_code_with_its_name():
    assert dict(line.split("  ") for line in listing().splitlines()) == {code: row.name for code, row in CODES.items()}


def test_no_page_names_a_code_that_does_not_exist():
    named = {code for written in WRITTEN for code in re.findall(r"GP\d{3}", explain(written))}
    assert named <= set(CODES)
