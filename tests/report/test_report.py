"""Reports as values, as text and as JSON."""

import json
import math
import pickle
import re
from dataclasses import replace
from pathlib import Path

import pytest

from gradproof.findings import (
    Action,
    Cause,
    Edit,
    Fact,
    Finding,
    Location,
    Replacement,
    RightLine,
    RightUpTo,
    SourceHint,
    SubjectReport,
    Support,
    WrongLine,
)
from gradproof.report import schema, text
from gradproof.report.facts import FACTS, phrase
from gradproof.report.lines import lines
from gradproof.report.report import GradientFault, Report
from gradproof.report.sentences import KINDS
from gradproof.values import Entry, Reason, Role, TensorSummary, Verdict
from json_schema import REPORT

DOC = Path(__file__).parents[2] / "docs" / "report-schema.md"

FACTOR = Finding(
    code="GP102",
    subject="Affine",
    tensor="W",
    cause=Cause(
        "GP102",
        "divided-by-the-batch-size",
        {"size": "n", "sign": 1},
        {"ratio": 1 / 3, "factors": ("1/n",)},
        Support(9, 1),
    ),
    worst=Entry((1, 0), 0.5137, 1.5410, 3e-13),
    law=Fact("threshold", {"dim": "n", "fails": (2, 6), "passes": (1, 1)}),
    dims={"n": 3, "d": 1, "batch": (2, 3)},
    values={"x": [[1.0], [2.0], [3.0]]},
    varied={"alpha": "0.5"},
    reproduce="gradproof layers.py::Affine --seed 1729",
)


def tensor(verdict=Verdict.PASS, **fields):
    defaults = {"entries": 1204, "judged": 1204, "kinks": 0, "forwards": 210, "resolution": 3e-12}
    return TensorSummary(name="W", role=Role.PARAMETER, verdict=verdict, examples=31, **{**defaults, **fields})


def subject(verdict=Verdict.PASS, **fields):
    defaults = {"name": "Affine", "tensors": (tensor(verdict),), "findings": (), "dims": {"n": (0, 6), "d": (1, 6)}}
    common = {"location": "layers.py::Affine", "examples": 31, "forwards": 420, "seed": 0, "seconds": 0.1}
    return SubjectReport(verdict=verdict, **{**common, **defaults, **fields})


def report(*subjects, **fields):
    return Report(subjects, **{"seed": 0, "examples": None, "version": "1.2.3", **fields})


PASSES, FAILS = subject(), subject(Verdict.FAIL, findings=(FACTOR,))
UNCLEAR = subject(Verdict.INCONCLUSIVE, reason="the same input gave two outputs")


@pytest.mark.parametrize(
    ("run", "verdict", "exit_code"),
    [
        pytest.param(report(PASSES, PASSES), Verdict.PASS, 0, id="all pass"),
        pytest.param(report(PASSES, FAILS), Verdict.FAIL, 1, id="one fails"),
        pytest.param(report(FAILS, UNCLEAR), Verdict.FAIL, 1, id="a fault outranks a doubt"),
        pytest.param(report(PASSES, UNCLEAR), Verdict.INCONCLUSIVE, 3, id="one inconclusive"),
        pytest.param(report(), Verdict.INCONCLUSIVE, 3, id="nothing was checked"),
        pytest.param(report(PASSES, interrupted=True), Verdict.INCONCLUSIVE, 3, id="interrupted"),
        pytest.param(report(FAILS, interrupted=True), Verdict.FAIL, 1, id="interrupted after a fault"),
        pytest.param(report(PASSES, errors=("a.py does not parse",)), Verdict.INCONCLUSIVE, 2, id="a path unread"),
        pytest.param(report(FAILS, errors=("a.py does not parse",)), Verdict.FAIL, 2, id="a path unread and a fault"),
    ],
)
def test_a_run_passes_only_if_all_was_checked_and_all_passes(run, verdict, exit_code):
    assert (run.verdict, run.exit_code) == (verdict, exit_code)


