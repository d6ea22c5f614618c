"""The pages of the codes: each code has one, and every example in them does what its page says."""

from __future__ import annotations

import re

import pytest

from gradproof.codes import CODES, Code, row, text_of
from gradproof.errors import UsageError
from gradproof.report.code_pages import explain, listing
from gradproof.values import Verdict
from pages import SECTIONS, WRITTEN, page

pytestmark = pytest.mark.table

# what these stand for happens to a file, not to a layer: their pages have no example of a layer
OF_A_FILE = frozenset({"GP305", "GP306", "GP307"})
CHECKABLE = [code for code in WRITTEN if code not in OF_A_FILE]


def test_a_row_is_read_from_the_head_of_its_page():
    head = ["---\n", "mutates: yes\n", "follows: GP501 GP502\n", "headline: drops a result\n", "---\n"]
    page = [*head, "# GP999 some-name\n", "\n", "The text.\n"]
    assert row(iter(page)) == Code("some-name", mutates=True, follows=("GP501", "GP502"), headline="drops a result")
    assert text_of("".join(page)) == "# GP999 some-name\n\nThe text.\n"


def test_a_page_without_a_head_has_a_row_of_its_name_alone():
    page = ["# GP999 some-name\n", "\n", "The text.\n"]
    assert row(iter(page)) == Code("some-name")
    assert text_of("".join(page)) == "".join(page)


def test_a_column_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match=r"got mutable$"):
        row(iter(["---\n", "mutable: yes\n", "---\n", "# GP999 some-name\n"]))


def test_names_are_never_given_twice_and_codes_that_follow_exist():
    assert len({known.name for known in CODES.values()}) == len(CODES)
    assert {code for known in CODES.values() for code in known.follows} <= CODES.keys()
    assert {known.severity for known in CODES.values()} == {"error", "warning", "note"}


@pytest.mark.parametrize("code", WRITTEN)
def test_a_page_has_its_title_and_its_sections(code):
    found = page(code)
    assert re.fullmatch(rf"{code} [a-z0-9]+(-[a-z0-9]+)*", found.title)
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
