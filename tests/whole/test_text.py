"""The text of a fault, line by line, as a student reads it; texts/ holds what is expected, one file for a fault.

``PYTHONPATH=tests python tests/whole/test_text.py`` writes the files anew: what has changed is then seen in a diff, and
judged by eye.
"""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from faulty import FAULTS
from gradproof.case.case import Case
from gradproof.checking import check_case
from gradproof.findings import Finding, SubjectReport
from gradproof.report import text

pytestmark = pytest.mark.slow

TEXTS = Path(__file__).parent / "texts"
EXAMPLES, SEED = 6, 0
MOST_LINES = 22  # of one fault: what a terminal shows without scrolling

NAMES = (
    "AttentionScaleForgotten",
    "BackwardWithoutReturn",
    "BatchNormEpsilonMistyped",
    "BiasGradientAveraged",
    "BiasGradientNeverWritten",
    "BiasGradientNotSummed",
    "BiasGradientOverWrongAxis",
    "BroadcastNotSummed",
    "CentreWithoutMean",
    "Conv2DOverlapsOverwritten",
    "CumulativeSumNotReversed",
    "DoutOverwrittenInPlace",
    "DropoutMaskForgottenInBackward",
    "DuplicateIdsOverwritten",
    "EpsilonLeftOut",
    "FirstLayerNeverReached",
    "GradsSwapped",
    "IgnoresDout",
    "InputGradientDoubled",
    "InputGradientFlattened",
    "InputGradientNotANumber",
    "InputGradientSignFlipped",
    "LastColumnWrong",
    "LayersChainedInForwardOrder",
    "LossAveragedTwice",
    "LossWithoutBatchMean",
    "LostLayerGradient",
    "MatMulGradientsSwapped",
    "MaxPoolSplitsDout",
    "MultiplyOperandsSwapped",
    "RNNCellSlopeOfPreActivation",
    "ReluMaskInverted",
    "ReluMasksByDout",
    "RollNotUndone",
    "SigmoidForgetsDout",
    "SigmoidTypo",
    "SoftmaxWithoutCoupling",
    "TanhOfPreActivation",
    "TransposedSquareW",
    "WeightGradientNeverWritten",
    "WeightGradientOverBatch",
    "WeightGradientTransposed",
    "WrongAboveBatchFour",
    "WrongForNegativeX",
)

# What may change with the engine, or with a line that is added above the layer, and says nothing of the wording.
VOLATILE = (
    (r"(\.py:)\d+", r"\1LINE"),
    (r"± \S+", "± BOUND"),
    (r"-?\d+\.\d+(e[-+]\d+)?", "NUMBER"),
    (r"-?\b\d+e[-+]\d+\b", "NUMBER"),
    (r"\b\d+ of \d+ (entries|examples)", r"SOME of ALL \1"),
    (r"\bin \d+ examples", "in SOME examples"),
    (r"\b(all|at) \d+ (entries|examples)", r"\1 SOME \2"),
)


def checked(name: str) -> SubjectReport:
    fault = next(fault for fault in FAULTS if fault.name == name)
    functions = fault.wrong if isinstance(fault.wrong, tuple) else (fault.wrong,)
    return check_case(Case(*functions, **fault.specs), location=f"faulty.py::{name}", examples=EXAMPLES, seed=SEED)


def told(report: SubjectReport) -> str:
    """The findings as they are printed, without what is volatile."""
    return "\n\n".join(map(steady, report.findings)) + "\n"


def steady(finding: Finding) -> str:
    """The finding, steadied before it is laid out: what is volatile must not move the ends of the lines."""
    lines = [(label, without_volatile(content)) for label, content in text.shown(finding) if label != "values"]
    trace = None if finding.traceback is None else without_volatile(re.sub(r'File ".*/', 'File "', finding.traceback))
    return text.block(replace(finding, traceback=trace), lines)


def without_volatile(content: str) -> str:
    for pattern, instead in VOLATILE:
        content = re.sub(pattern, instead, content)
    return content


@pytest.fixture(scope="module")
def reports() -> dict[str, SubjectReport]:
    return {}


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_is_told_in_these_words(name: str, reports: dict[str, SubjectReport]) -> None:
    reports[name] = checked(name)
    assert told(reports[name]) == (TEXTS / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_is_told_briefly_and_within_80_columns(name: str, reports: dict[str, SubjectReport]) -> None:
    for finding in reports[name].findings if name in reports else checked(name).findings:
        headline, *lines = text.finding(replace(finding, traceback=None)).splitlines()
        assert len(lines) < MOST_LINES, headline
        assert [line for line in lines if len(line) > text.WIDTH and "reproduce" not in line] == []


def test_each_expected_text_belongs_to_a_fault() -> None:
    assert sorted(path.stem for path in TEXTS.glob("*.txt")) == sorted(NAMES)
    assert len(NAMES) >= 30


def test_the_texts_show_most_causes_of_a_wrong_gradient() -> None:
    heads = " ".join(path.read_text(encoding="utf-8") for path in TEXTS.glob("*.txt"))
    assert len(set(re.findall(r"GP1\d\d", heads))) >= 14


@pytest.mark.parametrize(
    ("content", "steadied"),
    [
        ("W[1, 0]   yours -0.5137   numeric 1.5410 ± 3e-13", "W[1, 0]   yours NUMBER   numeric NUMBER ± BOUND"),
        ("yours / numeric = 0.3333 = 1/n   (9 of 9 entries)", "yours / numeric = NUMBER = 1/n   (SOME of ALL entries)"),
        ("layers.py:17   return dout / 2", "layers.py:LINE   return dout / 2"),
        ("fails whenever n >= 2, passes at n = 1", "fails whenever n >= 2, passes at n = 1"),
    ],
)
def test_what_is_volatile_is_taken_out_by_rule(content: str, steadied: str) -> None:
    assert without_volatile(content) == steadied


def write() -> None:
    TEXTS.mkdir(exist_ok=True)
    for path in TEXTS.glob("*.txt"):
        path.unlink()
    for name in NAMES:
        (TEXTS / f"{name}.txt").write_text(told(checked(name)), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(write())