def test_a_finding_is_printed_in_columns_with_its_code_at_the_right():
    assert text.finding(FACTOR).splitlines() == [
        "Affine: the gradient of W is wrong                          GP102 missing-factor",
        "  worst entry   W[1, 0]   yours 0.513700   numeric 1.54100 ± 3e-13",
        "  everywhere    yours / numeric = 0.3333 = 1/n   (9 of 9 entries)",
        "  law           fails whenever n >= 2, passes at n = 1",
        "  likely cause  dW is divided by the batch size n: a mean is taken where forward",
        "                takes a sum, or is taken twice",
        "  what to do    sum instead of taking the mean; where the loss has already",
        "                divided by n, no layer divides again",
        "  smallest case n=3, d=1, *batch=(2, 3)",
        "  values        alpha = 0.5, x = [[1], [2], [3]]",
        "  reproduce     gradproof layers.py::Affine --seed 1729",
        "  explain       gradproof explain GP102",
    ]


def test_the_code_stays_apart_from_a_headline_that_fills_the_line():
    first = text.finding(replace(FACTOR, headline="x" * 100)).splitlines()[0]
    assert first.endswith("x  GP102 missing-factor")


def test_a_command_to_copy_is_never_broken():
    command = f"gradproof {'very/long/folder/' * 6}layers.py::Affine --seed 1729"
    lines = text.finding(replace(FACTOR, reproduce=command)).splitlines()
    assert lines[-2] == f"  reproduce     {command}"


def test_the_authors_traceback_stands_indented_under_the_finding():
    trace = 'Traceback (most recent call last):\n  File "layers.py", line 3, in forward\nValueError: no\n'
    lines = text.finding(replace(FACTOR, traceback=trace)).splitlines()
    assert lines[-3:] == ["    " + line for line in trace.splitlines()]


def test_the_table_says_how_much_of_each_tensor_was_examined():
    partly = tensor(judged=1192, kinks=3, unjudged={Reason.BELOW_RESOLUTION: 12})
    table = text.table([subject(tensors=(partly,), notes=("an empty batch is refused by the layer",))])
    assert table.splitlines() == [
        "subject / tensor  verdict            judged  resolution  kinks  forwards",
        "Affine            PASS          31 examples; n 0..6; d 1..6",
        "    an empty batch is refused by the layer",
        "  W               PASS            1192/1204       3e-12      3       210",
        "    not judged: below resolution 12",
    ]


@pytest.mark.parametrize(
    ("dims", "told"),
    [
        pytest.param({"n": (1, 6), "d": (1, 6), "h": (2, 4)}, "31 examples; n, d 1..6; h 2..4", id="ranges are shared"),
        pytest.param({"n": (5, 5)}, "31 examples; n 5", id="one size"),
        pytest.param({}, "31 examples", id="no dims"),
    ],
)
def test_the_table_says_which_sizes_were_tried(dims, told):
    assert text.table([subject(dims=dims)]).splitlines()[1].endswith(told)


def test_an_inconclusive_row_shows_its_reason():
    assert "    the same input gave two outputs" in text.table([UNCLEAR]).splitlines()


def test_the_table_fits_a_terminal_of_80_columns():
    entries = {"entries": 999_999, "judged": 999_998, "forwards": 9_999_999, "kinks": 99_999}
    crowded = tensor(Verdict.INCONCLUSIVE, **entries, unjudged=dict.fromkeys(Reason, 7))
    wide = subject(Verdict.INCONCLUSIVE, location=f"x.py::{'T' * 20}", tensors=(crowded,), reason="because " * 30)
    assert max(map(len, text.table([wide, PASSES]).splitlines())) <= 80


def test_two_cases_of_one_class_are_told_apart():
    table = text.table([subject(location="check_x.py::affine_2d"), subject(location="check_x.py::affine_3d")])
    assert [line.split()[0] for line in table.splitlines()[1::2]] == ["affine_2d", "affine_3d"]


