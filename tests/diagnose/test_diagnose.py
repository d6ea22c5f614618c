"""The finding about a failure: its lines, its law, its smallest case, its numbers."""

from __future__ import annotations

import numpy as np
import pytest

from gradproof.codes import CODES
from gradproof.diagnose.diagnose import diagnose
from gradproof.report.lines import headline, lines, number_text
from gradproof.values import Defect, LayerError, Outcome, Reason, Role, TensorResult, Verdict
from outcomes import example, named, search


def test_missing_batch_sum_is_named_with_the_batch() -> None:
    _, told = named(search(lambda g, dims: g / dims["n"]))
    assert told["law"] == "fails whenever n >= 2, passes at n = 1"
    assert told["likely cause"].startswith("dW is divided by the batch size n")
    assert told["smallest case"] == "n=2, d=3, h=4"
    assert told["reproduce"] == "gradproof layers.py::Affine --seed 0"


def test_an_empty_batch_that_judged_nothing_is_no_passing_example() -> None:
    outcomes = search(lambda g, dims: np.exp(g), [(1, 2, 3), (3, 3, 2)])
    nothing = TensorResult("W", Role.PARAMETER, (2, 3), Verdict.PASS, "none", 6, 0, 0)
    outcomes.append(Outcome(example(0, 2, 3), (nothing,)))
    assert named(outcomes)[1]["law"] == "fails in all 2 examples tried"


def test_the_smallest_case_counts_once_whether_or_not_it_was_tried() -> None:
    tried = search(lambda g, dims: np.exp(g), [(1, 2, 3), (3, 3, 2)])
    for outcomes in (tried, tried[1:]):
        finding = diagnose("Affine", tried[0], outcomes, "gradproof x.py", "W")
        assert dict(lines(finding))["law"] == "fails in all 2 examples tried"


def test_a_failure_without_numbers_is_still_reported() -> None:
    result = TensorResult("W", Role.PARAMETER, (2, 2), Verdict.FAIL, "direction", 4, 4, 9, unjudged={Reason.KINK: 1})
    code, told = named([Outcome(example(2, 2, 2), (result,))])
    assert code == "GP101"
    assert list(told) == ["law", "smallest case", "values", "reproduce"]


@pytest.mark.parametrize(
    ("stage", "code"), [("the constructor", "GP301"), ("forward", "GP302"), ("backward", "GP303")], ids=str
)
def test_an_exception_is_a_finding_with_the_layers_own_traceback(stage: str, code: str) -> None:
    error = LayerError(stage, "ValueError", "shapes (2,) and (3,)", 'File "layers.py", line 9, in forward')
    minimal = Outcome(example(1, 2, 1), error=error)
    tried = [minimal, Outcome(example(1, 3, 1), error=error), Outcome(example(2, 2, 1)), Outcome(example(3, 3, 1))]
    finding = diagnose("Affine", minimal, tried, "gradproof x.py")
    assert (finding.code, finding.name) == (code, CODES[code].name)
    assert headline(finding) == f"{stage} raises ValueError at n=1, d=2, h=1"
    assert finding.traceback == error.traceback
    assert ("message", "shapes (2,) and (3,)") in lines(finding)
    assert ("law", "fails at n = 1, passes from n = 2 on") in lines(finding)


def test_a_defect_keeps_its_headline_and_gains_its_law() -> None:
    defect = Defect("GP201", "dW has shape (3, 2), expected (2, 3)", "W", (("yours", "(3, 2)"),))
    minimal = Outcome(example(1, 2, 3), defects=(Defect("GP206", "db is not finite", "b"), defect))
    finding = diagnose("Affine", minimal, [minimal, Outcome(example(1, 2, 2))], "gradproof x.py", "W")
    assert (finding.code, finding.tensor, finding.headline) == ("GP201", "W", defect.headline)
    assert [label for label, _ in lines(finding)] == ["yours", "law", "smallest case", "values", "reproduce"]
    assert ("law", "fails whenever h >= 3, passes at h = 2") in lines(finding)


def test_an_outcome_without_a_failure_is_refused() -> None:
    with pytest.raises(ValueError, match="expected an outcome in which W fails"):
        diagnose("Affine", Outcome(example(1, 1, 1)), [], "gradproof x.py", "W")


@pytest.mark.parametrize(
    ("value", "bound", "text"),
    [
        pytest.param(1.5410, 3e-13, "1.54100", id="six at most"),
        pytest.param(0.51366667, 1e-3, "0.514", id="as the bound supports"),
        pytest.param(0.5, 4.0, "0.5", id="never none"),
        pytest.param(0.0, 1e-9, "0", id="zero"),
        pytest.param(123456.0, 0.0, "123456", id="exact"),
    ],
)
def test_a_number_has_as_many_digits_as_its_bound_supports(value: float, bound: float, text: str) -> None:
    assert number_text(value, bound) == text


def test_a_difference_that_six_digits_hide_is_written_out() -> None:
    _, told = named(search(lambda g, dims: g * (1 + 2e-9 * np.cos(g))))
    assert "   difference " in told["worst entry"]