def test_the_last_line_counts_what_was_and_was_not_judged():
    unjudged = {Reason.BELOW_RESOLUTION: 12}
    many = tensor(entries=40_041, judged=40_029, unjudged=unjudged)
    told = text.summary([PASSES, subject(tensors=(many,)), FAILS, UNCLEAR])
    assert " ".join(told.split()) == (
        "4 subjects: 2 pass, 1 fails, 1 inconclusive; 43,641 entries judged, 12 not (below resolution 12); "
        "1,680 forwards; seed 0"
    )


def test_a_run_without_subjects_says_that_nothing_was_checked():
    assert "nothing was checked" in str(report())


def test_an_interrupted_run_says_so():
    assert "interrupted" in str(report(PASSES, interrupted=True)).splitlines()[-1]
    assert "interrupted" not in str(report(PASSES))


def test_the_report_prints_findings_then_table_then_counts():
    blocks = str(report(FAILS, PASSES)).split("\n\n")
    assert blocks == [text.finding(FACTOR), text.table([FAILS, PASSES]), text.summary([FAILS, PASSES])]


def test_a_finding_that_its_case_allows_is_no_headline():
    allowed = subject(findings=(replace(FACTOR, severity="allowed"),), notes=("GP102 for W is allowed",))
    assert str(report(allowed)).startswith("subject / tensor")
    assert "GP102 for W is allowed" in str(report(allowed))


WARNING = replace(FACTOR, severity="warning", code="GP108")
NOTE = Finding("GP601", "sigmoid", "divides by one", severity="note")


def test_warnings_and_notes_are_marked_and_stand_below_the_faults():
    blocks = str(report(subject(Verdict.FAIL, findings=(NOTE, WARNING, FACTOR)))).split("\n\n")
    heads = [block.splitlines()[0].rpartition("  ")[0].rstrip() for block in blocks[:3]]
    wrong = "the gradient of W is wrong"
    assert heads == [f"Affine: {wrong}", f"Affine: warning: {wrong}", "sigmoid: note: divides by one"]


def test_a_warning_is_told_without_the_details_of_a_fault():
    seen = replace(WARNING, worst=None, cause=None, remarks=(("seen", "x was 1 and is 0 now"),))
    everywhere = replace(seen, law=Fact("fails-everywhere", {"failing": 4, "tried": 4}))
    told = text.finding(everywhere).splitlines()[1:]
    assert [line.split()[0] for line in told] == ["seen", "reproduce", "explain"]
    assert "fails whenever" in text.finding(seen)


def test_a_call_that_does_not_end_is_told_with_the_sizes_at_which_it_was_met():
    how = {"severity": "warning", "advice": "look for a loop", "dims": {"n": 2}, "reproduce": "gradproof layers.py"}
    endless = Finding("GP304", "Slow", "forward did not end within 3 s", **how)
    told = [line.split()[:2] for line in text.finding(endless).splitlines()[1:]]
    assert told[:2] == [["at", "n=2"], ["what", "to"]]


def test_a_pass_with_warnings_says_so_in_its_row_and_in_the_counts():
    told = str(report(subject(findings=(WARNING, WARNING, NOTE)), PASSES))
    assert "  PASS          31 examples; n 0..6; d 1..6; 2 warnings; 1 note" in told
    assert "2 subjects: 2 pass; 2 warnings; 1 note; " in told
    assert "warning" not in str(report(PASSES))


def test_a_note_of_the_run_is_told_and_changes_no_verdict():
    run = report(PASSES, notes=(NOTE,))
    assert (run.verdict, run.exit_code) == (Verdict.PASS, 0)
    assert str(run).startswith(text.finding(NOTE))
    assert [note["code"] for note in json.loads(run.to_json())["notes"]] == ["GP601"]


def test_a_failure_without_a_finding_still_says_why():
    assert "backward never ran" in str(report(subject(Verdict.FAIL, reason="backward never ran")))


def test_a_gradient_fault_is_an_assertion_that_carries_its_report():
    run = report(FAILS, UNCLEAR)
    fault = GradientFault(run)
    assert isinstance(fault, AssertionError)
    assert fault.report is run
    assert str(fault).startswith("Affine: the gradient of W is wrong")
    assert "Affine: could not be judged\n  reason        the same input gave two outputs" in str(fault)


def test_a_gradient_fault_survives_the_way_between_processes():
    assert str(pickle.loads(pickle.dumps(GradientFault(report(FAILS))))) == str(GradientFault(report(FAILS)))


def test_json_is_strict_and_turns_what_is_not_finite_into_null():
    odd = subject(tensors=(tensor(resolution=math.nan), tensor(resolution=math.inf)), seconds=math.inf)
    document = json.loads(report(odd).to_json(), parse_constant=pytest.fail)
    assert [t["resolution"] for t in document["subjects"][0]["tensors"]] == [None, None]
    assert document["subjects"][0]["seconds"] is None


def test_json_says_what_the_report_says():
    document = json.loads(report(PASSES, FAILS).to_json())
    assert (document["schema"], document["version"]) == (schema.NAME, schema.VERSION)
    assert (document["verdict"], document["forwards"], document["seed"]) == ("FAIL", 840, 0)
    found = document["subjects"][1]["findings"][0]
    assert (found["code"], found["tensor"], found["worst"]["index"]) == ("GP102", "W", [1, 0])
    assert found["cause"]["kind"] == "divided-by-the-batch-size"
    assert found["cause"]["evidence"] == {"ratio": 1 / 3, "factors": ["1/n"]}
    assert found["law"] == {"kind": "threshold", "parameters": {"dim": "n", "fails": [2, 6], "passes": [1, 1]}}
    assert found["dims"] == {"n": 3, "d": 1, "batch": [2, 3]}
    assert found["lines"][2] == {"label": "law", "text": "fails whenever n >= 2, passes at n = 1"}


HERE = Location("layers.py", 16, 8, 16, 20)
EDIT = Edit((Replacement(HERE, Action.REPLACE, "return 2 * x", "return x", "return x"),), ("W",), 12)
STALE = Finding("GP508", "Affine", "the gradient of W belongs to an earlier forward", tensor="W")
RIGHT = RightLine(replace(HERE, line=14, end_line=14), "dh = dout @ self.W.T", "dh", "h")
WRONG = WrongLine(replace(HERE, line=15, end_line=15), "dz = dh * self.z", "dz", "z", (0, 1), 1.7812, 1e-9, -3.6523)
LINES = RightUpTo(RIGHT, WRONG, ("W",), (replace(HERE, line=12, end_line=12),))
FULL = replace(FACTOR, hints=(SourceHint(HERE, "return 2 * x"),), edits=(EDIT,), right_up_to=LINES, because=STALE)
MAPS = ("dims", "unjudged", "values", "varied", "parameters", "evidence")  # keys are names or reasons, not fields


def test_the_place_of_a_finding_is_that_of_its_first_edit_else_of_its_first_hint():
    there = replace(HERE, line=17, end_line=17)
    full = replace(FULL, right_up_to=None)
    first = [replace(full, hints=(SourceHint(there, "return x"),)), replace(full, edits=()), FACTOR]
    document = json.loads(report(subject(findings=tuple(first))).to_json())
    places = [found["location"] for found in document["subjects"][0]["findings"]]
    assert [None if place is None else place["line"] for place in places] == [16, 16, None]
    assert document["subjects"][0]["findings"][0]["edits"][0]["replacements"][0]["new"] == "return x"


def test_the_lines_are_told_in_the_place_of_where_to_look():
    told = dict(lines(replace(FULL, because=None)))
    assert "look at" not in told
    assert told["right up to"] == "layers.py:14   dh is the gradient of h"
    assert told["wrong from"].splitlines() == [
        "layers.py:15   dz = dh * self.z",
        "dz[0, 1] should be 1.78120, is -3.65230",
        "it is made of line 12, which may be wrong, too",
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (replace(WRONG, variable="dx[:, t]"), "dx[:, t] at [0, 1] should be 1.78120, is -3.65230"),
        (
            replace(WRONG, variable="", text="return dh * z", of="W"),
            "what it returns for W at [0, 1] should be 1.78120",
        ),
        (replace(WRONG, variable="", text="return 1 - z**2", of=""), "what it returns at [0, 1] should be 1.78120"),
        (replace(WRONG, variable="", text="dx += dh", of="z"), "its value at [0, 1] should be 1.78120"),
        (replace(WRONG, index=()), "dz should be 1.78120, is -3.65230"),
    ],
    ids=["a part", "returned for a tensor", "returned", "added", "a number"],
)
def test_a_wrong_value_is_called_by_what_it_goes_to(line, told):
    finding = replace(FULL, because=None, right_up_to=RightUpTo(None, line, ("W",)))
    found = dict(lines(finding))
    assert told in found["wrong from"]
    assert "right up to" not in found


ALIKE = "np.sum(dout * x_normalized * gamma, axis=(0, 2, 3), "


@pytest.mark.parametrize(
    ("mine", "other", "told"),
    [
        pytest.param("dout @ W", "dout @ W.T", "dout @ W stands where dout @ W.T belongs", id="short ones, whole"),
        pytest.param(
            ALIKE + "keepdims=True)",
            ALIKE + "keepdims=False)",
            "... ), keepdims=True) stands where ... ), keepdims=False) belongs",
            id="long ones that begin alike, from where they differ",
        ),
        pytest.param(
            "dout * " + "a" * 60,
            "x * " + "b" * 60,
            f"dout * {'a' * 37} ... stands where x * {'b' * 40} ... belongs",
            id="long ones that begin otherwise, their beginnings",
        ),
    ],
)
def test_two_expressions_are_cut_so_that_they_can_be_told_apart(mine, other, told):
    assert phrase(Fact("slip-operand", {"mine": mine, "other": other}), "x") == told


def test_the_report_fits_its_schema_and_another_document_does_not():
    document = json.loads(report(FAILS, subject(Verdict.FAIL, findings=(FULL, NOTE)), UNCLEAR, notes=(NOTE,)).to_json())
    assert list(REPORT.problems(document)) == []
    broken = json.loads(json.dumps(document))
    found = broken["subjects"][1]["findings"][0]
    found["cause"]["kind"] = "nobody-knows"
    found["worst"] |= {"bound": "small"}
    found["hint"] = found.pop("hints")
    del broken["seed"]
    problems = list(REPORT.problems(broken))
    assert len(problems) == 5
    assert any("'nobody-knows' is none of" in problem for problem in problems)


def listed(whole):
    """The schema with every kind of cause and of fact that there is now."""
    found = json.loads(json.dumps(whole))
    found["$defs"]["cause"]["properties"]["kind"]["enum"] = sorted(KINDS)
    found["$defs"]["fact"]["properties"]["kind"]["enum"] = sorted(FACTS)
    return found


def test_the_schema_lists_every_kind_of_cause_and_of_fact():
    assert listed(REPORT.whole) == REPORT.whole, "PYTHONPATH=tests python tests/report/test_report.py writes the schema"


def paths(value, prefix=""):
    """Every field of a document, as the documentation writes it: ``subjects[].tensors[].name``."""
    for key, child in value.items():
        path = f"{prefix}{key}"
        yield path
        if isinstance(child, dict) and key not in MAPS:
            yield from paths(child, f"{path}.")
        if isinstance(child, list) and child and isinstance(child[0], dict):
            yield from paths(child[0], f"{path}[].")


def test_the_documentation_lists_exactly_the_fields_of_the_report():
    documented = re.findall(r"^\| `([\w\[\].]+)` \|", DOC.read_text(encoding="utf-8"), flags=re.MULTILINE)
    written = list(paths(json.loads(report(subject(Verdict.FAIL, findings=(FULL,))).to_json())))
    assert sorted(documented) == sorted(written)


def test_the_documentation_names_every_reason():
    told = DOC.read_text(encoding="utf-8")
    assert [reason for reason in Reason if f"`{reason.value}`" not in told] == []


if __name__ == "__main__":
    schema.FILE.write_text(json.dumps(listed(REPORT.whole), indent=2) + "\n", encoding="utf-8")
